#![doc = "Nothing: see `Cargo.toml`."]
