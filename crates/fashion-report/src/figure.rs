//! From a drawing to SVG text and PNG bytes, and onto the disk.

use std::fs;
use std::path::Path;

use maud::{Markup, PreEscaped, html};
use plotters::prelude::{BitMapBackend, SVGBackend};

use crate::canvas::{Anchor, Canvas, Overlay, UNITS};
use crate::font::Weight;
use crate::{Error, encode, font, format, palette};

/// PNG pixels in one CSS pixel, so that figures are crisp on dense screens.
const DENSITY: f64 = 2.0;
/// plotters' units in one PNG pixel, each way: averaging them smooths every edge.
const SAMPLES: usize = 2;

/// The grey level of the ground.
const PAPER: u8 = 255;

/// A finished figure in both formats. The same input gives the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// A whole SVG document. Its size is in CSS pixels, its text is text, its garments are embedded
    /// PNGs.
    pub svg: String,
    /// A PNG of the same drawing with two pixels for each CSS pixel, 8-bit RGB.
    pub png: Vec<u8>,
}

impl Figure {
    pub(crate) fn of(canvas: &Canvas) -> Result<Self, Error> {
        Ok(Self { svg: svg(canvas)?, png: png(canvas)? })
    }

    /// Writes `<name>.svg` and `<name>.png` into `folder`, which is created if it is missing.
    ///
    /// Both files are written whole under another name and then renamed, so that nobody ever sees
    /// half a file; existing ones are replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] if `name` has anything but ASCII letters, digits, `-` and `_`;
    /// [`Error::Write`] if the system refuses, in which case no partial file is left behind.
    pub fn write(&self, folder: &Path, name: &str) -> Result<(), Error> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(Error::Name { name: name.to_owned() });
        }
        fs::create_dir_all(folder)
            .map_err(|source| Error::Write { path: folder.into(), source })?;
        let files = [("svg", self.svg.as_bytes()), ("png", &self.png)];
        let whole = |extension: &str| folder.join(format!("{name}.{extension}"));
        let part = |extension: &str| folder.join(format!(".{name}.{extension}.part"));
        let written = files.iter().try_for_each(|(extension, bytes)| {
            let path = part(extension);
            fs::write(&path, bytes).map_err(|source| Error::Write { path, source })
        });
        let renamed = written.and_then(|()| {
            files.iter().try_for_each(|(extension, _)| {
                let path = whole(extension);
                fs::rename(part(extension), &path).map_err(|source| Error::Write { path, source })
            })
        });
        if renamed.is_err() {
            for (extension, _) in files {
                // The first error is the one to report; a part that never came to be is no second
                // one.
                let _ = fs::remove_file(part(extension));
            }
        }
        renamed
    }
}

/// The drawing as an SVG document.
pub(crate) fn svg(canvas: &Canvas) -> Result<String, Error> {
    let (w, h) = canvas.size;
    let mut shapes = String::new();
    canvas.paint(SVGBackend::with_string(&mut shapes, canvas.units()), Some(palette::PAPER))?;
    let document = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(w) height=(h) viewBox={ "0 0 " (w) " " (h) }
            role="img" aria-label=(canvas.name) font-family=(font::FAMILY) {
            "\n"
            // What plotters draws is a document of its own, in units.
            g transform={ "scale(" (1.0 / UNITS) ")" } stroke-linejoin="round" stroke-linecap="round" {
                "\n" (PreEscaped(shapes))
            }
            "\n"
            @for item in &canvas.overlay { (overlay_svg(item)?) "\n" }
        }
        "\n"
    };
    Ok(format::printable(&document.into_string()))
}

/// At most two decimals, without trailing zeros.
fn short(v: f64) -> f64 {
    (v * 100.0).round() / 100.0
}

fn overlay_svg(item: &Overlay) -> Result<Markup, Error> {
    Ok(match item {
        Overlay::Text { x, y, style, text } => {
            let anchor = match style.anchor {
                Anchor::Start => None,
                Anchor::Middle => Some("middle"),
                Anchor::End => Some("end"),
            };
            let weight = (style.weight == Weight::SemiBold).then_some("600");
            html! {
                text x=(short(*x)) y=(short(*y)) font-size=(short(style.size)) text-anchor=[anchor]
                    font-weight=[weight] fill=(style.colour.hex()) { (text) }
            }
        }
        Overlay::Garment { x, y, side, pixels } => html! {
            image x=(short(*x)) y=(short(*y)) width=(side) height=(side)
                style="image-rendering:pixelated" href=(encode::garment_uri(pixels)?) {}
        },
    })
}

/// An RGB picture under construction.
struct Raster {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

/// The drawing as PNG bytes.
fn png(canvas: &Canvas) -> Result<Vec<u8>, Error> {
    let (fine_w, fine_h) = canvas.units();
    let mut fine = vec![PAPER; fine_w as usize * fine_h as usize * 3];
    canvas.paint(BitMapBackend::with_buffer(&mut fine, (fine_w, fine_h)), None)?;
    let mut raster = Raster::averaged(&fine, fine_w as usize, fine_h as usize);
    drop(fine);
    for item in &canvas.overlay {
        raster.overlay(item);
    }
    let (width, height) = (raster.width as u32, raster.height as u32);
    encode::png(&raster.rgb, width, height, png::ColorType::Rgb, png::Compression::Balanced)
}

/// Bytes of a span of 64 pixels.
const SPAN: usize = 64 * 3;

/// A span of the fine picture with nothing on it.
const EMPTY: [u8; SPAN * SAMPLES] = [PAPER; SPAN * SAMPLES];

/// The means of each square of 2 × 2 pixels of two rows. Bare indices, which are quick enough where
/// this crate is not optimised.
fn average(upper: &[u8], lower: &[u8], rgb: &mut [u8]) {
    let mut x = 0;
    while x < rgb.len() {
        let mut left = 2 * x;
        while left < 2 * x + 3 {
            let right = left + 3;
            let sum = u16::from(upper[left])
                + u16::from(upper[right])
                + u16::from(lower[left])
                + u16::from(lower[right]);
            rgb[left - x] = ((sum + 2) / 4) as u8;
            left += 1;
        }
        x += 3;
    }
}

impl Raster {
    /// Takes the mean of each square of [`SAMPLES`]² = 4 pixels.
    fn averaged(fine: &[u8], fine_w: usize, fine_h: usize) -> Self {
        const { assert!(SAMPLES == 2, "`average` is for two by two") };
        let (width, height) = (fine_w / SAMPLES, fine_h / SAMPLES);
        let mut rgb = vec![PAPER; width * height * 3];
        for (rows, rgb) in
            fine.chunks_exact(SAMPLES * fine_w * 3).zip(rgb.chunks_exact_mut(width * 3))
        {
            let (upper, lower) = rows.split_at(fine_w * 3);
            for ((upper, lower), rgb) in upper
                .chunks(SPAN * SAMPLES)
                .zip(lower.chunks(SPAN * SAMPLES))
                .zip(rgb.chunks_mut(SPAN))
            {
                // Most of a figure is paper.
                if upper != &EMPTY[..upper.len()] || upper != lower {
                    average(upper, lower, rgb);
                }
            }
        }
        Self { width, height, rgb }
    }

    fn pixel(&mut self, x: i64, y: i64) -> Option<&mut [u8]> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        let start = (x < self.width && y < self.height).then(|| (y * self.width + x) * 3)?;
        self.rgb.get_mut(start..start + 3)
    }

    fn overlay(&mut self, item: &Overlay) {
        match item {
            Overlay::Text { x, y, style, text } => {
                let width = style.width(text);
                let left = match style.anchor {
                    Anchor::Start => *x,
                    Anchor::Middle => x - width / 2.0,
                    Anchor::End => x - width,
                };
                let (at, ink) = ((left * DENSITY, y * DENSITY), style.colour.rgb());
                font::paint(text, style.size * DENSITY, style.weight, at, |x, y, coverage| {
                    if let Some(pixel) = self.pixel(x, y) {
                        for (under, over) in pixel.iter_mut().zip(ink) {
                            let (u, o) = (f32::from(*under), f32::from(over));
                            *under = (u + (o - u) * coverage).round() as u8;
                        }
                    }
                });
            }
            Overlay::Garment { x, y, side, pixels } => {
                let (x, y) = ((x * DENSITY).round() as i64, (y * DENSITY).round() as i64);
                let side = (side * DENSITY).round() as usize;
                let (own, channels) = encode::shape(pixels.len()).unwrap_or((0, 1));
                for dy in 0..side {
                    for dx in 0..side {
                        let at = (dy * own / side) * own + dx * own / side;
                        let levels = pixels[at * channels..][..channels].iter().cycle();
                        if let Some(pixel) = self.pixel(x + dx as i64, y + dy as i64) {
                            for (shown, &level) in pixel.iter_mut().zip(levels) {
                                *shown = encode::shown(level, channels);
                            }
                        }
                    }
                }
            }
        }
    }
}
