//! The framing of event files: TFRecord.
//!
//! A record is the length of its data in 64 bits, a checksum of these eight bytes, the data, and a
//! checksum of the data, all little-endian. The checksum is CRC-32C (Castagnoli), rotated and shifted
//! so that the checksum of data that hold checksums says something:
//! <https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details>.

use crc::{CRC_32_ISCSI, Crc, Table};

static CASTAGNOLI: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);

/// Bytes before the data.
const HEADER: usize = 12;
/// Bytes after the data.
const FOOTER: usize = 4;

/// Adds a record with what `encode` adds.
pub(super) fn record(out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; HEADER]);
    encode(out);
    let length = ((out.len() - at - HEADER) as u64).to_le_bytes();
    out[at..at + 8].copy_from_slice(&length);
    out[at + 8..at + HEADER].copy_from_slice(&masked(&length).to_le_bytes());
    let checksum = masked(&out[at + HEADER..]);
    out.extend_from_slice(&checksum.to_le_bytes());
}

fn masked(bytes: &[u8]) -> u32 {
    CASTAGNOLI.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The data of each record, up to the first that is cut short or damaged.
pub(super) fn read(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = bytes.first_chunk::<8>()?;
        let header = u32::from_le_bytes(*bytes.get(8..)?.first_chunk()?);
        if header != masked(length) {
            return None;
        }
        let end = HEADER.checked_add(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let data = bytes.get(HEADER..end)?;
        let footer = u32::from_le_bytes(*bytes.get(end..)?.first_chunk()?);
        bytes = &bytes[end + FOOTER..];
        (footer == masked(data)).then_some(data)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnolis() {
        assert_eq!(CASTAGNOLI.checksum(b"123456789"), 0xe306_9283);
        // RFC 3720, B.4: 32 bytes of zeros.
        assert_eq!(CASTAGNOLI.checksum(&[0; 32]), 0x8a91_36aa);
    }

    /// ```python
    /// from tensorboard.summary.writer.record_writer import RecordWriter
    /// import io; f = io.BytesIO(); f.close = lambda: None
    /// RecordWriter(f).write(b"garment"); print(f.getvalue().hex())
    /// ```
    #[test]
    fn records_are_as_tensorboard_writes_them() {
        let mut out = b"before".to_vec();
        record(&mut out, |out| out.extend_from_slice(b"garment"));
        let hex: String = out[6..].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "0700000000000000bbd79f116761726d656e74833534ca");
    }

    #[test]
    fn reading_stops_at_the_first_record_that_is_not_whole() {
        let mut out = Vec::new();
        for data in [&b"a"[..], b"", b"long enough"] {
            record(&mut out, |out| out.extend_from_slice(data));
        }
        assert_eq!(read(&out).collect::<Vec<_>>(), [&b"a"[..], b"", b"long enough"]);
        for end in 0..out.len() {
            assert!(read(&out[..end]).count() < 3, "cut at {end}");
        }
        for at in 0..out.len() {
            let mut damaged = out.clone();
            damaged[at] ^= 1;
            assert!(read(&damaged).count() < 3, "damaged at {at}");
        }
    }
}
