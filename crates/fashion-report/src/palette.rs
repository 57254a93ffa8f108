//! Every colour of the figures and the report, each as a pair for light and dark surroundings.
//!
//! Figures are drawn in the light colours. The report's style sheet swaps each of them for its dark
//! partner where the reader prefers a dark page, which is why no two colours may share a light
//! value. Blue means right or held out, orange means wrong: this pair stays apart for all common
//! forms of colour blindness, and both hold a contrast of at least 4.5 : 1 with the page (WCAG 2
//! AA).

use std::fmt::Write as _;

/// A colour in light surroundings and its partner in dark ones, as sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour {
    pub(crate) light: u32,
    pub(crate) dark: u32,
}

const fn pair(light: u32, dark: u32) -> Colour {
    Colour { light, dark }
}

impl Colour {
    /// Red, green, blue of the light value.
    pub(crate) fn rgb(self) -> [u8; 3] {
        let [_, r, g, b] = self.light.to_be_bytes();
        [r, g, b]
    }

    /// `#RRGGBB` of the light value, in capitals as plotters writes it.
    pub(crate) fn hex(self) -> String {
        format!("#{:06X}", self.light)
    }
}

pub(crate) const PAPER: Colour = pair(0xFFFFFF, 0x14171A);
pub(crate) const INK: Colour = pair(0x1B1F24, 0xE6E8EB);
/// Second-rank text: tick labels, notes.
pub(crate) const MUTED: Colour = pair(0x5C6570, 0xA2A9B2);
/// Axis lines and ticks.
pub(crate) const AXIS: Colour = pair(0xAEB5BD, 0x515A64);
/// Grid lines, empty tracks, frames of pictures.
pub(crate) const GRID: Colour = pair(0xE6E9ED, 0x282E34);
/// The training series: there to compare with, so it stays quiet.
pub(crate) const TRAIN: Colour = pair(0x87909A, 0x7D8691);
/// Right, true, held out.
pub(crate) const BLUE: Colour = pair(0x0B62A8, 0x6FB3EC);
/// Wrong, predicted instead.
pub(crate) const ORANGE: Colour = pair(0xB3480B, 0xF2995A);

/// Number of steps in each ramp.
pub(crate) const STEPS: usize = 9;
/// Light to dark blue (and the other way round on a dark page), for correct shares.
pub(crate) const BLUES: [Colour; STEPS] = [
    pair(0xF4F7FB, 0x1A1F24),
    pair(0xE2EEFB, 0x1B2835),
    pair(0xCCE2FA, 0x1E3246),
    pair(0xB2D3F6, 0x223E5A),
    pair(0x92C1F1, 0x254A6E),
    pair(0x73ADE7, 0x2A5885),
    pair(0x2873B8, 0x5194D5),
    pair(0x105D9D, 0x70ADEA),
    pair(0x01477D, 0x94C6F9),
];
/// The same for wrong shares, in orange.
pub(crate) const ORANGES: [Colour; STEPS] = [
    pair(0xFAF6F3, 0x231D19),
    pair(0xFFECE1, 0x322219),
    pair(0xFEDDCA, 0x422A1A),
    pair(0xFCCAAC, 0x54321D),
    pair(0xF8B287, 0x673B1E),
    pair(0xF0965E, 0x7C4521),
    pair(0xB65801, 0xD47636),
    pair(0x974600, 0xE9935D),
    pair(0x773500, 0xF8B288),
];
/// Blue over magenta and red to olive, for lines in the order of a value. Steps are equally far apart
/// (Oklab), and lightness grows from 0.36 to 0.66, on a dark page from 0.55 to 0.91, so that the
/// order shows without colour vision too. All stay at 3 : 1 or more with the page.
pub(crate) const SEQUENCE: [Colour; 17] = [
    pair(0x013688, 0x3669D9),
    pair(0x0027A7, 0x5C68E0),
    pair(0x281BB4, 0x7B67E3),
    pair(0x4813B5, 0x9767E1),
    pair(0x620BB1, 0xB067DB),
    pair(0x7804A9, 0xC767D2),
    pair(0x8B039C, 0xDC69C6),
    pair(0x9D038C, 0xED6CB8),
    pair(0xAD017A, 0xFC70A9),
    pair(0xBD0166, 0xFF7C9E),
    pair(0xCB034D, 0xFE8995),
    pair(0xD70F2C, 0xFF958F),
    pair(0xD63401, 0xFEA38C),
    pair(0xCB5202, 0xFEB28A),
    pair(0xC36806, 0xFEC38A),
    pair(0xBC7A00, 0xFFD287),
    pair(0xB48C05, 0xFFDF7C),
];

/// The sequence's colour for line `i` of `n` lines, spread over all of it.
pub(crate) fn sequence(i: usize, n: usize) -> Colour {
    let last = SEQUENCE.len() - 1;
    let of = n.saturating_sub(1).max(1);
    SEQUENCE[((i * last + of / 2) / of).min(last)]
}

/// Upper bounds of the ramps' steps 1 to 7; step 0 is an exact zero, step 8 lies above the last.
/// They grow about geometrically because the errors of a good classifier are a few per cent each.
pub(crate) const BOUNDS: [f64; STEPS - 2] = [0.01, 0.02, 0.05, 0.10, 0.20, 0.50, 0.90];

/// The ramps' step for a share in `[0, 1]`; what is no number counts as zero.
pub(crate) fn step(share: f64) -> usize {
    if share > 0.0 { 1 + BOUNDS.iter().filter(|&&bound| share >= bound).count() } else { 0 }
}

/// Text colour that is legible on a step of either ramp, in both surroundings.
pub(crate) fn text_on(step: usize) -> Colour {
    if step < 6 { INK } else { PAPER }
}

const NAMED: [(&str, Colour); 8] = [
    ("paper", PAPER),
    ("ink", INK),
    ("muted", MUTED),
    ("axis", AXIS),
    ("grid", GRID),
    ("train", TRAIN),
    ("blue", BLUE),
    ("orange", ORANGE),
];

fn all() -> impl Iterator<Item = Colour> {
    NAMED.into_iter().map(|(_, colour)| colour).chain(BLUES).chain(ORANGES).chain(SEQUENCE)
}

/// The palette as CSS: custom properties, ramp classes `b0`–`b8` and `o0`–`o8`, and the rules that
/// recolour inline figures on a dark page. Print is always light.
pub(crate) fn css() -> String {
    let variables = |dark: bool| {
        let value = |c: Colour| if dark { c.dark } else { c.light };
        let mut out = String::new();
        for (name, colour) in NAMED {
            let _ = write!(out, "--{name}:#{:06X};", value(colour));
        }
        for (ramp, colours) in [("b", BLUES), ("o", ORANGES)] {
            for (i, colour) in colours.into_iter().enumerate() {
                let _ = write!(out, "--{ramp}{i}:#{:06X};", value(colour));
            }
        }
        out
    };
    let mut out = format!(":root{{{}}}\n", variables(false));
    for ramp in ["b", "o"] {
        for i in 0..STEPS {
            let text = if text_on(i) == INK { "ink" } else { "paper" };
            let _ = writeln!(out, ".{ramp}{i}{{background:var(--{ramp}{i});color:var(--{text})}}");
        }
    }
    let _ = writeln!(out, "@media screen and (prefers-color-scheme:dark){{");
    let _ = writeln!(out, ":root{{{}}}", variables(true));
    for colour in all() {
        let (light, dark) = (colour.hex(), colour.dark);
        let _ = writeln!(
            out,
            "svg [fill=\"{light}\"]{{fill:#{dark:06X}}}svg \
             [stroke=\"{light}\"]{{stroke:#{dark:06X}}}"
        );
    }
    out.push_str("}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast ratio of two sRGB colours, WCAG 2.2 "relative luminance" and "contrast ratio".
    fn contrast(a: u32, b: u32) -> f64 {
        let luminance = |c: u32| {
            let [_, r, g, b] = c.to_be_bytes();
            let linear = |v: u8| {
                let v = f64::from(v) / 255.0;
                if v <= 0.04045 { v / 12.92 } else { libm::pow((v + 0.055) / 1.055, 2.4) }
            };
            0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
        };
        let (x, y) = (luminance(a), luminance(b));
        (x.max(y) + 0.05) / (x.min(y) + 0.05)
    }

    #[test]
    fn text_is_legible_everywhere() {
        for ramp in [BLUES, ORANGES] {
            for (i, cell) in ramp.into_iter().enumerate() {
                let text = text_on(i);
                assert!(contrast(cell.light, text.light) >= 4.5, "step {i}, light");
                assert!(contrast(cell.dark, text.dark) >= 4.5, "step {i}, dark");
            }
        }
        for text in [INK, MUTED, BLUE, ORANGE] {
            assert!(contrast(text.light, PAPER.light) >= 4.5, "{text:?}");
            assert!(contrast(text.dark, PAPER.dark) >= 4.5, "{text:?}");
        }
        // Graphics need 3 : 1.
        assert!(contrast(TRAIN.light, PAPER.light) >= 3.0);
        assert!(contrast(TRAIN.dark, PAPER.dark) >= 3.0);
    }

    #[test]
    fn lines_in_sequence_are_told_apart() {
        for pair in SEQUENCE.windows(2) {
            // Evenly lighter, so that the order survives any colour blindness; the darkest two differ
            // in hue.
            let lighter = |a: u32, b: u32| contrast(b, 0) / contrast(a, 0);
            assert!((0.95..1.2).contains(&lighter(pair[0].light, pair[1].light)), "{pair:?}");
            assert!((1.04..1.2).contains(&lighter(pair[0].dark, pair[1].dark)), "{pair:?}");
        }
        for colour in SEQUENCE {
            assert!(contrast(colour.light, PAPER.light) >= 3.0, "{colour:?}");
            assert!(contrast(colour.dark, PAPER.dark) >= 3.0, "{colour:?}");
        }
        for n in 2..=SEQUENCE.len() {
            let mut colours: Vec<u32> = (0..n).map(|i| sequence(i, n).light).collect();
            assert_eq!(
                (colours[0], colours[n - 1]),
                (SEQUENCE[0].light, SEQUENCE[16].light),
                "{n}"
            );
            colours.dedup();
            assert_eq!(colours.len(), n);
        }
        assert_eq!(sequence(0, 1), SEQUENCE[0]);
    }

    #[test]
    fn no_two_colours_share_a_light_value() {
        let mut light: Vec<u32> = all().map(|c| c.light).collect();
        let n = light.len();
        light.sort_unstable();
        light.dedup();
        assert_eq!(light.len(), n, "the dark page could not tell them apart");
    }

    #[test]
    fn steps_follow_the_bounds() {
        assert_eq!([0.0, -1.0, f64::NAN].map(step), [0, 0, 0]);
        assert_eq!(
            [0.0001, 0.01, 0.02, 0.049, 0.05, 0.5, 0.89, 0.9].map(step),
            [1, 2, 3, 3, 4, 7, 7, 8]
        );
        assert_eq!([1.0, f64::INFINITY].map(step), [8, 8]);
    }
}
