//! The typeface as the page carries it: WOFF, which is the font with each table compressed.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// Lengths of the headers and of one entry in the lists of tables, in bytes.
const FONT_HEADER: usize = 12;
const FONT_ENTRY: usize = 16;
const HEADER: usize = 44;
const ENTRY: usize = 20;

/// A table of the font: tag and checksum as they stand in its list, and the table itself.
struct Table<'a> {
    tag: [u8; 4],
    checksum: [u8; 4],
    bytes: &'a [u8],
}

/// Packs an OpenType or TrueType font as WOFF 1.0 (W3C Recommendation, 13 December 2012, sections 3
/// to 5), less than half as large.
///
/// # Panics
///
/// If the bytes are no font. Those of this crate are.
pub(crate) fn woff(font: &[u8]) -> Vec<u8> {
    let tables = tables(font);
    let mut list = Vec::new();
    let mut data = Vec::new();
    let start = HEADER + ENTRY * tables.len();
    for Table { tag, checksum, bytes } in &tables {
        let compressed = compress(bytes);
        let stored = if compressed.len() < bytes.len() { &compressed } else { *bytes };
        list.extend_from_slice(tag);
        for number in [start + data.len(), stored.len(), bytes.len()] {
            list.extend_from_slice(&(number as u32).to_be_bytes());
        }
        list.extend_from_slice(checksum);
        data.extend_from_slice(stored);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    let unpacked = FONT_HEADER
        + tables.iter().map(|t| FONT_ENTRY + t.bytes.len().next_multiple_of(4)).sum::<usize>();
    let mut out = Vec::with_capacity(start + data.len());
    out.extend_from_slice(b"wOFF");
    out.extend_from_slice(&font[..4]);
    out.extend_from_slice(&((start + data.len()) as u32).to_be_bytes());
    out.extend_from_slice(&(tables.len() as u16).to_be_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(&(unpacked as u32).to_be_bytes());
    // The file's own version, 1.0, and no metadata or private block.
    out.extend_from_slice(&[0, 1, 0, 0]);
    out.resize(HEADER, 0);
    out.extend(list);
    out.extend(data);
    out
}

/// The font's tables, in the order of their tags as its list has them.
fn tables(font: &[u8]) -> Vec<Table<'_>> {
    let number = |at: usize, length: usize| {
        font[at..at + length].iter().fold(0, |n, &byte| n << 8 | usize::from(byte))
    };
    let four = |at: usize| [font[at], font[at + 1], font[at + 2], font[at + 3]];
    let table = |entry: usize| {
        let at = FONT_HEADER + FONT_ENTRY * entry;
        let (offset, length) = (number(at + 8, 4), number(at + 12, 4));
        Table { tag: four(at), checksum: four(at + 4), bytes: &font[offset..offset + length] }
    };
    (0..number(4, 2)).map(table).collect()
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("a vector takes all that is written")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;

    use super::*;
    use crate::font;

    #[test]
    fn the_packed_tables_are_those_of_the_font() {
        for font in [font::REGULAR, font::SEMIBOLD] {
            let packed = woff(font);
            assert!(packed.len() < font.len() / 2, "{} of {}", packed.len(), font.len());
            let number =
                |at: usize| u32::from_be_bytes(packed[at..at + 4].try_into().unwrap()) as usize;
            assert_eq!((&packed[..4], &packed[4..8]), (&b"wOFF"[..], &b"OTTO"[..]));
            assert_eq!(number(8), packed.len());
            assert_eq!(number(16), font.len().next_multiple_of(4));
            let tables = tables(font);
            assert_eq!(number(12) >> 16, tables.len());
            for (i, table) in tables.iter().enumerate() {
                let at = HEADER + ENTRY * i;
                assert_eq!(packed[at..at + 4], table.tag);
                let stored = &packed[number(at + 4)..number(at + 4) + number(at + 8)];
                let mut plain = Vec::new();
                if stored.len() < number(at + 12) {
                    ZlibDecoder::new(stored).read_to_end(&mut plain).unwrap();
                } else {
                    plain.extend(stored);
                }
                assert!(number(at + 4).is_multiple_of(4));
                assert_eq!(plain, table.bytes);
                assert_eq!(packed[at + 16..at + 20], table.checksum);
            }
        }
    }
}
