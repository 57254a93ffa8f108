//! JSON in which lists of plain values stay on one line.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::Metrics;

impl Metrics {
    /// JSON with the keys of the fields in their order, indented by two spaces, a list of numbers on
    /// one line (so that the confusion matrix looks like one), and a newline at the end.
    ///
    /// Each number is the shortest that reads back as the same `f64`; equal metrics give equal bytes.
    pub fn to_json(&self) -> String {
        pretty(self)
    }
}

/// `value` as JSON, indented by two spaces, a list of plain values on one line, a newline at the end.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, Layout::default());
    value.serialize(&mut serializer).expect("numbers, texts and lists always have a JSON form");
    out.push(b'\n');
    String::from_utf8(out).expect("serde_json writes UTF-8")
}

/// As `serde_json`'s `PrettyFormatter`, except for lists of plain values.
#[derive(Default)]
struct Layout {
    depth: usize,
    /// Whether the value that ended last was an object or a list.
    after_nested: bool,
    /// Whether the next value is an entry of a list, and so starts a line if it is nested.
    in_list: bool,
}

impl Layout {
    fn line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }

    fn begin<W: ?Sized + io::Write>(&mut self, writer: &mut W, open: &[u8]) -> io::Result<()> {
        if self.in_list {
            self.line(writer)?;
        }
        self.depth += 1;
        self.after_nested = false;
        self.in_list = false;
        writer.write_all(open)
    }

    fn end<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        close: &[u8],
        on_a_line: bool,
    ) -> io::Result<()> {
        self.depth -= 1;
        if on_a_line {
            self.line(writer)?;
        }
        self.after_nested = true;
        self.in_list = false;
        writer.write_all(close)
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"]", self.after_nested)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.in_list = true;
        self.after_nested = false;
        if first { Ok(()) } else { writer.write_all(b",") }
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.in_list = false;
        Ok(())
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"}", true)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.line(writer)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
