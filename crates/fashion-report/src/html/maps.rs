//! The occlusion maps of the items, small, in one picture beside the [sheet](super::sheet): each has the
//! cell of its item.
//!
//! A map is smooth, so that ten values in a row, of fifteen kinds, are enough for the browser to draw it over
//! its item.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::sheet::COLUMNS;
use crate::{Error, Item, encode, occlusion};

/// Values of a map in a row, and rows.
const SIDE: usize = 10;
/// Steps from nothing to the strongest colour.
const STEPS: usize = 7;

/// The rule that every element of the class `m` is a part of the maps; nothing where there are none.
pub(super) fn css(items: &[&Item<'_>]) -> Result<Option<String>, Error> {
    if items.iter().all(|item| item.map.is_empty()) {
        return Ok(None);
    }
    let columns = items.len().min(COLUMNS);
    let (width, height) = (columns * SIDE, items.len().div_ceil(COLUMNS) * SIDE);
    let mut levels = vec![STEPS as u8; width * height];
    for (cell, item) in items.iter().enumerate() {
        let corner = (cell / COLUMNS * width + cell % COLUMNS) * SIDE;
        for (at, level) in small(&item.map).enumerate() {
            levels[corner + at / SIDE * width + at % SIDE] = level;
        }
    }
    let palette =
        (0..=2 * STEPS).flat_map(|level| occlusion::tint(level as f32 / STEPS as f32 - 1.0));
    let png = encode::indexed_png(&levels, width, &palette.collect::<Vec<u8>>())?;
    let data = BASE64_STANDARD.encode(png);
    Ok(Some(format!(".m{{--w:{columns};background-image:url(data:image/png;base64,{data})}}\n")))
}

/// A map's values at evenly spread places, as indices of the palette.
fn small(map: &[f32]) -> impl Iterator<Item = u8> + '_ {
    let side = map.len().isqrt();
    let place = move |at: usize| (at * side.saturating_sub(1) + (SIDE - 1) / 2) / (SIDE - 1);
    let strengths: Vec<f32> = occlusion::strengths(map).collect();
    let places = (0..SIDE * SIDE).map(move |at| place(at / SIDE) * side + place(at % SIDE));
    let level = |strength: f32| ((strength + 1.0) * STEPS as f32).round() as u8;
    places.map_while(move |at| strengths.get(at).map(|&strength| level(strength)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fashion_eval::JudgedItem;

    #[test]
    fn each_map_is_in_the_cell_of_its_item() {
        let judged =
            JudgedItem { index: 0, label: 0, predicted: 1, confidence: 1.0, probabilities: vec![] };
        let item =
            |map: Vec<f32>| Item { judged: judged.clone(), pixels: &[], map, neighbours: vec![] };
        // For it in the upper left corner, against it in the lower right one.
        let mut map = vec![0.0; 28 * 28];
        (map[0], map[1], map[28 * 28 - 1]) = (0.5, 0.5, -0.25);
        let mut items = vec![item(Vec::new()); 42];
        assert_eq!(css(&items.iter().collect::<Vec<_>>()).unwrap(), None);
        items[41].map = map;
        let css = css(&items.iter().collect::<Vec<_>>()).unwrap().unwrap();
        assert!(css.starts_with(".m{--w:40;"));
        let coded = css.split_once("base64,").unwrap().1.split_once(')').unwrap().0;
        let bytes = BASE64_STANDARD.decode(coded).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(reader.info().size(), (400, 20));
        let expected = |x, y| match (x, y) {
            (10, 10) => occlusion::tint(1.0),
            // -3.5 of 7 steps, rounded away from the strongest.
            (19, 19) => occlusion::tint(-3.0 / 7.0),
            _ => [255; 3],
        };
        for (at, pixel) in pixels.chunks_exact(3).enumerate() {
            assert_eq!(pixel, expected(at % 400, at / 400), "{at}");
        }
    }
}
