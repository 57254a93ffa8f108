//! The parts of documents that chores write, and the tables in them.

use std::fs;
use std::ops::Range;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// The part of a document between the lines `<!-- CHORE:begin -->` and `<!-- CHORE:end -->`.
pub(crate) struct Part {
    /// The document, from the root of the workspace.
    pub(crate) file: &'static str,
    /// The chore that writes the part.
    pub(crate) chore: &'static str,
}

impl Part {
    /// What stands there.
    pub(crate) fn read(&self, workspace: &Workspace) -> Result<String> {
        Ok(self.section(&self.document(workspace)?)?.to_owned())
    }

    /// Puts something else there.
    pub(crate) fn write(&self, workspace: &Workspace, with: &str) -> Result<()> {
        let replaced = self.replace(&self.document(workspace)?, with)?;
        fs::write(workspace.root().join(self.file), replaced)
            .with_context(|| format!("cannot write {}", self.file))
    }

    /// Writes, or only compares the rows of a table with those that stand there.
    pub(crate) fn settle(&self, workspace: &Workspace, fresh: &str, check: bool) -> Result<()> {
        if check {
            self.same_rows(&self.read(workspace)?, fresh)
        } else {
            self.write(workspace, fresh)
        }
    }

    /// Compares the rows of two tables; the words after them may be others.
    pub(crate) fn same_rows(&self, written: &str, fresh: &str) -> Result<()> {
        let rows = |text: &str| {
            let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
            rows.join("\n")
        };
        let (written, fresh) = (rows(written), rows(fresh));
        if written != fresh {
            bail!(
                "{} has another table:\n{written}\nthan these runs give:\n{fresh}\nOne machine \
                 gives the same numbers every time; another SIMD path may round differently. \
                 Without --check, the table is written",
                self.file
            );
        }
        Ok(())
    }

    fn document(&self, workspace: &Workspace) -> Result<String> {
        fs::read_to_string(workspace.root().join(self.file))
            .with_context(|| format!("cannot read {}", self.file))
    }

    /// What stands between the markers.
    fn section<'a>(&self, text: &'a str) -> Result<&'a str> {
        Ok(&text[self.range(text)?])
    }

    /// The document with another text between the markers.
    fn replace(&self, text: &str, with: &str) -> Result<String> {
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

/// A table. All columns are numbers, but for a first one without a head.
pub(crate) fn table<H: AsRef<str>>(
    heads: &[H],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let heads: Vec<&str> = heads.iter().map(AsRef::as_ref).collect();
    let rules = heads.iter().map(|head| if head.is_empty() { "---" } else { "---:" });
    let mut out = line(heads.iter()) + &line(rules);
    out.extend(rows.into_iter().map(|row| line(row.iter())));
    out
}

fn line(cells: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut line = String::from("|");
    for cell in cells {
        line.push_str(if cell.as_ref().is_empty() { "" } else { " " });
        line.push_str(cell.as_ref());
        line.push_str(" |");
    }
    line + "\n"
}

/// What a table says where there is nothing.
pub(crate) const NONE: &str = "–";

/// Mean and sample standard deviation (divided by n − 1; 0 for a single value).
pub(crate) fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
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
    fn columns_of_numbers_stand_right() {
        let row = |cells: [&str; 2]| Vec::from(cells.map(str::to_owned));
        let written = table(&["", "Images"], [row(["**ours**", "1"]), row(["theirs", ""])]);
        assert_eq!(written, "| | Images |\n| --- | ---: |\n| **ours** | 1 |\n| theirs | |\n");
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
