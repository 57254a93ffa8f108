//! All garments of the page in one picture, of which each place shows its part.
//!
//! A picture of its own for each garment would take half as much again, in PNG headers and in
//! compression that starts anew each time. 64 grey levels take a fifth less than 256, and nobody sees
//! the difference.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use maud::{Markup, html};

use crate::{Error, encode};

/// Garments in a row.
pub(super) const COLUMNS: usize = 40;

/// The garments, in the order in which they were added.
#[derive(Default)]
pub(super) struct Sheet<'a> {
    garments: Vec<&'a [u8]>,
}

impl<'a> Sheet<'a> {
    /// Adds a garment, of the size of the others, and returns its cell: 0 for the first, and so on.
    pub(super) fn add(&mut self, pixels: &'a [u8]) -> usize {
        self.garments.push(pixels);
        self.garments.len() - 1
    }

    /// The rule that every element of the class `i` is a part of the sheet.
    pub(super) fn css(&self) -> Result<String, Error> {
        if self.garments.is_empty() {
            return Ok(String::new());
        }
        let columns = self.garments.len().min(COLUMNS);
        let rows = self.garments.len().div_ceil(COLUMNS);
        let (side, channels) = encode::shape(self.garments[0].len()).unwrap_or((0, 1));
        let width = columns * side;
        let mut pixels = vec![255; width * rows * side * channels];
        for (cell, garment) in self.garments.iter().enumerate() {
            let corner = (cell / COLUMNS * width + cell % COLUMNS) * side;
            for (y, row) in garment.chunks_exact(side * channels).enumerate() {
                let shown = row.iter().map(|&level| coarse(encode::shown(level, channels)));
                let to = &mut pixels[(corner + y * width) * channels..][..row.len()];
                to.iter_mut().zip(shown).for_each(|(pixel, level)| *pixel = level);
            }
        }
        let (width, height) = (width as u32, (rows * side) as u32);
        let color = encode::color_type(channels);
        let png = encode::png(&pixels, width, height, color, png::Compression::High)?;
        let data = BASE64_STANDARD.encode(png);
        Ok(format!(".i{{--w:{columns};background-image:url(data:image/png;base64,{data})}}\n"))
    }
}

/// The nearest of 64 grey levels, black and white among them.
fn coarse(grey: u8) -> u8 {
    let level = (u32::from(grey) * 63 + 127) / 255;
    ((level * 255 + 31) / 63) as u8
}

/// The part of the sheet with this cell, as an element.
pub(super) fn image(cell: usize, alt: &str) -> Markup {
    let style = format!("--x:{};--y:{}", cell % COLUMNS, cell / COLUMNS);
    html! { span.i role="img" aria-label=(alt) style=(style) {} }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sheet's pixels and width, through base64 and PNG.
    fn decoded(css: &str) -> (Vec<u8>, usize) {
        let coded = css.split_once("base64,").unwrap().1.split_once(')').unwrap().0;
        let bytes = BASE64_STANDARD.decode(coded).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        (pixels, reader.info().width as usize)
    }

    #[test]
    fn every_garment_is_in_its_cell() {
        for count in [1, 39, 40, 41, 95] {
            let garments: Vec<Vec<u8>> = (0..count)
                .map(|i| (0..28 * 28).map(|p| (p * 7 + i * 31) as u8).collect())
                .collect();
            let mut sheet = Sheet::default();
            for (i, garment) in garments.iter().enumerate() {
                assert_eq!(sheet.add(garment), i);
            }
            let css = sheet.css().unwrap();
            let (pixels, width) = decoded(&css);
            assert_eq!(width, 28 * count.min(COLUMNS));
            assert!(css.starts_with(&format!(".i{{--w:{};", width / 28)));
            for (cell, garment) in garments.iter().enumerate() {
                let (left, top) = (cell % COLUMNS * 28, cell / COLUMNS * 28);
                for (p, &pixel) in garment.iter().enumerate() {
                    let shown = pixels[(top + p / 28) * width + left + p % 28];
                    assert!(shown.abs_diff(255 - pixel) <= 2, "{shown} for {pixel}");
                }
            }
        }
        let colour: Vec<u8> = (0..16 * 16 * 3).map(|level| level as u8).collect();
        let mut sheet = Sheet::default();
        sheet.add(&colour);
        let (pixels, width) = decoded(&sheet.css().unwrap());
        assert_eq!((width, pixels.len()), (16, colour.len()));
        assert!(pixels.iter().zip(&colour).all(|(shown, level)| shown.abs_diff(*level) <= 2));
        assert_eq!(Sheet::default().css().unwrap(), "");
        assert_eq!([0, 1, 127, 128, 254, 255].map(coarse), [0, 0, 125, 130, 255, 255]);
    }
}
