//! `environment.json`: what may differ between two equal runs, and nowhere else.

use fashion_kernels::simd::Isa;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where, when and with what a run was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The run's name: its folder's.
    pub name: String,
    /// Where the data came from.
    pub data: DataPlace,
    /// Threads that computed.
    pub threads: usize,
    /// The vector arithmetic: `avx512`, `avx2` or `portable`.
    pub simd: String,
    /// Operating system and processor family, such as `linux-x86_64`.
    pub system: String,
    /// The processor's name, where the system tells it.
    pub processor: String,
    /// Version of this program.
    pub fashion: String,
    /// Each time that the run was worked on.
    pub sessions: Vec<Session>,
}

/// Where a run's data came from, so that it finds them again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataPlace {
    /// A folder, or `sample`, to be read.
    pub place: String,
    /// The folder as the system names it, where that is not Unicode, so that `place` cannot be it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<OsString>,
    /// The name of the npz files' images, where it had to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images_key: Option<String>,
    /// The name of the npz files' labels, where it had to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels_key: Option<String>,
    /// The names of the classes, where they had to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
    /// The label of the first class, where it had to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels_from: Option<u16>,
}

/// One uninterrupted piece of work on a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Epochs done in it.
    pub epochs: usize,
    /// Training images per second, validation and files included.
    pub images_per_second: f64,
    /// The vector arithmetic that computed.
    #[serde(default)]
    pub simd: String,
    /// The [revision](fashion_kernels::ARITHMETIC) of the arithmetic.
    #[serde(default)]
    pub arithmetic: u32,
}

impl DataPlace {
    /// A folder, or `sample`, without names of arrays.
    #[must_use]
    pub fn new(place: &Path) -> DataPlace {
        let exact = place.to_str().is_none().then(|| place.as_os_str().to_owned());
        DataPlace { place: place.display().to_string(), exact, ..DataPlace::default() }
    }

    /// The folder, or `sample`.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.exact.as_ref().map_or_else(|| PathBuf::from(&self.place), PathBuf::from)
    }
}

impl Environment {
    /// This process's environment.
    pub fn here(name: String, data: DataPlace, threads: usize) -> Environment {
        Environment {
            name,
            data,
            threads,
            simd: Isa::current().to_string(),
            system: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            processor: processor(),
            fashion: env!("CARGO_PKG_VERSION").to_owned(),
            sessions: Vec::new(),
        }
    }
}

impl Session {
    /// A session of `epochs` epochs with `images` training images in all.
    pub fn new(started: SystemTime, took: Duration, epochs: usize, images: usize) -> Session {
        Session {
            started: humantime::format_rfc3339_seconds(started).to_string(),
            seconds: took.as_secs_f64(),
            epochs,
            images_per_second: images as f64 / took.as_secs_f64().max(1e-9),
            simd: Isa::current().to_string(),
            arithmetic: fashion_kernels::ARITHMETIC,
        }
    }
}

/// Linux tells the processor's name in a file; elsewhere it stays unknown.
fn processor() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    named
        .and_then(|rest| rest.split_once(':'))
        .map_or("unknown", |(_, name)| name.trim())
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_again_whatever_their_names() {
        let plain = DataPlace::new(Path::new("/data/é"));
        let text = serde_json::to_string(&plain).unwrap();
        assert_eq!(text, r#"{"place":"/data/é"}"#);
        let back: DataPlace = serde_json::from_str(&text).unwrap();
        assert_eq!((back.path(), back), (PathBuf::from("/data/é"), plain));
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            let path = Path::new(std::ffi::OsStr::from_bytes(b"/d\xff"));
            let text = serde_json::to_string(&DataPlace::new(path)).unwrap();
            assert_eq!(text, "{\"place\":\"/d\u{fffd}\",\"exact\":{\"Unix\":[47,100,255]}}");
            assert_eq!(serde_json::from_str::<DataPlace>(&text).unwrap().path(), path);
        }
    }
}
