//! Weights in safetensors, with PyTorch's names and layouts.
//!
//! A file from here loads in PyTorch with `model.load_state_dict(safetensors.torch.load_file(path))`
//! where the modules are called `conv1`, `conv2`, `fc1` and `fc2`, and the other way round:
//! convolutions are (out, in, row, column), dense layers (out, in), and the columns of `fc1` run
//! channel, row, column.

use crate::architecture::Architecture;
use crate::error::Error;
use crate::network::Network;
use crate::tensors::{self, Metadata, NamedTensor, Tensors};
use fashion_data::CLASSES;
use std::path::Path;

/// How pixels are prepared: k / 255.
pub const NORMALISATION: &str = "0-1";

/// The network's parameters in PyTorch's layouts.
pub fn to_tensors(network: &dyn Network) -> Tensors {
    let mut tensors = Tensors::new();
    network.for_each_parameter(&mut |name, shape, values| {
        let mut values = values.to_vec();
        network.to_file_layout(name, &mut values);
        tensors.insert(name.to_owned(), NamedTensor { shape: shape.to_vec(), values });
    });
    tensors
}

/// Gives the network the parameters, which must be exactly those that it has.
///
/// # Errors
/// [`Error::Missing`], [`Error::Shape`] or [`Error::Extra`]; the network then stays as it was.
pub fn set_tensors(network: &mut dyn Network, mut tensors: Tensors) -> Result<(), Error> {
    let there: Vec<String> = tensors.keys().cloned().collect();
    let mut parameters = Vec::new();
    let mut outcome = Ok(());
    network.for_each_parameter(&mut |name, shape, _| {
        let taken = tensors.remove(name);
        if outcome.is_err() {
            return;
        }
        outcome = match taken {
            None => {
                let (name, shape, there) = (name.into(), shape.into(), there.clone());
                Err(Error::Missing { name, shape, there })
            }
            Some(NamedTensor { shape: found, .. }) if found != shape => {
                Err(Error::Shape { name: name.into(), found, expected: shape.into() })
            }
            Some(NamedTensor { mut values, .. }) => {
                network.to_network_layout(name, &mut values);
                parameters.push(values);
                Ok(())
            }
        };
    });
    outcome?;
    if let Some((name, _)) = tensors.pop_first() {
        return Err(Error::Extra { name, architecture: network.name() });
    }
    set_parameters(network, &parameters);
    Ok(())
}

/// Gives the network the values of its parameters, in its own order and layouts.
///
/// # Panics
/// If they are not as many, or as long, as its own.
pub fn set_parameters(network: &mut dyn Network, values: &[Vec<f32>]) {
    let mut values = values.iter();
    network.for_each_parameter_mut(&mut |_, _, parameter| {
        parameter.copy_from_slice(values.next().expect("values of every parameter"));
    });
    assert!(values.next().is_none(), "values of more parameters than there are");
}

/// Writes the weights to a file, whole or not at all; an existing one is replaced.
///
/// `architecture`, `classes` (a JSON array) and `normalisation` are added to `extra`.
///
/// # Errors
/// [`Error::File`] with what is wrong: a value that is not finite, or the system's refusal.
pub fn save(path: &Path, network: &dyn Network, extra: &Metadata) -> Result<(), Error> {
    let mut metadata = extra.clone();
    metadata.insert("architecture".into(), network.name().into());
    metadata.insert("classes".into(), classes_json());
    metadata.insert("normalisation".into(), NORMALISATION.into());
    tensors::save(path, &to_tensors(network), &metadata)
}

/// Reads weights of the default [`Architecture`] from a file, with its metadata; see [`load_into`] for
/// others. Without metadata, names and shapes must fit.
///
/// # Errors
/// [`Error::File`] with what is wrong.
pub fn load(path: &Path) -> Result<(Box<dyn Network>, Metadata), Error> {
    let mut network = Architecture::default().zeroed();
    let metadata = load_into(&mut *network, path)?;
    Ok((network, metadata))
}

/// As [`load`], into a network that there is.
///
/// # Errors
/// [`Error::File`] with what is wrong; the network then stays as it was.
pub fn load_into(network: &mut dyn Network, path: &Path) -> Result<Metadata, Error> {
    let (tensors, metadata) = tensors::load(path)?;
    check_metadata(network.name(), &metadata)
        .and_then(|()| set_tensors(network, tensors))
        .map_err(|problem| problem.in_file(path))?;
    Ok(metadata)
}

fn check_metadata(expected: &'static str, metadata: &Metadata) -> Result<(), Error> {
    if let Some(found) = metadata.get("architecture").filter(|&found| found != expected) {
        return Err(Error::Architecture { found: found.clone(), expected });
    }
    if let Some(found) = metadata.get("classes")
        && serde_json::from_str::<Vec<String>>(found).ok().is_none_or(|names| names != CLASSES)
    {
        return Err(Error::Classes { found: found.clone(), expected: classes_json() });
    }
    match metadata.get("normalisation").filter(|&found| found != NORMALISATION) {
        Some(found) => Err(Error::Normalisation { found: found.clone(), expected: NORMALISATION }),
        None => Ok(()),
    }
}

fn classes_json() -> String {
    serde_json::to_string(&CLASSES).expect("strings are always valid JSON")
}
