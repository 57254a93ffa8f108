//! How an image is laid with Winograd's tiles.

use super::OUTSIDE;
use super::tile::{Extent, Four, POINTS, Two};
use std::ops::Range;

/// Where tiles lie in an image.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Of each tile where its pixels begin, or [`OUTSIDE`].
    pub(super) pixels: Vec<[[u32; 6]; 6]>,
    /// Values of an image.
    pub(super) len: usize,
    /// Values of a row of it.
    pub(super) row: usize,
}

impl Grid {
    /// Of an image of so many rows and columns, and channels, with `padding` on each side.
    fn new(
        (side, channels): (usize, usize),
        padding: usize,
        corners: impl Iterator<Item = (usize, usize)>,
    ) -> Grid {
        let pixel = |row: usize, column: usize| {
            let inside = |at: usize| at.checked_sub(padding).filter(|&at| at < side);
            inside(row)
                .zip(inside(column))
                .map_or(OUTSIDE, |(row, column)| ((row * side + column) * channels) as u32)
        };
        let tile = |(top, left)| {
            std::array::from_fn(|r| std::array::from_fn(|c| pixel(top + r, left + c)))
        };
        Grid {
            pixels: corners.map(tile).collect(),
            len: side * side * channels,
            row: side * channels,
        }
    }
}

/// Those tiles of an image that are of one size.
#[derive(Clone, Debug)]
pub(in crate::conv) struct Tiles {
    /// Whether four rows are written, and four columns, in place of two.
    pub(super) four: (bool, bool),
    pub(super) from: Grid,
    pub(super) to: Grid,
}

impl Tiles {
    /// For images of so many rows and columns, and channels, and `padding` on each side, that become
    /// others. The largest tiles come first.
    pub(in crate::conv) fn new(
        from: (usize, usize),
        to: (usize, usize),
        padding: usize,
    ) -> Vec<Tiles> {
        // Three that are left are no better off with two tiles of two.
        let fours = 4 * ((to.0 + 1) / 4);
        let starts = |four| if four { (0..fours).step_by(4) } else { (fours..to.0).step_by(2) };
        let of_size = |four: (bool, bool)| {
            let corners =
                starts(four.0).flat_map(|top| starts(four.1).map(move |left| (top, left)));
            let from = Grid::new(from, padding, corners.clone());
            Tiles { four, from, to: Grid::new(to, 0, corners) }
        };
        let parts = [(true, true), (true, false), (false, true), (false, false)].map(of_size);
        parts.into_iter().filter(|tiles| tiles.len() > 0).collect()
    }

    /// Tiles of one sample.
    pub(super) fn len(&self) -> usize {
        self.to.pixels.len()
    }

    /// Rows and columns that are written.
    pub(super) fn size(&self) -> (usize, usize) {
        let size = |four| if four { Four::OUT } else { Two::OUT };
        (size(self.four.0), size(self.four.1))
    }

    /// The places that are taken.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let (rows, columns) = self.size();
        (0..rows + 2).flat_map(move |row| (0..columns + 2).map(move |column| row * POINTS + column))
    }

    /// The places of all tiles of an image: products for each pair of channels.
    pub(in crate::conv) fn products(parts: &[Tiles]) -> usize {
        parts.iter().map(|tiles| tiles.len() * tiles.places().count()).sum()
    }

    /// Whether these are most of the tiles, ahead of which memory is asked for.
    pub(super) fn most(&self) -> bool {
        self.four == (true, true)
    }

    /// Some tiles of all samples: their number among these, sample, and number in the sample.
    #[inline(always)]
    pub(super) fn positions(
        &self,
        range: Range<usize>,
    ) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let count = self.len();
        let (mut sample, mut tile) = (range.start / count, range.start % count);
        (0..range.len()).map(move |row| {
            let position = (row, sample, tile);
            tile += 1;
            if tile == count {
                (sample, tile) = (sample + 1, 0);
            }
            position
        })
    }
}
