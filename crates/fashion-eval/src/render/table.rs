//! Columns of text that line up and fit a terminal.

use crate::render::paint::Paint;

/// Columns of a terminal that every text fits.
pub(crate) const WIDTH: usize = 80;

/// Space between two columns.
const GAP: usize = 2;

/// Names are not shortened below this.
const NARROWEST: usize = 6;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// A name: to the left, and shortened where the table would be too wide.
    Name,
    /// A number: to the right, never shortened.
    Number,
}

/// Rows of cells under a heading.
pub(crate) struct Table {
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        Self {
            align: columns.iter().map(|&(_, align)| align).collect(),
            rows: vec![columns.iter().map(|&(heading, _)| heading.to_owned()).collect()],
        }
    }

    /// Adds a row with a cell for each column.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.align.len());
        self.rows.push(cells);
    }

    /// One line for each row, the heading bold, no spaces at line ends.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let widths = self.widths();
        let mut out = String::new();
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
        let mut table =
            Table::new(&[("Name", Align::Name), ("Name", Align::Name), ("N", Align::Number)]);
        table.row(vec!["a".repeat(100), "b".repeat(10), "7".into()]);
        let text = table.render(Paint { colour: false });
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
}
