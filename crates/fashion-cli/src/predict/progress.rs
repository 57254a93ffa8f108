//! A bar while pictures are classified, on a terminal, where the answers go elsewhere.

use super::finding::{Finder, Source};
use crate::output::about;
use crate::train::interrupt::Interrupt;
use crate::train::progress::Watch;
use fashion_eval::thousands;
use std::io::{IsTerminal, stdout};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

pub(super) struct Progress {
    watch: Watch,
    began: Instant,
    /// How many there are, once they are counted, if they can be.
    all: Arc<OnceLock<u64>>,
    done: usize,
}

impl Progress {
    /// Begins now, and to count the images beside the work where a bar is shown.
    pub(super) fn new(finder: &Finder, sources: &Arc<Vec<Source>>) -> Progress {
        let watch = Watch::new(None::<Interrupt>, stdout().is_terminal());
        let all = Arc::new(OnceLock::new());
        if watch.is_shown() {
            let (finder, sources, all) = (finder.clone(), Arc::clone(sources), Arc::clone(&all));
            thread::spawn(move || {
                if let Some(count) = sources.iter().map(|source| finder.count(source)).sum() {
                    let _ = all.set(count);
                }
            });
        }
        Progress { watch, began: Instant::now(), all, done: 0 }
    }

    /// So many more are classified.
    pub(super) fn add(&mut self, images: usize) {
        self.done += images;
        // A bar that is gone at once would only flicker.
        self.watch.show_after(Duration::from_millis(300), || {
            let (done, rate) = (thousands(self.done), self.rate());
            let (share, message) = match self.all.get() {
                Some(&all) if all > 0 => {
                    let share = (self.done as f64 / all as f64).min(1.0);
                    let left = self.watch.left(share);
                    (share, format!("{done} of {} images  {rate}  {left}", thousands(all as usize)))
                }
                _ => (0.0, format!("{done} images  {rate}")),
            };
            (share, ("classifying".to_owned(), message))
        });
    }

    /// Writes a line above the bar.
    pub(super) fn say(&self, line: &str) {
        self.watch.note(line);
    }

    /// Takes the bar away, and says how fast it was where there was one.
    pub(super) fn end(self) {
        if self.watch.is_shown() {
            self.watch.clear();
            let seconds = self.began.elapsed().as_secs_f64();
            let rate = self.rate();
            about(
                "done",
                format_args!("{} images in {seconds:.1} s, {rate}", thousands(self.done)),
            );
        }
    }

    fn rate(&self) -> String {
        let seconds = self.began.elapsed().as_secs_f64().max(1e-9);
        format!("{} images/s", thousands((self.done as f64 / seconds) as usize))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.watch.clear();
    }
}
