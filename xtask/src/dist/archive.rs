//! A `.tar.gz` that depends on nothing but its files: sorted entries, one time, no owner.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result, bail};
use fashion_data::known;
use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};

/// The name of the list of checksums, in the format of `sha256sum`.
pub(crate) const SUMS: &str = "SHA256SUMS";

/// The byte of a gzip header that stands for an unknown operating system (RFC 1952).
const UNKNOWN_SYSTEM: u8 = 255;

/// A file of the archive.
pub(crate) struct Entry {
    path: String,
    mode: u32,
    bytes: Vec<u8>,
}

impl Entry {
    /// A file to read.
    pub(crate) fn text(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), mode: 0o644, bytes: bytes.into() }
    }

    /// A file to run.
    pub(crate) fn program(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), mode: 0o755, bytes: bytes.into() }
    }

    /// Where it is in the archive's folder.
    #[cfg(test)]
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What it holds.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Packs entries and their checksums into one folder of the given name; all times are `time`.
pub(crate) fn pack(folder: &str, entries: Vec<Entry>, time: u64) -> Result<Vec<u8>> {
    let mut sorted = BTreeMap::new();
    for entry in entries {
        if let Some(twice) = sorted.insert(entry.path.clone(), entry) {
            bail!("two files of the archive have the name {}", twice.path);
        }
    }
    let mut sums = String::new();
    for (path, entry) in &sorted {
        sums.push_str(&format!("{}  {path}\n", known::sha256(&entry.bytes)));
    }
    sorted.insert(SUMS.to_owned(), Entry::text(SUMS, sums));

    let gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(UNKNOWN_SYSTEM)
        .write(Vec::new(), Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for entry in sorted.values() {
        let path = format!("{folder}/{}", entry.path);
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(entry.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(time);
        header.set_size(entry.bytes.len() as u64);
        tar.append_data(&mut header, &path, entry.bytes.as_slice())
            .with_context(|| format!("cannot pack {path}"))?;
    }
    let mut gzip = tar.into_inner().context("cannot finish the archive")?;
    gzip.flush().context("cannot finish the archive")?;
    gzip.finish().context("cannot finish the archive")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;

    fn entries() -> Vec<Entry> {
        vec![
            Entry::program("fashion", *b"binary"),
            Entry::text("README.md", "read me"),
            Entry::text("man/man1/fashion.1", ".TH"),
        ]
    }

    #[test]
    fn the_order_of_the_entries_does_not_matter() {
        let mut reversed = entries();
        reversed.reverse();
        let packed = pack("fashion-1", entries(), 1_600_000_000).unwrap();
        assert_eq!(packed, pack("fashion-1", reversed, 1_600_000_000).unwrap());
        assert_eq!(packed[4..8], [0; 4], "the gzip header has a time");
        assert_eq!(packed[9], UNKNOWN_SYSTEM);
    }

    #[test]
    fn entries_have_fixed_owners_modes_and_times() {
        let packed = pack("fashion-1", entries(), 1_600_000_000).unwrap();
        let mut tar = tar::Archive::new(GzDecoder::new(packed.as_slice()));
        let mut seen = Vec::new();
        for entry in tar.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!(header.mtime().unwrap(), 1_600_000_000);
            assert_eq!(header.username().unwrap().unwrap_or_default(), "");
            let path = entry.path().unwrap().display().to_string();
            seen.push((path, header.mode().unwrap()));
        }
        let expected = [
            ("fashion-1/README.md", 0o644),
            ("fashion-1/SHA256SUMS", 0o644),
            ("fashion-1/fashion", 0o755),
            ("fashion-1/man/man1/fashion.1", 0o644),
        ];
        assert_eq!(seen, expected.map(|(path, mode)| (path.to_owned(), mode)));
    }

    #[test]
    fn the_checksums_are_those_of_the_files() {
        let packed = pack("f", vec![Entry::text("abc", "abc")], 0).unwrap();
        let mut tar = tar::Archive::new(GzDecoder::new(packed.as_slice()));
        let mut first = tar.entries().unwrap().next().unwrap().unwrap();
        let mut sums = String::new();
        std::io::Read::read_to_string(&mut first, &mut sums).unwrap();
        // SHA-256 of "abc", FIPS 180-4.
        assert_eq!(sums, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc\n");
    }

    #[test]
    fn a_name_may_appear_once() {
        let twice = vec![Entry::text("a", "1"), Entry::text("a", "2")];
        assert!(pack("f", twice, 0).unwrap_err().to_string().contains("name a"));
    }
}
