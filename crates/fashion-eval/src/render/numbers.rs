//! Numbers in words for people.

use std::fmt;

/// Printed where a value is missing or no number.
pub const MISSING: &str = "–";

/// A number with `decimals` digits after the point, in scientific form if it is very large.
pub fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return MISSING.to_owned();
    }
    if value.abs() >= 1e6 {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        None => text,
        // Rounding may leave a negative zero.
        Some(size) if size.trim_matches(['0', '.']).is_empty() => size.to_owned(),
        Some(size) => format!("−{size}"),
    }
}

/// A share as a percentage, `99.0%`. Only exactly none is `0%` and only exactly all is `100%`, so that
/// rounding never claims certainty: `<0.1%`, `>99.9%`.
pub fn percent(share: f64, decimals: usize) -> String {
    let value = 100.0 * share;
    let text = number(value, decimals);
    let smallest = libm::pow(10.0, -(decimals as f64));
    if !value.is_finite() {
        text
    } else if value == 0.0 || value == 100.0 {
        format!("{value:.0}%")
    } else if value > 0.0 && text == number(0.0, decimals) {
        format!("<{smallest:.decimals$}%")
    } else if value < 100.0 && text == number(100.0, decimals) {
        format!(">{:.decimals$}%", 100.0 - smallest)
    } else {
        text + "%"
    }
}

/// A share as a percentage that lines up with others in a table, `99.00%`.
pub fn fixed_percent(share: f64, decimals: usize) -> String {
    format!("{:.decimals$}%", share * 100.0)
}

/// A whole number in groups of three digits: `12345` as `12,345`.
pub fn thousands(value: impl fmt::Display) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share that somebody chose, as a percentage with the digits it has: `99%`, `99.5%`.
pub fn exact_percent(share: f64) -> String {
    let text = format!("{:.6}", 100.0 * share);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A difference with its sign: `+0.52`, `−0.30`, `0.00`.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let size = format!("{:.decimals$}", value.abs());
    if size.trim_matches(['0', '.']).is_empty() {
        size
    } else {
        format!("{}{size}", if value < 0.0 { '−' } else { '+' })
    }
}

/// A p-value with its relation: `= 0.42`, `= 0.0031`, `< 0.0001`.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.0001 {
        "< 0.0001".to_owned()
    } else if p < 0.095 {
        format!("= {p:.4}")
    } else if p < 1.0 {
        format!("= {p:.2}")
    } else {
        "= 1".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_never_claims_certainty() {
        let shares = [0.0, 1e-9, 0.004, 0.83, 0.996, 1.0 - 1e-9, 1.0];
        let whole = shares.map(|share| percent(share, 0));
        assert_eq!(whole, ["0%", "<1%", "<1%", "83%", ">99%", ">99%", "100%"]);
        let tenths = shares.map(|share| percent(share, 1));
        assert_eq!(tenths, ["0%", "<0.1%", "0.4%", "83.0%", "99.6%", ">99.9%", "100%"]);
        let shares = [0.0, 0.0001, 0.0005, 0.912, 0.9994, 0.99951, 1.0, f64::NAN, f64::INFINITY];
        assert_eq!(
            shares.map(|share| percent(share, 1)),
            ["0%", "<0.1%", "0.1%", "91.2%", "99.9%", ">99.9%", "100%", "–", "–"]
        );
        let shares = [0.000_04, 0.000_06, 0.91234, 0.99994, 0.99996];
        assert_eq!(
            shares.map(|share| percent(share, 2)),
            ["<0.01%", "0.01%", "91.23%", "99.99%", ">99.99%"]
        );
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(0.23456, 3), "0.235");
        assert_eq!(number(-0.0001, 2), "0.00");
        assert_eq!(number(-1.5, 1), "−1.5");
        assert_eq!(number(1.0e12, 2), "1.0e12");
        assert_eq!(number(f64::NEG_INFINITY, 2), "–");
    }

    #[test]
    fn chosen_numbers_keep_their_digits() {
        assert_eq!([0.99, 0.5, 0.9995, 0.07].map(exact_percent), ["99%", "50%", "99.95%", "7%"]);
    }

    #[test]
    fn signs_and_p_values() {
        assert_eq!(
            [0.52, -0.3, 0.001, -0.001].map(|v| signed(v, 2)),
            ["+0.52", "−0.30", "0.00", "0.00"]
        );
        assert_eq!(
            [1.0, 0.423, 0.094, 0.000_31, 1e-9].map(p_value),
            ["= 1", "= 0.42", "= 0.0940", "= 0.0003", "< 0.0001"]
        );
    }

    #[test]
    fn thousands_are_grouped() {
        let grouped = [0_u64, 999, 1_000, 60_000, 1_234_567].map(thousands);
        assert_eq!(grouped, ["0", "999", "1,000", "60,000", "1,234,567"]);
    }
}
