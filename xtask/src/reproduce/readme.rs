//! The part of the README that `reproduce` writes.

use std::ops::Range;

use anyhow::{Result, bail};

/// The line before the part.
const BEGIN: &str = "<!-- reproduce:begin -->\n";

/// The line after it.
const END: &str = "<!-- reproduce:end -->";

/// What stands between the markers.
pub(crate) fn section(readme: &str) -> Result<&str> {
    Ok(&readme[range(readme)?])
}

/// The README with another text between the markers.
pub(crate) fn replace(readme: &str, with: &str) -> Result<String> {
    let range = range(readme)?;
    Ok(format!("{}{with}{}", &readme[..range.start], &readme[range.end..]))
}

fn range(readme: &str) -> Result<Range<usize>> {
    let found = (readme.matches(BEGIN).count(), readme.matches(END).count());
    if let (1, 1, Some(begin), Some(end)) = (found.0, found.1, readme.find(BEGIN), readme.find(END))
        && begin < end
    {
        return Ok(begin + BEGIN.len()..end);
    }
    bail!(
        "README.md needs one line `{}` and after it one line `{END}`; found {} and {}",
        BEGIN.trim_end(),
        found.0,
        found.1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_between_the_markers_changes() {
        let readme = "# Title\n<!-- reproduce:begin -->\nold\n<!-- reproduce:end -->\nrest\n";
        assert_eq!(section(readme).unwrap(), "old\n");
        let replaced = replace(readme, "new\n").unwrap();
        assert_eq!(
            replaced,
            "# Title\n<!-- reproduce:begin -->\nnew\n<!-- reproduce:end -->\nrest\n"
        );
        assert_eq!(replace(&replaced, "old\n").unwrap(), readme);
    }

    #[test]
    fn missing_doubled_and_reversed_markers_are_errors() {
        let (begin, end) = (BEGIN, END);
        for readme in [
            String::new(),
            begin.to_owned(),
            format!("{end}\n{begin}"),
            format!("{begin}{begin}{end}"),
        ] {
            let error = section(&readme).unwrap_err().to_string();
            assert!(error.contains("reproduce:begin"), "{error}");
        }
    }
}
