//! Reading pictures, some at a time and on all threads, while others are classified.

use super::finding::{Finder, Found, LeftOut, Sink, Source, cannot_classify};
use super::{BACKGROUND, unlike_the_data};
use crate::place::short_stem;
use anyhow::{Context, Result};
use fashion_data::picture::{Limits, Picture};
use fashion_data::prepare::{Preparation, Prepared, side_by_side};
use fashion_judge::Seen;
use fashion_model::ImageShape;
use rayon::prelude::*;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
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
    viewer: Viewer,
) -> (Receiver<Batch>, JoinHandle<Ended>) {
    let (sender, batches) = sync_channel(1);
    let read = move || {
        let mut reader = Reader { viewer, found: Vec::new(), size: BATCH[0], sender, count: 0 };
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
    viewer: Viewer,
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
        let first = self.count - found.len() + 1;
        let numbered = found.into_par_iter().enumerate();
        let batch = numbered.map(|(at, found)| self.viewer.see(first + at, found)).collect();
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

/// What is done to an image before the network sees it.
pub(super) struct Viewer {
    /// What the network takes.
    pub(super) input: ImageShape,
    /// Larger pictures are not read.
    pub(super) limits: Limits,
    pub(super) preparation: Preparation,
    /// The folder for each image beside what the network saw of it.
    pub(super) shown_in: Option<PathBuf>,
}

impl Viewer {
    /// What the network sees of the image of this number, or why it cannot be classified.
    fn see(&self, number: usize, found: Found) -> Result<Seen> {
        let ImageShape { side, channels } = self.input;
        let (path, picture) = match found {
            Found::File(path) => {
                let picture = self.preparation.read(&path, side, &self.limits);
                (path, picture)
            }
            Found::Tile(path, picture) => (path, Ok(picture)),
            Found::Problem(error) => return Err(error),
        };
        let prepare = |picture: Picture| {
            let prepared = self.preparation.apply(&picture, side, channels)?;
            self.show(number, &path, &picture, &prepared.pixels)?;
            anyhow::Ok(prepared)
        };
        let prepared = picture.map_err(Into::into).and_then(prepare);
        let Prepared { pixels, doubt } = prepared.with_context(|| cannot_classify(&path))?;
        let unlike = || unlike_the_data(&pixels, [side, channels]);
        let doubt = doubt.map(|_| BACKGROUND).or_else(unlike);
        Ok(Seen { path, pixels, doubt })
    }

    /// Writes `NUMBER-NAME.png`, if that is wanted.
    fn show(&self, number: usize, path: &Path, picture: &Picture, seen: &[u8]) -> Result<()> {
        let Some(folder) = &self.shown_in else { return Ok(()) };
        let ImageShape { side, channels } = self.input;
        let mut name = OsString::from(format!("{number:03}-"));
        name.push(short_stem(path));
        name.push(".png");
        let to = folder.join(name);
        std::fs::write(&to, side_by_side(picture, seen, side, channels))
            .with_context(|| format!("cannot write {}", to.display()))
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
        let finder = Finder { input, images_key: None, sorts: false, written: Vec::new() };
        let (limits, preparation) = (Limits::default(), Preparation::Photo);
        let viewer = Viewer { input, limits, preparation, shown_in: None };
        let (batches, reader) = start(finder, Arc::new(sources), viewer);
        assert_eq!(batches.recv().unwrap().len(), BATCH[0]);
        thread::sleep(Duration::from_millis(100));
        drop(batches);
        assert!(reader.join().unwrap().found <= BATCH[0] * (1 + 2 + 4));
    }
}
