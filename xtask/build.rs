//! Tells the tests whether the official files are at hand.

use std::path::Path;

/// One of the four; the test itself checks them all.
const FILE: &str = "train-images-idx3-ubyte.gz";

fn main() {
    println!("cargo::rustc-check-cfg=cfg(fashion_data)");
    println!("cargo::rerun-if-env-changed=FASHION_DATA");
    println!("cargo::rerun-if-changed=build.rs");
    let Some(data) = std::env::var_os("FASHION_DATA").filter(|data| !data.is_empty()) else {
        return;
    };
    // A relative path is meant from the workspace, where cargo is called.
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(data);
    // As they are published, or as `cargo xtask fetch-data` keeps them beside the npz files.
    for folder in [data.clone(), data.join("download")] {
        if let (true, Ok(folder)) = (folder.join(FILE).exists(), folder.canonicalize()) {
            println!("cargo::rustc-cfg=fashion_data");
            println!("cargo::rustc-env=OFFICIAL_GZ={}", folder.display());
            return;
        }
    }
}
