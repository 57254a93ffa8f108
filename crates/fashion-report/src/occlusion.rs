//! Which parts of a picture speak for the class that it was taken for.

use crate::canvas::{Canvas, Style};
use crate::layout::{BODY, MARGIN, SMALL, TITLE, TOP};
use crate::palette::{BLUE, Colour, INK, MUTED, ORANGE};
use crate::{Error, Figure, encode, format};

/// The least that the strongest colour stands for: what is less is hardly seen, and hardly matters.
const LEAST: f32 = 0.1;

/// A picture and what its class loses where it is covered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Occluded<'a> {
    /// The class that it was taken for.
    pub class: &'a str,
    /// Its probability.
    pub probability: f64,
    /// The picture, row by row (see [`MAX_SIDE`](crate::MAX_SIDE)).
    pub pixels: &'a [u8],
    /// What of the probability is lost where the picture is covered, row by row, from −1 to 1.
    pub map: &'a [f32],
}

/// Draws the picture, a grey one negated, and beside it the map over it: orange where covering takes from the
/// probability, which speaks for the class, blue where it adds to it. `name` says which picture it is.
///
/// # Errors
///
/// [`Error::PixelCount`] if the picture is not square, [`Error::Map`] if the map has not a value for
/// each pixel.
///
/// ```
/// use fashion_report::{Occluded, occlusion};
///
/// let (pixels, mut map) = ([200; 28 * 28], [0.0; 28 * 28]);
/// map[14 * 28 + 14] = 0.4;
/// let bag = Occluded { class: "Bag", probability: 0.9, pixels: &pixels, map: &map };
/// let figure = occlusion::draw(&bag, "bag.png")?;
/// assert!(figure.svg.contains("Bag, 90.0%") && figure.svg.contains("40 points"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(occluded: &Occluded<'_>, name: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(occluded, name)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing(occluded: &Occluded<'_>, name: &str) -> Result<Canvas, Error> {
    let Occluded { class, probability, pixels, map } = *occluded;
    check(pixels, map, || name.to_owned())?;
    let (width, height) = (2.0 * (MARGIN + TILE) + GAP, TOP + TILE + LEGEND);
    let title = format!("{class}, {}", format::percent(probability, 1));
    let mut canvas = Canvas::new((width, height), format!("{name}: why {title}"));
    let room = width - 2.0 * MARGIN;
    let (head, note) = (Style::new(TITLE, INK).bold(), Style::new(BODY, MUTED));
    canvas.text(MARGIN, 38.0, head, head.fit(&title, room));
    canvas.text(MARGIN, 60.0, note, note.fit(name, room));
    let right = MARGIN + TILE + GAP;
    canvas.garment(MARGIN, TOP, TILE, pixels);
    canvas.garment(right, TOP, TILE, &tinted(pixels, map));

    let y = TOP + TILE + 22.0;
    let small = Style::new(SMALL, INK);
    let grey = encode::shape(pixels.len()).is_some_and(|(_, channels)| channels == 1);
    let how = if grey { ", dark on white" } else { "" };
    canvas.text(MARGIN, y, small, format!("As the network saw it{how}"));
    let [against, fits] =
        [-1.0, 1.0].map(|sign| map.iter().map(|value| sign * value).fold(0.0, f32::max));
    let lines = [
        (ORANGE, "For it: ", "covered, it loses up to", fits),
        (BLUE, "Against it: ", "covered, it gains up to", against),
    ];
    let said = lines.into_iter().filter(|(.., value)| *value >= 0.005);
    for (line, (colour, word, what, value)) in said.enumerate() {
        let y = y + 18.0 * line as f64;
        let bold = Style::new(SMALL, colour).bold();
        canvas.text(right, y, bold, word);
        let what = format!("{what} {:.0} points", 100.0 * value);
        canvas.text(right + bold.width(word), y, small, what);
    }
    Ok(canvas)
}

const TILE: f64 = 280.0;
const GAP: f64 = 24.0;
const LEGEND: f64 = 60.0;

/// Checks that a picture is square and that its map has a value for each pixel.
pub(crate) fn check(pixels: &[u8], map: &[f32], item: impl Fn() -> String) -> Result<(), Error> {
    encode::check_pixels(pixels, &item)?;
    let side = encode::shape(pixels.len()).map_or(0, |(side, _)| side);
    match map.len() == side * side {
        true => Ok(()),
        false => Err(Error::Map { item: item(), found: map.len(), expected: side * side }),
    }
}

/// The values of a map as shares of the strongest colour, from −1 to 1; 0 for what is no number.
pub(crate) fn strengths(map: &[f32]) -> impl Iterator<Item = f32> + '_ {
    let largest = map.iter().fold(LEAST, |largest, value| largest.max(value.abs()));
    map.iter().map(move |value| if value.is_finite() { value / largest } else { 0.0 })
}

/// Red, green and blue of a strength on white.
pub(crate) fn tint(strength: f32) -> [u8; 3] {
    let colour: Colour = if strength < 0.0 { BLUE } else { ORANGE };
    let share = strength.abs().min(1.0);
    colour.rgb().map(|level| (255.0 - share * (255.0 - f32::from(level))).round() as u8)
}

/// The picture in pale grey, with the map over it.
fn tinted(pixels: &[u8], map: &[f32]) -> Vec<u8> {
    /// What is left of the contrast.
    const PALE: f32 = 0.35;
    let channels = pixels.len() / map.len().max(1);
    let grey = |pixel: &[u8]| {
        let sum: f32 = pixel.iter().map(|&level| f32::from(encode::shown(level, channels))).sum();
        255.0 - PALE * (255.0 - sum / channels as f32)
    };
    let over = |(pixel, strength)| {
        let grey = grey(pixel);
        tint(strength).map(|level| (f32::from(level) * grey / 255.0).round() as u8)
    };
    pixels.chunks_exact(channels).zip(strengths(map)).flat_map(over).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_say_for_and_against_and_how_strongly() {
        assert_eq!([tint(0.0), tint(1.0), tint(-1.0)], [[255; 3], ORANGE.rgb(), BLUE.rgb()]);
        let map = [0.5, -0.25, 0.0, f32::NAN];
        assert_eq!(strengths(&map).collect::<Vec<_>>(), [1.0, -0.5, 0.0, 0.0]);
        // What hardly matters stays pale.
        assert!(strengths(&[0.01, 0.0]).all(|strength| strength < 0.11));
        // The ground of grey pictures is white, and their garment dark.
        let picture = [0, 255, 0, 0];
        let tinted = tinted(&picture, &[0.0, 0.0, 0.0, 1.0]);
        assert_eq!((&tinted[..3], &tinted[9..]), (&[255; 3][..], &ORANGE.rgb()[..]));
        assert!(tinted[3] < 200 && tinted[3] == tinted[5]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let occluded =
            Occluded { class: "Bag", probability: 0.5, pixels: &[0; 16], map: &[0.0; 9] };
        let error = draw(&occluded, "bag.png").unwrap_err().to_string();
        assert_eq!(error, "bag.png: a map of 9 values, expected 16, one for each pixel");
    }
}
