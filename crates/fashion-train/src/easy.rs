//! Which images an epoch leaves out because they are easy.
//!
//! After a few epochs most images of a set are classified well, and a step on them moves little: time is
//! better spent on the others (Katharopoulos and Fleuret, "Not All Samples Are Created Equal", arXiv
//! 1803.00942; Jiang et al., "Accelerating Deep Learning by Focusing on the Biggest Losers", arXiv
//! 1910.00762). Theirs choose within each batch, and pay a forward pass for all of it. Here the loss that
//! a training step had of an image anyway, when it last took it, decides for the whole next epoch, as
//! loss-based filters of fast trainings do (Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU",
//! arXiv 2404.00498, and its code).
//!
//! An image that is left out keeps its loss. It comes back when enough of those that were visited have
//! sunk below it.

use std::borrow::Cow;

/// The loss of an image that was not visited yet: more than any other, so that it is.
const UNVISITED: f32 = f32::MAX;

/// The losses of images at their last visits, and which of them are too low for another.
#[derive(Clone, Debug)]
pub(crate) struct Easy {
    share: f64,
    /// The first epoch that leaves images out.
    from: usize,
    /// Of each image of the data set; after the first epoch of all that are trained on, unless they
    /// are not drawn equally often.
    pub(crate) losses: Vec<f32>,
}

impl Easy {
    /// For a data set of so many images.
    pub(crate) fn new(share: f64, from: usize, images: usize) -> Easy {
        Easy { share, from, losses: vec![UNVISITED; images] }
    }

    /// How many of so many images an epoch leaves out, counted from the one that begins to.
    pub(crate) fn left_out(share: f64, images: usize) -> usize {
        (share * images as f64) as usize
    }

    /// What a step has found of an image.
    pub(crate) fn note(&mut self, image: usize, loss: f32) {
        self.losses[image] = loss;
    }

    /// Those of the images that an epoch visits, in their order. Of equal losses the first are easier.
    pub(crate) fn visited<'a>(&self, images: &'a [usize], epoch: usize) -> Cow<'a, [usize]> {
        let out = Easy::left_out(self.share, images.len());
        if epoch < self.from || out == 0 {
            return Cow::Borrowed(images);
        }
        let rank = |&image: &usize| (self.losses[image], image);
        let by_rank = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        let mut ranks: Vec<(f32, usize)> = images.iter().map(rank).collect();
        let (_, &mut least, _) = ranks.select_nth_unstable_by(out, by_rank);
        let hard = |image: &&usize| by_rank(&rank(image), &least).is_ge();
        Cow::Owned(images.iter().filter(hard).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_visits_those_whose_last_losses_were_highest() {
        let images = [1, 3, 4, 6, 7];
        let mut easy = Easy::new(0.4, 3, 8);
        for (image, loss) in [(1, 0.5), (3, 0.1), (4, 0.1), (6, 0.1), (7, 0.9), (5, 0.0)] {
            easy.note(image, loss);
        }
        assert_eq!(*easy.visited(&images, 2), images);
        assert_eq!(*easy.visited(&images, 3), [1, 6, 7]);
        // Two that were left out come back, since two that were not have become easier.
        easy.note(1, 0.05);
        easy.note(7, 0.01);
        assert_eq!(*easy.visited(&images, 4), [3, 4, 6]);
        // One that was never visited is.
        assert_eq!(*easy.visited(&[0, 1, 2, 3], 3), [0, 2, 3]);
        assert_eq!(*Easy::new(0.1, 1, 8).visited(&images, 9), images, "a tenth of five is none");
    }
}
