//! Weights in safetensors, with PyTorch's names and layouts.
//!
//! A file from here loads in PyTorch with
//! `model.load_state_dict(safetensors.torch.load_file(path), strict=False)` where the modules have the names
//! of the layers, and the other way round: statistics of known images are left out, convolutions are (out, in,
//! row, column), dense layers (out, in), and their columns after a flattening run channel, row, column.
//! It holds the network's graph too, so that [`Classifier`] opens it without
//! this crate.

use crate::architecture::Architecture;
use crate::network::Network;
use crate::tensors::{self, Metadata, NamedTensor, Tensors};
use fashion_data::{Classes, Dataset, MAX_CLASSES};
use fashion_infer::{Classifier, Error, FORMAT, ImageShape, NORMALISATION, Parameter, STATISTICS};
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

/// Makes sure that data are of a classifier's images and classes. A file without names, as others write
/// them, is of any classes of its number.
///
/// # Errors
/// [`Error::Input`] or [`Error::Classes`] with what the two have.
pub fn check_data(classifier: &Classifier, dataset: &Dataset) -> Result<(), Error> {
    let data = ImageShape { channels: dataset.channels(), side: dataset.side() };
    let (found, classes) = (classifier.input(), classifier.classes());
    if found != data {
        return Err(Error::Input { found, expected: data });
    }
    let nameless = !classifier.metadata().contains_key("classes");
    let same = match nameless {
        true => classes.len() == dataset.classes().len(),
        false => classes == &dataset.classes()[..],
    };
    if !same {
        let expected = dataset.classes().to_string();
        let found = if nameless { classes.len().to_string() } else { classes.join(", ") };
        return Err(Error::Classes { found, expected });
    }
    Ok(())
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

/// Gives a fresh network the weights of another training, to be trained further on these classes, and
/// tells which of its tensors stay as they are: those of the head, where it told other classes apart, by
/// their number or by the names in the metadata, or is not there.
///
/// Tensors are matched by their names and shapes, whatever wrote them, and running statistics are among
/// them.
///
/// # Errors
/// [`Error::Unfit`] with the other tensors that one has and the other has not, or of another shape;
/// [`Error::Several`], [`Error::Architecture`], [`Error::Format`], [`Error::Normalisation`] or
/// [`Error::Variance`]. The network then stays as it was.
pub fn transfer(
    network: &mut Network,
    mut tensors: Tensors,
    metadata: &Metadata,
    classes: &Classes,
) -> Result<Vec<String>, Error> {
    if metadata.get("graph").is_some_and(|json| json.trim_start().starts_with('[')) {
        return Err(Error::Several);
    }
    check_origin(network, metadata)?;
    tensors.retain(|name, _| !name.starts_with(STATISTICS));
    let names = metadata.get("classes").map(|json| serde_json::from_str::<Vec<String>>(json).ok());
    let same_classes = names.is_none_or(|names| names.is_some_and(|names| names == classes[..]));
    let head = network.layer_names().last().map(|name| format!("{name}.")).unwrap_or_default();
    let (of_head, of_body): (Vec<_>, Vec<_>) =
        network.parameters().iter().partition(|parameter| parameter.name.starts_with(&head));
    let fits = |parameter: &&Parameter| {
        tensors.get(&parameter.name).is_some_and(|tensor| tensor.shape == parameter.shape)
    };
    let renewed = !(same_classes && of_head.iter().all(fits));
    let mut problems = Vec::new();
    for parameter in of_head.iter().chain(&of_body) {
        let Parameter { name, shape, .. } = parameter;
        let is_of_head = name.starts_with(&head);
        match tensors.get(name) {
            None if is_of_head => {}
            None => problems.push(format!("it lacks {name} {shape:?}")),
            // One row for each class.
            Some(tensor) if is_of_head && tensor.shape.get(1..) == Some(&shape[1..]) => {}
            Some(tensor) if tensor.shape == *shape => parameter.check(&tensor.values)?,
            Some(tensor) => {
                problems.push(format!("its {name} is {:?}, not {shape:?}", tensor.shape));
            }
        }
    }
    let known = |name: &String| network.parameters().iter().any(|known| known.name == *name);
    let strange = tensors.keys().filter(|name| !known(name));
    problems.extend(strange.map(|name| format!("it has {name}, which {} has not", network.name())));
    if !problems.is_empty() {
        return Err(Error::Unfit { network: network.name().to_owned(), problems });
    }
    let anew = of_head.iter().filter(|_| renewed).map(|parameter| parameter.name.clone());
    let anew: Vec<String> = anew.collect();
    network.for_each_parameter_mut(&mut |parameter, values| {
        if !anew.contains(&parameter.name)
            && let Some(tensor) = tensors.remove(&parameter.name)
        {
            values.copy_from_slice(&parameter.to_network_layout(tensor.values));
        }
    });
    Ok(anew)
}

/// Reads weights into a network that there is.
///
/// # Errors
/// [`Error::File`] with what is wrong; the network then stays as it was.
pub fn load_into(network: &mut Network, path: &Path) -> Result<Metadata, Error> {
    let (mut tensors, metadata) = tensors::load(path)?;
    tensors.retain(|name, _| !name.starts_with(STATISTICS));
    check_metadata(network, &metadata)
        .and_then(|()| set_tensors(network, tensors))
        .map_err(|problem| problem.in_file(path))?;
    Ok(metadata)
}

fn check_metadata(network: &Network, metadata: &Metadata) -> Result<(), Error> {
    check_origin(network, metadata)?;
    let classes = network.classes();
    match metadata.get("classes") {
        Some(found)
            if serde_json::from_str::<Vec<String>>(found).map_or(0, |names| names.len())
                != classes =>
        {
            let expected = format!("{classes} names");
            Err(Error::Classes { found: found.clone(), expected })
        }
        _ => Ok(()),
    }
}

/// Makes sure that metadata are of this network's weights, whatever classes it tells apart.
fn check_origin(network: &Network, metadata: &Metadata) -> Result<(), Error> {
    if let Some(found) = metadata.get("format").filter(|&found| found != FORMAT) {
        return Err(Error::Format { found: found.clone(), expected: FORMAT });
    }
    let expected = network.name();
    if let Some(found) = metadata.get("architecture").filter(|&found| found != expected) {
        let expected = format!("{expected:?}");
        return Err(Error::Architecture { found: found.clone(), expected });
    }
    match metadata.get("normalisation").filter(|&found| found != NORMALISATION) {
        Some(found) => Err(Error::Normalisation { found: found.clone(), expected: NORMALISATION }),
        None => Ok(()),
    }
}
