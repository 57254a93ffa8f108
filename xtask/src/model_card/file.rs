//! What the weights file says of itself.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use fashion_data::{Origin, known};
use serde::Deserialize;
use serde_json::Value;

/// The accuracy that a machine is to reach on what it sorts, as the file has it.
const TARGET: &str = "0.99";

/// A weights file, by its header.
#[derive(Debug, PartialEq)]
pub(super) struct WeightsFile {
    pub(super) sha256: String,
    pub(super) bytes: usize,
    pub(super) architecture: String,
    /// Numbers that training moves.
    pub(super) parameters: u64,
    /// How images are seen.
    pub(super) tta: String,
    /// Images that temperature and threshold were chosen on.
    pub(super) held_out: u64,
}

/// A tensor in the header of a safetensors file.
#[derive(Deserialize)]
struct Tensor {
    shape: Vec<u64>,
}

impl WeightsFile {
    /// Reads a file, which must be of one network, calibrated, and know what a machine may sort.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&bytes).with_context(|| format!("{} is not what is wanted", path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let length = bytes.first_chunk().map(|length| u64::from_le_bytes(*length));
        let header = length.and_then(|length| bytes[8..].get(..usize::try_from(length).ok()?));
        let header = header.context("it is no safetensors file")?;
        let mut header: BTreeMap<String, Value> =
            serde_json::from_slice(header).context("it is no safetensors file")?;
        let metadata = header.remove("__metadata__").unwrap_or_default();
        let text = |name: &str| metadata.get(name).and_then(Value::as_str);
        let wanted = |name: &str| text(name).with_context(|| format!("it has no `{name}`"));
        let architecture = wanted("architecture")?;
        ensure!(!architecture.contains('×'), "it is {architecture}; expected one network");
        let official = Origin::FashionMnist.to_string();
        let data = wanted("data")?;
        ensure!(data == official, "it was trained on `{data}`; expected `{official}`");
        wanted("temperature")?;
        if text("target_accuracy") != Some(TARGET) || text("threshold").is_none_or(|t| t == "none")
        {
            bail!(
                "it does not know from which confidence on a machine is right {TARGET} of the time; \
                   train it with --target-accuracy {TARGET}"
            );
        }
        let mut parameters = 0;
        for (name, tensor) in header {
            if !name.contains(".running_") && !name.starts_with("statistics.") {
                let tensor: Tensor = serde_json::from_value(tensor)?;
                parameters += tensor.shape.iter().product::<u64>();
            }
        }
        Ok(Self {
            sha256: known::sha256(bytes),
            bytes: bytes.len(),
            architecture: architecture.to_owned(),
            parameters,
            tta: text("tta").unwrap_or("none").to_owned(),
            held_out: wanted("held_out")?.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn file(metadata: &[(&str, &str)]) -> Vec<u8> {
        let mut all: BTreeMap<&str, &str> = BTreeMap::from([
            ("architecture", "vgg"),
            ("data", "Fashion-MNIST (official)"),
            ("temperature", "0.9"),
            ("target_accuracy", "0.99"),
            ("threshold", "0.8"),
            ("held_out", "6000"),
        ]);
        all.extend(metadata.iter().copied());
        all.retain(|_, value| !value.is_empty());
        let tensor =
            |shape: &[u64]| json!({ "dtype": "F32", "shape": shape, "data_offsets": [0, 0] });
        let header = json!({
            "__metadata__": all,
            "conv1.weight": tensor(&[4, 1, 3, 3]),
            "norm1.bias": tensor(&[4]),
            "norm1.running_mean": tensor(&[4]),
            "statistics.mean": tensor(&[9]),
        });
        let header = header.to_string();
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.bytes());
        bytes
    }

    #[test]
    fn a_header_tells_network_parameters_and_calibration() {
        let bytes = file(&[]);
        let found = WeightsFile::parse(&bytes).unwrap();
        let expected = WeightsFile {
            sha256: known::sha256(&bytes),
            bytes: bytes.len(),
            architecture: "vgg".into(),
            parameters: 40,
            tta: "none".into(),
            held_out: 6000,
        };
        assert_eq!(found, expected);
        assert_eq!(WeightsFile::parse(&file(&[("tta", "flip")])).unwrap().tta, "flip");
    }

    #[test]
    fn files_that_a_card_would_be_wrong_about_are_refused() {
        for (metadata, expected) in [
            (("architecture", "2 × vgg"), "expected one network"),
            (("data", "custom"), "expected `Fashion-MNIST (official)`"),
            (("temperature", ""), "no `temperature`"),
            (("threshold", "none"), "--target-accuracy 0.99"),
            (("target_accuracy", "0.9"), "--target-accuracy 0.99"),
        ] {
            let error = WeightsFile::parse(&file(&[metadata])).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        for bytes in [&b""[..], b"12345678", &[9, 0, 0, 0, 0, 0, 0, 0, b'{']] {
            let error = WeightsFile::parse(bytes).unwrap_err().to_string();
            assert!(error.contains("no safetensors file"), "{error}");
        }
    }
}
