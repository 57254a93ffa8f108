//! Tables: columns that line up and fit a terminal, or Markdown.

use crate::render::{numbers::thousands, paint::Paint};

/// Columns of a terminal that every text fits.
pub(crate) const WIDTH: usize = 80;

/// Space between two columns.
const GAP: usize = 2;

/// Names are not shortened below this.
const NARROWEST: usize = 6;

/// Rows shown of a ranking.
pub(crate) const TOP: usize = 10;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// A name: to the left, and shortened where the table would be too wide.
    Name,
    /// A number: to the right, never shortened.
    Number,
}

/// Rows of cells below headings, for a terminal and for Markdown.
pub(crate) struct Table {
    title: String,
    /// What follows the title.
    more: String,
    align: Vec<Align>,
    /// The headings, then the rows.
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without a title, with a cell for each column in every row.
    pub(crate) fn new(
        columns: &[(&str, Align)],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Self {
        let headings = columns.iter().map(|&(heading, _)| heading.to_owned()).collect();
        let rows: Vec<_> = [headings].into_iter().chain(rows).collect();
        assert!(rows.iter().all(|row| row.len() == columns.len()));
        let align = columns.iter().map(|&(_, align)| align).collect();
        Self { title: String::new(), more: String::new(), align, rows }
    }

    /// The same below a title, and what follows that on its line.
    pub(crate) fn titled(self, title: impl Into<String>, more: impl Into<String>) -> Self {
        Self { title: title.into(), more: more.into(), ..self }
    }

    /// One line for each row, with an empty one above, titles and headings bold, no spaces at line ends.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let widths = self.widths();
        let mut out = self.start(|title| paint.bold(title));
        for (number, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for ((cell, &width), align) in row.iter().zip(&widths).zip(&self.align) {
                let cell = shorten(cell, width);
                match align {
                    Align::Name => line.push_str(&format!("{cell:<width$}")),
                    Align::Number => line.push_str(&format!("{cell:>width$}")),
                }
                line.push_str(&" ".repeat(GAP));
            }
            let line = line.trim_end();
            out.push_str(&if number == 0 { paint.bold(line) } else { line.to_owned() });
            out.push('\n');
        }
        out
    }

    /// A table of GitHub Flavored Markdown with an empty line above and `level` before the title. What
    /// `mark` gives for row and column, from 0, stands on either side of a cell.
    pub(crate) fn markdown(
        &self,
        level: &str,
        mark: impl Fn(usize, usize) -> &'static str,
    ) -> String {
        let mut out = self.start(|title| format!("{level}{title}"));
        let mut line = |cells: Vec<String>| out.push_str(&format!("| {} |\n", cells.join(" | ")));
        line(self.rows[0].iter().map(|heading| escape(heading)).collect());
        let rule = |align: &Align| if *align == Align::Name { "---" } else { "---:" };
        line(self.align.iter().map(rule).map(str::to_owned).collect());
        for (row, cells) in self.rows[1..].iter().enumerate() {
            let marked = |(column, cell): (usize, &String)| {
                let mark = mark(row, column);
                format!("{mark}{}{mark}", escape(cell))
            };
            line(cells.iter().enumerate().map(marked).collect());
        }
        out
    }

    /// The lines above the headings.
    fn start(&self, title: impl Fn(&str) -> String) -> String {
        match &*self.title {
            "" => "\n".to_owned(),
            plain => format!("\n{}{}\n\n", title(plain), self.more),
        }
    }

    /// Widths of the columns: the widest names give way until the table fits.
    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.align.len())
            .map(|column| {
                self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
            })
            .collect();
        while widths.iter().sum::<usize>() + GAP * (widths.len() - 1) > WIDTH {
            let widest = (0..widths.len())
                .filter(|&column| self.align[column] == Align::Name && widths[column] > NARROWEST)
                .max_by_key(|&column| widths[column]);
            match widest {
                Some(column) => widths[column] -= 1,
                None => break,
            }
        }
        widths
    }
}

/// What follows a title: how many of how many are shown.
pub(crate) fn shown_of(all: usize, what: &str) -> String {
    if all <= TOP { String::new() } else { format!(", {TOP} of {}{what}", thousands(all)) }
}

/// No mark in any cell.
pub(crate) fn unmarked(_: usize, _: usize) -> &'static str {
    ""
}

/// Text that Markdown shows as it is, on one line.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ if c.is_control() => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

/// At most `width` characters of `text`, which end in `…` where some are missing.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Breaks `text` between words into lines that fit the terminal.
pub(crate) fn wrap(text: &str) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let word = shorten(word, WIDTH);
        let length = word.chars().count();
        if used > 0 && used + 1 + length > WIDTH {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(&word);
        used += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_name_gives_way() {
        let columns = [("Name", Align::Name), ("Name", Align::Name), ("N", Align::Number)];
        let table = Table::new(&columns, [vec!["a".repeat(100), "b".repeat(10), "7".into()]]);
        let text = table.text(Paint { colour: false });
        let last = text.lines().last().unwrap();
        assert_eq!(last.chars().count(), WIDTH);
        assert!(last.ends_with(&format!("a…  {}  7", "b".repeat(10))), "{last}");
    }

    #[test]
    fn long_texts_are_broken_between_words() {
        let text = wrap(&"word ".repeat(40));
        assert!(text.lines().all(|line| line.len() == 79 || line.len() == 39), "{text}");
        assert_eq!(wrap(&"x".repeat(99)).trim_end().chars().count(), WIDTH);
    }

    #[test]
    fn names_cannot_break_a_table() {
        assert_eq!(escape("a|b\n*c* <br>"), "a\\|b \\*c\\* \\<br\\>");
    }
}
