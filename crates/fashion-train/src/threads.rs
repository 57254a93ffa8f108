//! How many threads compute. The result does not depend on it.

use crate::error::Error;

/// As many as the system lets this process run at once.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Does the work with this many threads.
///
/// ```
/// let threads = fashion_train::with_threads(3, rayon::current_num_threads)?;
/// assert_eq!(threads, 3);
/// # Ok::<(), fashion_train::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] for 0 threads, [`Error::Threads`] if the system refuses.
pub fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R, Error> {
    if threads == 0 {
        let (value, expected) = ("0".to_owned(), "at least 1");
        return Err(Error::Setting { name: "threads", value, expected });
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("fashion-{i}"))
        .build()
        .map_err(|source| Error::Threads { threads, source })?;
    Ok(pool.install(work))
}
