//! The header of an npy array, read strictly and in bounded memory.
//!
//! `ndarray-npy` parses headers with a general parser of Python literals, which recurses as deep as
//! the text nests. A header from a stranger goes through this one first; what `ndarray-npy` is given
//! then is written anew from what was understood.

use std::io::Read;

use crate::Error;
use crate::error::shape_text;

/// The longest header text that is read; NumPy's own limit.
const MAX_HEADER: usize = 10_000;

/// An array's element type as its header names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
}

impl Element {
    const ALL: [(Self, &'static str, &'static str, u64); 12] = [
        (Self::Bool, "b1", "bool", 1),
        (Self::I8, "i1", "int8", 1),
        (Self::I16, "i2", "int16", 2),
        (Self::I32, "i4", "int32", 4),
        (Self::I64, "i8", "int64", 8),
        (Self::U8, "u1", "uint8", 1),
        (Self::U16, "u2", "uint16", 2),
        (Self::U32, "u4", "uint32", 4),
        (Self::U64, "u8", "uint64", 8),
        (Self::F16, "f2", "float16", 2),
        (Self::F32, "f4", "float32", 4),
        (Self::F64, "f8", "float64", 8),
    ];

    fn row(self) -> (&'static str, &'static str, u64) {
        let (_, code, name, size) = Self::ALL[self as usize];
        (code, name, size)
    }

    pub(super) fn size(self) -> u64 {
        self.row().2
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// `None` where no image or label can be of this type.
    pub(super) element: Option<Element>,
    big_endian: bool,
    /// NumPy's text for the type.
    pub(super) descr: String,
    fortran_order: bool,
    pub(super) shape: Vec<usize>,
    /// Length of the header in the file, up to the first element.
    pub(super) header_bytes: u64,
}

impl Header {
    /// Reads a header and nothing after it.
    pub(super) fn read(mut input: &mut dyn Read) -> Result<Self, Error> {
        let mut prefix = Vec::new();
        (&mut input).take(8).read_to_end(&mut prefix)?;
        let [0x93, b'N', b'U', b'M', b'P', b'Y', major, _] = prefix[..] else {
            return Err(damaged("does not begin like an npy array"));
        };
        let length_bytes = match major {
            1 => 2,
            2 | 3 => 4,
            _ => return Err(damaged(&format!("is of the unknown npy version {major}"))),
        };
        let mut length = Vec::new();
        (&mut input).take(length_bytes).read_to_end(&mut length)?;
        if length.len() as u64 != length_bytes {
            return Err(damaged("has a truncated header"));
        }
        let length = length.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        if length > MAX_HEADER {
            return Err(damaged(&format!(
                "promises a header of {length} bytes; NumPy's limit is {MAX_HEADER}"
            )));
        }
        let mut text = Vec::new();
        (&mut input).take(length as u64).read_to_end(&mut text)?;
        if text.len() != length {
            return Err(damaged("has a truncated header"));
        }
        let text = String::from_utf8_lossy(&text);
        let (descr, fortran_order, shape) =
            Parser { rest: &text }.dictionary().ok_or_else(|| {
                damaged("has a header that is not a dictionary of descr, fortran_order and shape")
            })?;
        let (element, big_endian) = element_of(&descr);
        let header_bytes = 8 + length_bytes + length as u64;
        Ok(Self { element, big_endian, descr, fortran_order, shape, header_bytes })
    }

    /// Number of elements, if it can be counted at all.
    pub(super) fn elements(&self) -> Option<u64> {
        self.shape.iter().try_fold(1u64, |product, &n| product.checked_mul(n as u64))
    }

    /// The header as `ndarray-npy` expects it.
    pub(super) fn canonical(&self, element: Element) -> Vec<u8> {
        let order = match (element.size(), self.big_endian) {
            (1, _) => '|',
            (_, true) => '>',
            (_, false) => '<',
        };
        // ndarray-npy knows no half floats; their bits are read as whole numbers.
        let code = if element == Element::F16 { "u2" } else { element.row().0 };
        let fortran = if self.fortran_order { "True" } else { "False" };
        let shape = shape_text(&self.shape);
        let mut text =
            format!("{{'descr': '{order}{code}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
        let padding = 64 - (10 + text.len() + 1) % 64;
        text.extend(std::iter::repeat_n(' ', padding));
        text.push('\n');
        let mut header = b"\x93NUMPY\x01\x00".to_vec();
        header.extend((text.len() as u16).to_le_bytes());
        header.extend(text.into_bytes());
        header
    }

    /// `uint8 (60000, 28, 28)`.
    pub(super) fn describe(&self) -> String {
        let name = self.element.map_or(self.descr.as_str(), |element| element.row().1);
        format!("{name} {}", shape_text(&self.shape))
    }
}

fn damaged(problem: &str) -> Error {
    Error::Damaged(problem.into())
}

/// The element type of a descr such as `<f4`, and whether it is big-endian.
fn element_of(descr: &str) -> (Option<Element>, bool) {
    let (big_endian, code) = match descr.as_bytes().first() {
        Some(b'>') => (true, &descr[1..]),
        Some(b'<' | b'|' | b'=') => (false, &descr[1..]),
        _ => (false, descr),
    };
    let row = Element::ALL.iter().find(|row| row.1 == code);
    (row.map(|row| row.0), big_endian)
}

/// A reader of the one shape of dictionary that NumPy writes, its keys in any order.
struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn dictionary(mut self) -> Option<(String, bool, Vec<usize>)> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.token("{")?;
        while self.token("}").is_none() {
            let key = self.string()?;
            self.token(":")?;
            match key.as_str() {
                "descr" => descr = Some(self.descr()?),
                "fortran_order" => fortran_order = Some(self.boolean()?),
                "shape" => shape = Some(self.tuple()?),
                _ => return None,
            }
            if self.token(",").is_none() {
                self.token("}")?;
                break;
            }
        }
        if !self.rest.trim_ascii().is_empty() {
            return None;
        }
        Some((descr?, fortran_order?, shape?))
    }

    fn token(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.trim_ascii_start().strip_prefix(token)?;
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        let quote =
            if self.token("'").is_some() { '\'' } else { self.token("\"").map(|()| '"')? };
        let (text, rest) = self.rest.split_once(quote)?;
        self.rest = rest;
        Some(text.to_owned())
    }

    /// A plain type's text; of a structured type, which nothing here can use, only that it is one.
    fn descr(&mut self) -> Option<String> {
        if self.token("[").is_none() {
            return self.string();
        }
        let mut depth = 1;
        let end = self.rest.find(|c| {
            depth += match c {
                '[' => 1,
                ']' => -1,
                _ => 0,
            };
            depth == 0
        })?;
        self.rest = &self.rest[end + 1..];
        Some("structured".into())
    }

    fn boolean(&mut self) -> Option<bool> {
        if self.token("True").is_some() {
            return Some(true);
        }
        self.token("False").map(|()| false)
    }

    fn tuple(&mut self) -> Option<Vec<usize>> {
        self.token("(")?;
        let mut numbers = Vec::new();
        while self.token(")").is_none() {
            let text = self.rest.trim_ascii_start();
            let end = text.find(|c: char| !c.is_ascii_digit())?;
            numbers.push(text[..end].parse().ok()?);
            // Python 2 marked long integers so.
            self.rest = text[end..].strip_prefix('L').unwrap_or(&text[end..]);
            if self.token(",").is_none() {
                self.token(")")?;
                break;
            }
        }
        Some(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{ArrayD, IxDyn};
    use ndarray_npy::{ReadNpyExt, WriteNpyExt};

    fn npy(text: &str) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.bytes());
        bytes
    }

    fn read(text: &str) -> Result<Header, Error> {
        Header::read(&mut npy(text).as_slice())
    }

    #[test]
    fn headers_as_programs_write_them_are_understood() {
        let numpy = "{'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }    \n";
        let header = read(numpy).unwrap();
        assert_eq!(header.describe(), "float32 (60000, 28, 28)");
        assert_eq!(header.header_bytes, 10 + numpy.len() as u64);
        let old = "{\"shape\": (7L,), \"fortran_order\": True, \"descr\": \">i8\"}";
        let header = read(old).unwrap();
        assert_eq!(header.describe(), "int64 (7,)");
        assert!(header.fortran_order && header.big_endian);
        assert_eq!(read("{'descr': '|O', 'fortran_order': False, 'shape': ()}").unwrap().shape, []);
        let structured = "{'descr': [('a', '<f4'), ('b', [('c', '|u1')])], 'fortran_order': False, 'shape': (3,), }";
        assert_eq!(read(structured).unwrap().describe(), "structured (3,)");
    }

    #[test]
    fn other_headers_are_errors() {
        for text in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} and more",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1",
            "{'descr': [[[[[[[[[[[[[[[[, 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<f4', 'colour': False, 'shape': (1,)}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let mut long = b"\x93NUMPY\x02\x00".to_vec();
        long.extend(u32::MAX.to_le_bytes());
        let error = Header::read(&mut long.as_slice()).unwrap_err().to_string();
        assert!(error.contains("promises a header of 4294967295 bytes"), "{error}");
        for end in 0..40 {
            let bytes = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}");
            assert!(Header::read(&mut &bytes[..end]).is_err());
        }
    }

    #[test]
    fn ndarray_npy_reads_what_is_written_for_it() {
        let array = ArrayD::from_shape_vec(IxDyn(&[2, 3]), vec![1i32, 2, 3, 4, 5, 6]).unwrap();
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        let header = Header::read(&mut bytes.as_slice()).unwrap();
        let mut again = header.canonical(header.element.unwrap());
        assert_eq!(again.len() % 64, 0);
        again.extend(&bytes[header.header_bytes as usize..]);
        assert_eq!(ArrayD::<i32>::read_npy(again.as_slice()).unwrap(), array);
        assert_eq!(header.elements(), Some(6));
    }

    #[test]
    fn the_table_of_elements_is_in_the_order_of_the_type() {
        for (position, (element, code, _, size)) in Element::ALL.into_iter().enumerate() {
            assert_eq!(element as usize, position);
            assert_eq!(element_of(code), (Some(element), false));
            assert!(code.ends_with(&size.to_string()));
        }
    }
}
