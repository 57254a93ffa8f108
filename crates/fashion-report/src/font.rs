//! The one typeface of all figures: measuring, shortening and painting text without system fonts.
//!
//! The PNG is painted from the OpenType files, and the report embeds their web form. A lone SVG names
//! the family and falls back to the reader's sans-serif.

use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, PxScale, ScaleFont as _};
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// Inter in its regular and semi-bold weights, subsets; see `fonts/README.md`.
const REGULAR: &[u8] = include_bytes!("../fonts/Inter-Regular.subset.otf");
const SEMIBOLD: &[u8] = include_bytes!("../fonts/Inter-SemiBold.subset.otf");
/// The same as WOFF2.
const WEB_REGULAR: &[u8] = include_bytes!("../fonts/Inter-Regular.subset.woff2");
const WEB_SEMIBOLD: &[u8] = include_bytes!("../fonts/Inter-SemiBold.subset.woff2");
/// The CSS font list of figures and report.
pub(crate) const FAMILY: &str = "Inter, 'Helvetica Neue', Arial, sans-serif";

/// The rules by which the page has the typeface inside.
pub(crate) fn css() -> String {
    [(400, WEB_REGULAR), (600, WEB_SEMIBOLD)]
        .map(|(weight, bytes)| {
            let data = BASE64_STANDARD.encode(bytes);
            format!(
                "@font-face{{font-family:Inter;font-weight:{weight};\
                 src:url(data:font/woff2;base64,{data})}}\n"
            )
        })
        .concat()
}

static FONTS: LazyLock<[FontRef<'static>; 2]> = LazyLock::new(|| {
    [REGULAR, SEMIBOLD]
        .map(|bytes| FontRef::try_from_slice(bytes).expect("the shipped font parses"))
});

/// How heavy a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    SemiBold,
}

fn font(weight: Weight) -> &'static FontRef<'static> {
    &FONTS[usize::from(weight == Weight::SemiBold)]
}

/// The scale of `ab_glyph` (ascent to descent) for a font size in pixels per em, as CSS counts it.
fn scale(weight: Weight, size: f64) -> PxScale {
    let font = font(weight);
    let em = font.units_per_em().expect("the shipped font states its units per em");
    PxScale::from(size as f32 * font.height_unscaled() / em)
}

/// Width in pixels of a line of text set at `size` pixels per em.
pub(crate) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let font = font(weight).as_scaled(scale(weight, size));
    text.chars().map(|c| f64::from(font.h_advance(font.glyph_id(c)))).sum()
}

/// The text, cut and ended by `…` if it is wider than `room` pixels.
pub(crate) fn fit(text: &str, size: f64, weight: Weight, room: f64) -> String {
    if width(text, size, weight) <= room {
        return text.to_owned();
    }
    let room = room - width("…", size, weight);
    let font = font(weight).as_scaled(scale(weight, size));
    let mut used = 0.0;
    let mut out = String::new();
    for c in text.chars() {
        used += f64::from(font.h_advance(font.glyph_id(c)));
        if used > room {
            break;
        }
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// The text on at most `lines` lines of `room` pixels, broken after spaces, slashes and hyphens;
/// what still does not fit is shortened.
pub(crate) fn wrap(text: &str, size: f64, weight: Weight, room: f64, lines: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut line = String::new();
    for piece in text.split_inclusive([' ', '/', '-']) {
        let longer = format!("{line}{piece}");
        let full = !line.is_empty() && width(longer.trim_end(), size, weight) > room;
        if full && out.len() + 1 < lines {
            out.push(std::mem::replace(&mut line, piece.to_owned()));
        } else {
            line = longer;
        }
    }
    out.push(line);
    out.iter().map(|line| fit(line.trim_end(), size, weight, room)).collect()
}

/// Whether the font has all of a text's letters; a PNG shows boxes for those that it has not.
pub(crate) fn has_letters(text: &str) -> bool {
    let font = font(Weight::Regular);
    text.chars().all(|c| c.is_control() || font.glyph_id(c).0 != 0)
}

/// Paints text: calls `dot(x, y, coverage)` with coverage in `[0, 1]` for each pixel touched, with
/// the first letter's origin at `(x, baseline)`.
pub(crate) fn paint(
    text: &str,
    size: f64,
    weight: Weight,
    (x, baseline): (f64, f64),
    mut dot: impl FnMut(i64, i64, f32),
) {
    let scale = scale(weight, size);
    let font = font(weight).as_scaled(scale);
    let mut pen = x as f32;
    for c in text.chars() {
        let id = font.glyph_id(c);
        let glyph = id.with_scale_and_position(scale, ab_glyph::point(pen, baseline as f32));
        if let Some(outline) = font.outline_glyph(glyph) {
            let bounds = outline.px_bounds();
            outline.draw(|dx, dy, coverage| {
                dot(
                    bounds.min.x as i64 + i64::from(dx),
                    bounds.min.y as i64 + i64::from(dy),
                    coverage,
                );
            });
        }
        pen += font.h_advance(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_form_unpacks_to_a_font_of_the_same_size() {
        for (font, packed) in [(REGULAR, WEB_REGULAR), (SEMIBOLD, WEB_SEMIBOLD)] {
            // The header of WOFF 2.0, section 4: signature, flavor, length, totalSfntSize.
            let number = |at| u32::from_be_bytes(packed[at..at + 4].try_into().unwrap()) as usize;
            assert_eq!((&packed[..4], &packed[4..8]), (&b"wOF2"[..], &font[..4]));
            assert_eq!((number(8), number(16)), (packed.len(), font.len()));
        }
    }

    #[test]
    fn widths_are_those_of_the_font() {
        // Units per em 2816; advances of "A" and "i" as fonttools prints them from the subset.
        assert!((width("A", 28.16, Weight::Regular) - ADVANCE_A / 100.0).abs() < 1e-3);
        assert!(width("AA", 10.0, Weight::SemiBold) > width("AA", 10.0, Weight::Regular));
    }
    const ADVANCE_A: f64 = 1904.0;

    #[test]
    fn painted_text_is_as_wide_and_high_as_the_font_says() {
        let text = "HAND IN HAND";
        let (mut left, mut right, mut top, mut bottom) = (i64::MAX, i64::MIN, i64::MAX, i64::MIN);
        let mut ink = 0.0;
        paint(text, 100.0, Weight::Regular, (20.0, 300.0), |x, y, coverage| {
            if coverage > 0.5 {
                (left, right) = (left.min(x), right.max(x));
                (top, bottom) = (top.min(y), bottom.max(y));
            }
            ink += coverage;
        });
        // The side bearings of H and D are 0.10 and 0.06 em, the height of capitals 2048/2816 em.
        let width = width(text, 100.0, Weight::Regular);
        assert!((left - 30).abs() <= 2, "{left}");
        assert!((right as f64 - (20.0 + width - 6.0)).abs() <= 3.0, "{right} of {width}");
        assert!((top - (300 - 73)).abs() <= 1 && (bottom - 299).abs() <= 1, "{top} {bottom}");
        assert!(ink > 0.1 * 100.0 * 73.0 * 10.0, "{ink}");
    }

    #[test]
    fn long_text_is_cut_to_the_room() {
        let text = "an exceedingly long name of a class";
        let short = fit(text, 12.0, Weight::Regular, 80.0);
        assert!(short.ends_with('…') && short.len() > 6);
        assert!(width(&short, 12.0, Weight::Regular) <= 80.0);
        assert_eq!(fit("Coat", 12.0, Weight::Regular, 80.0), "Coat");
        assert_eq!(fit("Coat", 12.0, Weight::Regular, 0.0), "…");
    }

    #[test]
    fn names_break_where_they_may() {
        let lines = |text| wrap(text, 12.0, Weight::Regular, 56.0, 2);
        assert_eq!(lines("Ankle boot"), ["Ankle", "boot"]);
        assert_eq!(lines("T-shirt/top"), ["T-shirt/", "top"]);
        assert_eq!(lines("Bag"), ["Bag"]);
        assert_eq!(lines(""), [""]);
        let long = lines("Incomprehensibilities of the third kind");
        assert_eq!(long.len(), 2);
        assert!(long.iter().all(|l| width(l, 12.0, Weight::Regular) <= 56.0), "{long:?}");
    }
}
