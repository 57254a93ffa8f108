//! How much memory is free, and what is said where data would take more.
//!
//! On Linux it is what the system says is available (`MemAvailable`), or less where a control group, as
//! those of containers and batch systems, has a limit. Elsewhere it is not known and nothing is refused.

use std::fs;
use std::path::Path;

use crate::Error;

/// Bytes that a process may still take without others, or itself, being pushed out; `None` where the
/// system does not say it.
///
/// ```
/// if let Some(bytes) = fashion_data::memory::free() {
///     println!("{} free", fashion_data::memory::shown(bytes));
/// }
/// ```
#[must_use]
pub fn free() -> Option<u64> {
    if cfg!(target_os = "linux") { free_below(Path::new("/")) } else { None }
}

/// Bytes in words, with one decimal from a MiB up: `3.1 GiB`.
#[must_use]
pub fn shown(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1 << 20 {
        return format!("{bytes} bytes");
    }
    // The next unit from what would be rounded to 1024.0 of this one.
    let mut size = bytes as f64 / f64::from(1 << 20);
    let mut unit = 0;
    while size >= 1023.95 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// What reading something takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// Bytes that stay.
    pub(crate) kept: u64,
    /// Bytes on top of them while it is read.
    pub(crate) passing: u64,
}

impl Need {
    /// One after the other.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            kept: self.kept.saturating_add(other.kept),
            passing: self.passing.max(other.passing),
        }
    }

    /// Refuses what takes more than is free; where that is not known, nothing.
    pub(crate) fn check(
        self,
        what: impl FnOnce() -> String,
        free: Option<u64>,
    ) -> Result<(), Error> {
        let needed = self.kept.saturating_add(self.passing);
        match free {
            Some(free) if needed > free => Err(Error::TooLarge { what: what(), needed, free }),
            _ => Ok(()),
        }
    }
}

/// As [`free`], of a system whose files are in `root`.
fn free_below(root: &Path) -> Option<u64> {
    let text = |path: &str| fs::read_to_string(root.join(path)).ok();
    let kibibytes = value_of(&text("proc/meminfo")?, "MemAvailable:")?;
    let available = kibibytes.saturating_mul(1024);
    let groups = text("proc/self/cgroup").unwrap_or_default();
    let limits = groups.lines().filter_map(|line| free_in_group(root, line));
    Some(limits.fold(available, u64::min))
}

/// What is left of the limits of a control group, a line `ID:CONTROLLERS:PATH`, and those above it.
fn free_in_group(root: &Path, line: &str) -> Option<u64> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    // Of version 2 there is one hierarchy, without names of controllers.
    let (mount, [limit, usage], cached) = if controllers.is_empty() {
        ("sys/fs/cgroup", ["memory.max", "memory.current"], ["inactive_file", "active_file"])
    } else if controllers.split(',').any(|controller| controller == "memory") {
        let files = ["memory.limit_in_bytes", "memory.usage_in_bytes"];
        ("sys/fs/cgroup/memory", files, ["total_inactive_file", "total_active_file"])
    } else {
        return None;
    };
    let mount = root.join(mount);
    let group = mount.join(path.trim_start_matches('/'));
    let left = |group: &Path| {
        let text = |name: &str| fs::read_to_string(group.join(name)).ok();
        // `max` is no number: no limit.
        let limit: u64 = text(limit)?.trim().parse().ok()?;
        let usage: u64 = text(usage)?.trim().parse().ok()?;
        // Files in the cache are given up for whoever needs memory.
        let statistics = text("memory.stat").unwrap_or_default();
        let cached: u64 = cached.iter().filter_map(|name| value_of(&statistics, name)).sum();
        Some(limit.saturating_sub(usage.saturating_sub(cached)))
    };
    group.ancestors().take_while(|group| group.starts_with(&mount)).filter_map(left).min()
}

/// The number behind a name in lines of names and numbers.
fn value_of(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next()? == name).then(|| words.next()?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        free_below(root.path())
    }

    const MEMINFO: (&str, &str) =
        ("proc/meminfo", "MemTotal:  24000000 kB\nMemFree: 5 kB\nMemAvailable:    9000 kB\n");

    #[test]
    fn what_is_available_counts_or_what_a_group_has_left_if_that_is_less() {
        assert_eq!(system(&[]), None);
        assert_eq!(system(&[("proc/meminfo", "MemTotal: 7 kB\n")]), None);
        assert_eq!(system(&[MEMINFO]), Some(9_216_000));
        let second = ("proc/self/cgroup", "0::/batch/job\n");
        assert_eq!(system(&[MEMINFO, second]), Some(9_216_000));
        let job = ("sys/fs/cgroup/batch/job/memory.max", "max\n");
        let used = ("sys/fs/cgroup/batch/job/memory.current", "7000\n");
        assert_eq!(system(&[MEMINFO, second, job, used]), Some(9_216_000));
        // The limit of a group above counts as well; its cached files do not.
        let limit = ("sys/fs/cgroup/batch/memory.max", "10000\n");
        let usage = ("sys/fs/cgroup/batch/memory.current", "9000\n");
        let cached =
            ("sys/fs/cgroup/batch/memory.stat", "anon 1\nactive_file 300\ninactive_file 200\n");
        assert_eq!(system(&[MEMINFO, second, job, used, limit, usage, cached]), Some(1500));
        let first = ("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/1\n");
        let limit = ("sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "5000");
        let usage = ("sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes", "6000");
        assert_eq!(system(&[MEMINFO, first, limit, usage]), Some(0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_system_says_it() {
        assert!(free().is_some_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn bytes_are_told_in_their_unit() {
        let texts = [0, 1_048_575, 1 << 20, 1_073_700_000, 3_328_599_655, u64::MAX].map(shown);
        assert_eq!(
            texts,
            ["0 bytes", "1048575 bytes", "1.0 MiB", "1.0 GiB", "3.1 GiB", "16.0 EiB"]
        );
    }
}
