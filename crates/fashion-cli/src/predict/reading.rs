//! Reading pictures, some at a time and on all threads, while others are classified.

use super::finding::{Finder, Found, LeftOut, Sink, Source, cannot_classify};
use super::unlike_the_data;
use anyhow::{Context, Result, bail};
use fashion_data::picture::{self, Limits, Picture};
use fashion_judge::Seen;
use fashion_model::ImageShape;
use rayon::prelude::*;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The fewest and the most pictures of a batch, which goes through the network together: batches grow
/// while they are quick to read, and shrink where answers would be long in coming.
const BATCH: [usize; 2] = [16, 512];

/// How long reading a batch may take before the next is smaller; the next is larger where it takes less
/// than a quarter of that.
const PATIENCE: Duration = Duration::from_millis(500);

/// Pictures, or why one cannot be classified, in the order in which they are found.
pub(super) type Batch = Vec<Result<Seen>>;

/// What was found, once all of it is read.
pub(super) struct Ended {
    pub(super) found: usize,
    pub(super) left_out: LeftOut,
}

/// Begins to read on a thread of its own, which is at most two batches ahead.
pub(super) fn start(
    finder: Finder,
    sources: Arc<Vec<Source>>,
) -> (Receiver<Batch>, JoinHandle<Ended>) {
    let (sender, batches) = sync_channel(1);
    let read = move || {
        let Finder { input, limits, .. } = finder;
        let mut reader =
            Reader { input, limits, found: Vec::new(), size: BATCH[0], sender, count: 0 };
        let mut left_out = LeftOut::default();
        // Where nobody takes any more, nothing is to be done.
        let _ = sources
            .iter()
            .try_for_each(|source| finder.visit(source, &mut left_out, &mut reader))
            .is_continue()
            && reader.wait().is_continue();
        Ended { found: reader.count, left_out }
    };
    (batches, thread::spawn(read))
}

struct Reader {
    input: ImageShape,
    limits: Limits,
    found: Vec<Found>,
    /// Of the next batch.
    size: usize,
    sender: SyncSender<Batch>,
    count: usize,
}

impl Sink for Reader {
    fn push(&mut self, found: Found) -> ControlFlow<()> {
        self.count += 1;
        self.found.push(found);
        if self.found.len() < self.size { ControlFlow::Continue(()) } else { self.wait() }
    }

    fn wait(&mut self) -> ControlFlow<()> {
        if self.found.is_empty() {
            return ControlFlow::Continue(());
        }
        let began = Instant::now();
        let found = std::mem::take(&mut self.found);
        let (input, limits) = (self.input, &self.limits);
        let batch = found.into_par_iter().map(|found| see(found, input, limits)).collect();
        self.size = next_size(self.size, began.elapsed());
        match self.sender.send(batch) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

fn next_size(size: usize, took: Duration) -> usize {
    let next = match took {
        _ if took > PATIENCE => size / 2,
        _ if took < PATIENCE / 4 => size * 2,
        _ => size,
    };
    next.clamp(BATCH[0], BATCH[1])
}

/// What the network sees of an image, or why it cannot be classified.
fn see(found: Found, input: ImageShape, limits: &Limits) -> Result<Seen> {
    let (path, picture) = match found {
        Found::File(path) => {
            let picture = picture::read(&path, limits).with_context(|| cannot_classify(&path))?;
            (path, picture)
        }
        Found::Tile(path, picture) => (path, picture),
        Found::Problem(error) => return Err(error),
    };
    let pixels = fitting(picture, input).with_context(|| cannot_classify(&path))?;
    let doubt = unlike_the_data(&pixels, [input.side, input.channels]);
    Ok(Seen { path, pixels, doubt })
}

/// The pixels of a picture that a network for such images takes.
fn fitting(picture: Picture, input: ImageShape) -> Result<Vec<u8>> {
    let ImageShape { side, channels } = input;
    let Picture { width, height, .. } = picture;
    if (width, height) != (side, side) {
        bail!("it is {width}x{height} pixels; expected {side}x{side}: crop and scale it");
    }
    match channels {
        3 => Ok(picture.into_rgb().pixels),
        _ if picture.channels == 1 => Ok(picture.pixels),
        _ => bail!("it is in colour, expected grey"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_while_they_are_quick_and_shrink_where_they_are_slow() {
        let [quick, right, slow] = [10, 300, 900].map(Duration::from_millis);
        let grown = (0..9).fold(BATCH[0], |size, _| next_size(size, quick));
        assert_eq!(grown, BATCH[1]);
        assert_eq!(next_size(64, right), 64);
        assert_eq!([64, BATCH[0]].map(|size| next_size(size, slow)), [32, BATCH[0]]);
    }

    #[test]
    fn no_more_is_read_than_a_few_batches_ahead() {
        // One is taken, then nobody takes any: one waits, and one is read.
        let absent = |index: u32| Source::File(index.to_string().into());
        let sources = (0..100_000).map(absent).collect();
        let input = ImageShape { side: 28, channels: 1 };
        let finder = Finder { input, limits: Limits::default(), images_key: None, sort_into: None };
        let (batches, reader) = start(finder, Arc::new(sources));
        assert_eq!(batches.recv().unwrap().len(), BATCH[0]);
        thread::sleep(Duration::from_millis(100));
        drop(batches);
        assert!(reader.join().unwrap().found <= BATCH[0] * (1 + 2 + 4));
    }
}
