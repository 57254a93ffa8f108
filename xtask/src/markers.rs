//! The parts of documents that chores write.

use std::ops::Range;

use anyhow::{Result, bail};

/// The part of a document between the lines `<!-- CHORE:begin -->` and `<!-- CHORE:end -->`.
pub(crate) struct Part {
    /// The document, for errors.
    pub(crate) file: &'static str,
    /// The chore that writes the part.
    pub(crate) chore: &'static str,
}

impl Part {
    /// What stands between the markers.
    pub(crate) fn section<'a>(&self, text: &'a str) -> Result<&'a str> {
        Ok(&text[self.range(text)?])
    }

    /// The document with another text between the markers.
    pub(crate) fn replace(&self, text: &str, with: &str) -> Result<String> {
        let range = self.range(text)?;
        Ok(format!("{}{with}{}", &text[..range.start], &text[range.end..]))
    }

    fn range(&self, text: &str) -> Result<Range<usize>> {
        let Part { file, chore } = self;
        let begin = format!("<!-- {chore}:begin -->\n");
        let end = format!("<!-- {chore}:end -->");
        let found = (text.matches(&begin).count(), text.matches(&end).count());
        if let (1, 1, Some(first), Some(last)) =
            (found.0, found.1, text.find(&begin), text.find(&end))
            && first < last
        {
            return Ok(first + begin.len()..last);
        }
        bail!(
            "{file} needs one line `{}` and after it one line `{end}`; found {} and {}",
            begin.trim_end(),
            found.0,
            found.1
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: Part = Part { file: "README.md", chore: "reproduce" };

    #[test]
    fn only_the_part_between_the_markers_changes() {
        let readme = "# Title\n<!-- reproduce:begin -->\nold\n<!-- reproduce:end -->\nrest\n";
        assert_eq!(PART.section(readme).unwrap(), "old\n");
        let replaced = PART.replace(readme, "new\n").unwrap();
        assert_eq!(
            replaced,
            "# Title\n<!-- reproduce:begin -->\nnew\n<!-- reproduce:end -->\nrest\n"
        );
        assert_eq!(PART.replace(&replaced, "old\n").unwrap(), readme);
    }

    #[test]
    fn missing_doubled_reversed_and_other_markers_are_errors() {
        let (begin, end) = ("<!-- reproduce:begin -->\n", "<!-- reproduce:end -->");
        for readme in [
            String::new(),
            begin.to_owned(),
            format!("{end}\n{begin}"),
            format!("{begin}{begin}{end}"),
            format!("{begin}{end}").replace("reproduce", "other"),
        ] {
            let error = PART.section(&readme).unwrap_err().to_string();
            assert!(error.contains("README.md needs one line `<!-- reproduce:begin"), "{error}");
        }
    }
}
