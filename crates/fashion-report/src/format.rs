//! Numbers as the figures and the report print them.

pub(crate) use fashion_eval::{MISSING, number, percent, thousands};

/// What [`percent`] prints with one decimal as one integer, for a script to print: per mille, with 0
/// for less than 0.1%, −1 for an exact 0 and 1001 for more than 99.9%. Nothing for what is no share.
pub(crate) fn per_mille(share: f64) -> Option<i32> {
    if !(0.0..=1.0).contains(&share) {
        return None;
    }
    match percent(share, 1).as_str() {
        "0%" => Some(-1),
        "100%" => Some(1000),
        "<0.1%" => Some(0),
        ">99.9%" => Some(1001),
        text => text.replace(['.', '%'], "").parse().ok(),
    }
}

/// The value of a setting, such as a learning rate, as people write it: `0.001`, `1e-5`, `128`. What
/// has more than five significant digits is rounded to three.
pub(crate) fn setting(value: f64) -> String {
    if !value.is_finite() {
        return MISSING.to_owned();
    }
    let whole = value.fract() == 0.0 && value.abs() < 1e6;
    let exact = format!("{value:e}");
    let digits = exact.chars().take_while(|c| *c != 'e').filter(char::is_ascii_digit).count();
    if whole || digits <= 5 { scientific_if_far(&exact) } else { rounded(value, 3) }
}

/// As [`setting`], with so many significant digits at most.
pub(crate) fn rounded(value: f64, significant: usize) -> String {
    if !value.is_finite() {
        return MISSING.to_owned();
    }
    scientific_if_far(&format!("{value:.*e}", significant.saturating_sub(1)))
}

/// A finite number as `{:e}` writes it, in plain digits unless it is below a thousandth or from a
/// million on; without trailing zeros.
fn scientific_if_far(text: &str) -> String {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    let plain = matches!(exponent.parse(), Ok(-3..=5));
    let written = format!("{mantissa}e{exponent}");
    let written = match written.parse::<f64>() {
        // The shortest digits that give the number back are the mantissa's.
        Ok(value) if plain => format!("{value}"),
        _ => written,
    };
    written.replacen('-', "\u{2212}", usize::from(written.starts_with('-')))
}

/// A name with its first letter a capital, as the names of axes begin.
pub(crate) fn capital(name: &str) -> String {
    let mut rest = name.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// The text of a document, in which characters that neither XML nor HTML allows (control characters
/// other than tabs and line breaks) become U+FFFD.
pub(crate) fn printable(document: &str) -> String {
    let refused = |c: char| {
        c.is_control() && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{FFFE}' | '\u{FFFF}')
    };
    document.replace(refused, "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_gets_what_is_printed() {
        let shares = [0.0, 1e-9, 0.0005, 0.0123, 0.5, 0.9994, 0.99951, 1.0];
        let codes = [-1, 0, 1, 12, 500, 999, 1001, 1000];
        assert_eq!(shares.map(per_mille), codes.map(Some));
        assert_eq!([f64::NAN, -0.1, 1.1].map(per_mille), [None; 3]);
    }

    #[test]
    fn names_begin_with_a_capital() {
        assert_eq!(
            ["learning rate", "Ärmel", "", "3 × 3"].map(capital),
            ["Learning rate", "Ärmel", "", "3 × 3"]
        );
    }

    #[test]
    fn settings_are_written_as_people_write_them() {
        let values = [0.001, 0.0, 0.000_25, 1e-5, 0.1, 128.0, 1024.0, 60_000.0, 0.9995, f64::NAN];
        assert_eq!(
            values.map(setting),
            ["0.001", "0", "2.5e-4", "1e-5", "0.1", "128", "1024", "60000", "0.9995", "–"]
        );
        let values = [123_457.0, 1e6, 2.5e7, 0.000_316_227_766, 0.316_227_766, -0.5, -1e-4];
        assert_eq!(
            values.map(setting),
            ["123457", "1e6", "2.5e7", "3.16e-4", "0.316", "−0.5", "−1e-4"]
        );
        // Rounding may reach the next power of ten.
        assert_eq!(
            [0.000_999_99, 0.0012, 0.001_249, 9.99].map(|v| rounded(v, 2)),
            ["0.001", "0.0012", "0.0012", "10"]
        );
    }

    #[test]
    fn control_characters_are_harmless() {
        let text = "A\t'B'\r\n\u{0}\u{1B}\u{85}\u{FFFE}–";
        assert_eq!(printable(text), "A\t'B'\r\n\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}–");
    }
}
