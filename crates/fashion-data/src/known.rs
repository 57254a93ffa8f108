//! Data sets known by their SHA-256, so that no one mistakes one for another.
//!
//! A part (train images, train labels, test images, test labels) is known by the digest of its IDX
//! form, unpacked: sixteen (or eight) bytes of header, then the bytes. The gzipped files have digests
//! of their own, which `fetch-data` checks before it unpacks anything.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::Error;
use crate::error::InFile;

/// One of the four official files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Its name without `.gz`.
    pub name: &'static str,
    /// The size of the gzipped file in bytes.
    pub gz_bytes: u64,
    /// SHA-256 of the gzipped file, in lower-case hexadecimal.
    pub gz_sha256: &'static str,
    /// SHA-256 of the unpacked file.
    pub sha256: &'static str,
}

/// Fashion-MNIST as published: train images, train labels, test images, test labels.
pub const OFFICIAL: [KnownFile; 4] = [
    KnownFile {
        name: "train-images-idx3-ubyte",
        gz_bytes: 26_421_880,
        gz_sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    },
    KnownFile {
        name: "train-labels-idx1-ubyte",
        gz_bytes: 29_515,
        gz_sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    },
    KnownFile {
        name: "t10k-images-idx3-ubyte",
        gz_bytes: 4_422_102,
        gz_sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    },
    KnownFile {
        name: "t10k-labels-idx1-ubyte",
        gz_bytes: 5_148,
        gz_sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
];

/// The gzipped files of the revision of 26 August 2017, whose training and test images overlap.
const LEAKY: [&str; 4] = [
    "08dc20ab1689590a0bcd66e874647b6ee8464e2d501b5a3f1f78831db19a3fdc",
    "b0197879cbda89f3dc7b894f9fd52b858e68ea4182b6947c9d8c2b67e5f18dcc",
    "78dcbbfb5a27efaf1b6c1d616caca68560be8766c5bffcb2791df9273a534229",
    "42bd18137a62d5998cdeae52bf3a0676ac6b706f5cf8439b47bb5b151ae3dccf",
];

/// MNIST, the handwritten digits, whose files have the same names: gzipped, then unpacked.
const MNIST: [&str; 7] = [
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
];

/// Refuses data that is known and must not be used.
///
/// `sha256` is the digest of a gzipped or unpacked IDX file, in lower-case hexadecimal.
///
/// # Errors
///
/// [`Error::Refused`] for the leaky revision of Fashion-MNIST and for MNIST.
pub fn refuse(sha256: &str) -> Result<(), Error> {
    if LEAKY.contains(&sha256) {
        return Err(Error::Refused(
            "is from the leaky revision of Fashion-MNIST of 26 August 2017, in which training and \
             test images overlap, so that every score would be too high; get the present files with \
             `cargo xtask fetch-data`"
                .into(),
        ));
    }
    if MNIST.contains(&sha256) {
        return Err(Error::Refused(
            "is from MNIST, the handwritten digits, whose files have the same names as \
             Fashion-MNIST's; get Fashion-MNIST with `cargo xtask fetch-data`"
                .into(),
        ));
    }
    Ok(())
}

/// SHA-256 of some bytes, in lower-case hexadecimal.
///
/// ```
/// assert!(fashion_data::known::sha256(b"").starts_with("e3b0c442"));
/// ```
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    sha256_of(&[bytes])
}

/// SHA-256 of some pieces, one after the other.
pub(crate) fn sha256_of(pieces: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for piece in pieces {
        hasher.update(piece);
    }
    hex(&hasher.finalize())
}

/// SHA-256 of a file, read in pieces.
///
/// # Errors
///
/// [`Error::File`] if it cannot be read.
pub fn sha256_file(path: &Path) -> Result<String, Error> {
    let mut file = std::fs::File::open(path).in_file(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).in_file(path)? {
            0 => return Ok(hex(&hasher.finalize())),
            n => hasher.update(&buffer[..n]),
        }
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_used_is_refused_by_its_digest() {
        assert!(refuse(LEAKY[3]).unwrap_err().to_string().contains("26 August 2017"));
        assert!(refuse(MNIST[5]).unwrap_err().to_string().starts_with("is from MNIST"));
        assert!(refuse(OFFICIAL[0].gz_sha256).is_ok());
    }

    #[test]
    fn digests_are_those_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
        assert_eq!(sha256_of(&[b"a", b"bc"]), abc);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, b"abc").unwrap();
        assert_eq!(sha256_file(file.path()).unwrap(), abc);
    }

    #[test]
    fn every_digest_in_the_tables_is_one() {
        let tables = OFFICIAL.iter().flat_map(|file| [file.gz_sha256, file.sha256]);
        for digest in tables.chain(LEAKY).chain(MNIST) {
            assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()));
        }
    }
}
