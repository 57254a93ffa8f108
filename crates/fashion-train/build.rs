//! Sets `cfg(fashion_data)` when `FASHION_DATA` names real data, so that the tests that need it are
//! compiled as ordinary tests, and otherwise listed as ignored with the reason.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(fashion_data)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=FASHION_DATA");
    if std::env::var_os("FASHION_DATA").is_some_and(|value| !value.is_empty() && value != "sample")
    {
        println!("cargo::rustc-cfg=fashion_data");
    }
}
