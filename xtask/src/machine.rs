//! What a measurement was made on.

use std::fs;
use std::process::Command;
use std::thread;

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

/// Processor, cores, system and versions, as half a sentence.
pub(crate) fn describe(workspace: &Workspace) -> Result<String> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let plural = if cores == 1 { "core" } else { "cores" };
    let mut rustc = Command::new("rustc");
    let rustc = command::text(rustc.arg("--version").current_dir(workspace.root()))?;
    // The version is "rustc 1.95.0 (hash date)".
    let rustc = rustc.split(" (").next().unwrap_or_default().trim();
    Ok(format!(
        "{cores} {plural} of {}, {}; fashion {}, {rustc}",
        processor().unwrap_or_else(|| "an unnamed processor".to_owned()),
        std::env::consts::OS,
        env!("CARGO_PKG_VERSION"),
    ))
}

/// The widest vectors that the processor has, of those that the kernels know.
pub(crate) fn vectors() -> Option<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        if avx512 && avx2 {
            return Some("AVX-512");
        } else if avx2 {
            return Some("AVX2");
        }
    }
    None
}

fn processor() -> Option<String> {
    match std::env::consts::OS {
        "linux" => processor_in(&fs::read_to_string("/proc/cpuinfo").ok()?),
        "macos" => {
            let mut sysctl = Command::new("sysctl");
            let name = command::text(sysctl.args(["-n", "machdep.cpu.brand_string"])).ok()?;
            Some(name.trim().to_owned())
        }
        _ => std::env::var("PROCESSOR_IDENTIFIER").ok(),
    }
}

fn processor_in(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_read_from_cpuinfo() {
        let cpuinfo = "processor\t: 0\nmodel\t\t: 106\nmodel name\t: A Processor @ 2 GHz\n";
        assert_eq!(processor_in(cpuinfo).unwrap(), "A Processor @ 2 GHz");
        assert_eq!(processor_in(""), None);
    }
}
