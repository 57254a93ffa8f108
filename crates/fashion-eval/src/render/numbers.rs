//! Numbers in words for people.

use std::fmt;

/// A share as a percentage, `99.0%`. Only exactly none is `0%` and only exactly all is `100%`, so that
/// rounding never claims certainty: `<0.1%`, `>99.9%`.
pub(crate) fn percent(share: f64, decimals: usize) -> String {
    let value = 100.0 * share;
    let text = format!("{value:.decimals$}");
    let smallest = libm::pow(10.0, -(decimals as f64));
    if share == 0.0 || share == 1.0 {
        format!("{value:.0}%")
    } else if text.trim_matches(['0', '.', '-']).is_empty() {
        format!("<{smallest:.decimals$}%")
    } else if text.starts_with("100") {
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
