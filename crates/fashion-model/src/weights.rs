//! Weights in safetensors, with PyTorch's names and layouts.
//!
//! A file from here loads in PyTorch with `model.load_state_dict(safetensors.torch.load_file(path))`
//! where the modules have the names of the layers, and the other way round: convolutions are (out, in,
//! row, column), dense layers (out, in), and their columns after a flattening run channel, row, column.
//! It holds the network's graph too, so that [`Classifier`] opens it without
//! this crate.

use crate::architecture::Architecture;
use crate::network::Network;
use crate::tensors::{self, Metadata, NamedTensor, Tensors};
use fashion_data::{Classes, MAX_CLASSES};
use fashion_infer::{Classifier, Error, FORMAT, NORMALISATION};
use std::path::Path;

/// Classes of a network whose file does not say how many.
const USUAL_CLASSES: usize = 10;

/// The network's tensors in PyTorch's layouts.
pub fn to_tensors(network: &Network) -> Tensors {
    let mut tensors = Tensors::new();
    network.for_each_parameter(&mut |parameter, values| {
        let values = parameter.to_file_layout(values.to_vec());
        let tensor = NamedTensor { shape: parameter.shape.clone(), values };
        tensors.insert(parameter.name.clone(), tensor);
    });
    tensors
}

/// Gives the network the tensors, which must be exactly those that it has.
///
/// # Errors
/// [`Error::Missing`], [`Error::Shape`], [`Error::Extra`] or [`Error::Variance`]; the network then stays as it was.
pub fn set_tensors(network: &mut Network, mut tensors: Tensors) -> Result<(), Error> {
    let there: Vec<String> = tensors.keys().cloned().collect();
    let mut values = Vec::new();
    for parameter in network.parameters() {
        let name = parameter.name.clone();
        let Some(tensor) = tensors.remove(&name) else {
            return Err(Error::Missing { name, shape: parameter.shape.clone(), there });
        };
        if tensor.shape != parameter.shape {
            let (found, expected) = (tensor.shape, parameter.shape.clone());
            return Err(Error::Shape { name, found, expected });
        }
        parameter.check(&tensor.values)?;
        values.push(parameter.to_network_layout(tensor.values));
    }
    if let Some((name, _)) = tensors.pop_first() {
        return Err(Error::Extra { name, architecture: network.name().to_owned() });
    }
    set_parameters(network, &values);
    Ok(())
}

/// Gives the network the values of its tensors, in its own order and layouts.
///
/// # Panics
/// If they are not as many, or as long, as its own.
pub fn set_parameters(network: &mut Network, values: &[Vec<f32>]) {
    assert_eq!(values.len(), network.parameters().len(), "values of every parameter");
    let mut values = values.iter();
    network.for_each_parameter_mut(&mut |_, parameter| {
        parameter.copy_from_slice(values.next().expect("as many as there are parameters"));
    });
}

/// The network for use, as a program would open it from a file.
///
/// # Errors
/// If its graph cannot be computed, which no [`Network`] allows.
///
/// # Panics
/// If the network is not of so many classes.
pub fn to_classifier(network: &Network, classes: &Classes) -> Result<Classifier, Error> {
    Classifier::from_parts(to_tensors(network), metadata(network, classes, &Metadata::new()))
}

/// Writes the weights to a file, whole or not at all; an existing one is replaced.
///
/// `format`, `graph`, `architecture`, `classes` (a JSON array) and `normalisation` are added to `extra`.
///
/// # Errors
/// [`Error::File`] with what is wrong: a value that is not finite, or the system's refusal.
///
/// # Panics
/// If the network is not of so many classes.
pub fn save(
    path: &Path,
    network: &Network,
    classes: &Classes,
    extra: &Metadata,
) -> Result<(), Error> {
    tensors::save(path, &to_tensors(network), &metadata(network, classes, extra))
}

fn metadata(network: &Network, classes: &Classes, extra: &Metadata) -> Metadata {
    assert_eq!(network.classes(), classes.len(), "a name of every class");
    let json = |text: Result<String, _>| text.expect("strings and numbers are always valid JSON");
    let mut metadata = extra.clone();
    metadata.insert("format".into(), FORMAT.into());
    metadata.insert("graph".into(), json(serde_json::to_string(network.graph())));
    metadata.insert("architecture".into(), network.name().into());
    metadata.insert("classes".into(), json(serde_json::to_string(&classes[..])));
    metadata.insert("normalisation".into(), NORMALISATION.into());
    metadata
}

/// Reads weights of an [`Architecture`] from a file, with its metadata: the one that they name, else
/// `report-cnn`. See [`load_into`] for others.
///
/// # Errors
/// [`Error::File`] with what is wrong.
pub fn load(path: &Path) -> Result<(Network, Metadata), Error> {
    let (tensors, metadata) = tensors::load(path)?;
    let architecture = match metadata.get("architecture") {
        Some(name) => name
            .parse::<Architecture>()
            .map_err(|unknown| Error::UnknownNetwork(unknown.to_string()).in_file(path))?,
        None => Architecture::ReportCnn,
    };
    let usual = architecture.zeroed(USUAL_CLASSES);
    let biases = usual.parameters().last().and_then(|head| tensors.get(&head.name));
    let classes = biases.and_then(|biases| biases.shape.first().copied());
    let mut network = match classes {
        Some(classes @ 1..=MAX_CLASSES) => architecture.zeroed(classes),
        // Reading them will tell what is wrong.
        _ => usual,
    };
    let metadata = load_into(&mut network, path)?;
    Ok((network, metadata))
}

/// Reads weights into a network that there is.
///
/// # Errors
/// [`Error::File`] with what is wrong; the network then stays as it was.
pub fn load_into(network: &mut Network, path: &Path) -> Result<Metadata, Error> {
    let (tensors, metadata) = tensors::load(path)?;
    check_metadata(network, &metadata)
        .and_then(|()| set_tensors(network, tensors))
        .map_err(|problem| problem.in_file(path))?;
    Ok(metadata)
}

fn check_metadata(network: &Network, metadata: &Metadata) -> Result<(), Error> {
    if let Some(found) = metadata.get("format").filter(|&found| found != FORMAT) {
        return Err(Error::Format { found: found.clone(), expected: FORMAT });
    }
    let expected = network.name();
    if let Some(found) = metadata.get("architecture").filter(|&found| found != expected) {
        let expected = format!("{expected:?}");
        return Err(Error::Architecture { found: found.clone(), expected });
    }
    let classes = network.classes();
    if let Some(found) = metadata.get("classes")
        && serde_json::from_str::<Vec<String>>(found).map_or(0, |names| names.len()) != classes
    {
        let expected = format!("{classes} names");
        return Err(Error::Classes { found: found.clone(), expected });
    }
    match metadata.get("normalisation").filter(|&found| found != NORMALISATION) {
        Some(found) => Err(Error::Normalisation { found: found.clone(), expected: NORMALISATION }),
        None => Ok(()),
    }
}
