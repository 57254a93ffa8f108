//! The header of an npy array, read strictly and in bounded memory.
//!
//! `ndarray-npy` parses headers with a general parser of Python literals, whose time grows exponentially
//! with the depth of what is nested (seventeen seconds for twelve braces). A header from a stranger has
//! its characters and brackets counted first.

use std::io::Read;

use ndarray_npy::npy::header::Header as Dictionary;

use crate::Error;
use crate::error::shape_text;

/// The longest header text that is read; NumPy's own limit.
const MAX_HEADER: usize = 10_000;

/// The longest dictionary that is parsed: 64 dimensions, the most that NumPy has, take less.
const MAX_DICTIONARY: usize = 2_000;

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

/// Strings of a fixed length, shorter ones filled with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// How many characters, or bytes.
    pub(super) length: u64,
    /// Whether they are characters (`U`), four bytes each, and not bytes (`S`).
    pub(super) wide: bool,
    pub(super) big_endian: bool,
}

impl Text {
    fn of(descr: &str) -> Option<Self> {
        let (order, code) = descr.split_at_checked(1)?;
        let (kind, length) = code.split_at_checked(1)?;
        let wide = match kind {
            "U" => true,
            "S" | "a" => false,
            _ => return None,
        };
        Some(Self { length: length.parse().ok()?, wide, big_endian: order == ">" })
    }

    /// Bytes of one.
    pub(super) fn size(self) -> u64 {
        self.length.saturating_mul(if self.wide { 4 } else { 1 })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// `None` where no image or label can be of this type.
    pub(super) element: Option<Element>,
    /// What kind of strings the elements are, if they are strings.
    pub(super) text: Option<Text>,
    big_endian: bool,
    /// NumPy's text for the type.
    pub(super) descr: String,
    pub(super) fortran_order: bool,
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
        let dictionary = dictionary(&String::from_utf8_lossy(&text));
        let (descr, Dictionary { layout, shape, .. }) = dictionary.ok_or_else(|| {
            damaged("has a header that is not a dictionary of descr, fortran_order and shape")
        })?;
        let (element, big_endian) = element_of(&descr);
        let header_bytes = 8 + length_bytes + length as u64;
        let fortran_order = layout.is_fortran();
        let text = Text::of(&descr);
        Ok(Self { element, text, big_endian, descr, fortran_order, shape, header_bytes })
    }

    /// The size of all elements in bytes, given that of one; `what` is what an error calls the array.
    pub(super) fn data_bytes(&self, of_element: u64, what: &str) -> Result<u64, Error> {
        let size = self.shape.iter().try_fold(of_element, |size, &n| size.checked_mul(n as u64));
        size.filter(|&bytes| bytes < u64::MAX / 4).ok_or_else(|| {
            let found = self.describe();
            Error::Damaged(format!("{what}, {found}, has more elements than there can be"))
        })
    }

    /// The element type as `ndarray-npy` has it, a Python literal.
    pub(super) fn descriptor(&self, element: Element) -> String {
        let order = match (element.size(), self.big_endian) {
            (1, _) => '|',
            (_, true) => '>',
            (_, false) => '<',
        };
        // It knows no half floats; their bits are read as whole numbers.
        let code = if element == Element::F16 { "u2" } else { element.row().0 };
        format!("'{order}{code}'")
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

/// The type and the whole dictionary, if it is one as NumPy writes it, its keys in any order.
fn dictionary(text: &str) -> Option<(String, Dictionary)> {
    let mut text = text.trim_ascii().to_owned();
    // Of a structured type, which nothing here can use, only that it is one.
    if let (Some(start), Some(end)) = (text.find('['), text.rfind(']'))
        && start < end
    {
        text.replace_range(start..=end, "'structured'");
    }
    // Python 2 marked long integers so.
    let text = text.replace("L,", ",").replace("L)", ")");
    // The brackets of the dictionary and of the shape.
    if text.len() > MAX_DICTIONARY || text.matches(['(', '[', '{']).count() > 2 {
        return None;
    }
    let length = text.len() as u32 + 1;
    let npy = [b"\x93NUMPY\x03\x00", &length.to_le_bytes()[..], text.as_bytes(), b"\n"].concat();
    let dictionary = Dictionary::from_reader(&mut &npy[..]).ok()?;
    Some((dictionary.type_descriptor.as_string()?.clone(), dictionary))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(
            read("{'descr': '|O', 'fortran_order': False, 'shape': ()}").unwrap().shape,
            [0; 0]
        );
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
    fn nested_literals_cost_no_time() {
        for open in ["[", "(", "{", "[(", "{('a':"] {
            let nested = open.repeat(9_000 / open.len());
            for text in [nested.clone(), format!("{{'descr': {nested}], 'shape': {nested}}}")] {
                assert!(read(&text).is_err());
            }
        }
        for long in ["9", "-", "1+", "1e9999j+", "1,"].map(|part| part.repeat(9_000 / part.len())) {
            let shape = format!("({long}1,)");
            let text = format!("{{'descr': '<f4', 'fortran_order': True, 'shape': {shape}}}");
            assert!(read(&text).is_err());
        }
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
