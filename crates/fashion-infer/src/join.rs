//! One file of the networks of several.

use crate::calibration::Calibration;
use crate::classifier::{Classifier, Contents, FORMAT, NORMALISATION, architecture, prefix};
use crate::error::Error;
use crate::novelty::Novelty;
use crate::tensors::{self, MAX_BYTES, Metadata, Tensors};
use crate::tta::Tta;
use std::path::Path;

/// Makes one classifier of the networks in some files, each as it is there: the mean of their plain
/// probabilities, of images that are seen in this way, not yet calibrated.
///
/// Gives the classifier, and the tensors and the metadata of its file. The members of a file of several
/// become members like all others. Of what the files say of themselves, that is kept in which they agree.
///
/// ```no_run
/// use fashion_infer::{Tta, join, tensors};
/// use std::path::Path;
///
/// let files = ["a.safetensors", "b.safetensors"].map(Path::new);
/// let (classifier, tensors, metadata) = join(&files, Tta::Flip)?;
/// assert_eq!((classifier.members().len(), classifier.architecture()), (2, "2 × vgg"));
/// std::fs::write("both.safetensors", tensors::encode(&tensors, &metadata)?)?;
/// # Ok::<(), fashion_infer::Error>(())
/// ```
///
/// # Errors
/// What is wrong with one of the files, with its name: [`Error::Input`] or [`Error::Classes`] where it is
/// of other images or classes than the first. [`Error::Graph`] if they are too many or too large together.
pub fn join(
    files: &[impl AsRef<Path>],
    tta: Tta,
) -> Result<(Classifier, Tensors, Metadata), Error> {
    let mut parts: Vec<Contents> = Vec::new();
    for path in files {
        let path = path.as_ref();
        let (tensors, metadata) = tensors::load(path)?;
        let contents = Contents::check(tensors, metadata).and_then(|contents| {
            parts.first().map_or(Ok(()), |first| agree(&contents, first)).map(|()| contents)
        });
        parts.push(contents.map_err(|problem| problem.in_file(path))?);
    }
    let Some(first) = parts.first() else {
        return Err(Error::Graph("there is none".to_owned()));
    };
    let mut metadata = first.metadata.clone();
    // The classes are the same, even where their JSON is not.
    metadata.retain(|name, value| {
        name == "classes" || parts.iter().all(|part| part.metadata.get(name) == Some(value))
    });
    Calibration::remove(&mut metadata);
    Novelty::remove(&mut metadata);
    tta.to_metadata(&mut metadata);
    metadata.insert("format".into(), FORMAT.into());
    metadata.insert("normalisation".into(), NORMALISATION.into());
    metadata.insert("architecture".into(), names(&parts));

    let members: Vec<_> = parts.into_iter().flat_map(|part| part.members).collect();
    let several = members.len() > 1;
    let (mut graphs, mut all) = (Vec::new(), Tensors::new());
    for (number, (graph, tensors)) in members.into_iter().enumerate() {
        let prefix = prefix(number, several);
        all.extend(tensors.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)));
        graphs.push(graph);
    }
    let json = match &graphs[..] {
        [graph] => serde_json::to_string(graph),
        graphs => serde_json::to_string(graphs),
    };
    metadata.insert("graph".into(), json.expect("strings and numbers are always valid JSON"));
    let values: u64 = all.values().map(|tensor| tensor.values.len() as u64).sum();
    // With room for the header.
    let most = MAX_BYTES / 4 - (1 << 22);
    if values > most {
        return Err(Error::Graph(format!(
            "its networks have {values} numbers together; a file holds at most {most}"
        )));
    }
    let classifier = Classifier::from_parts(all.clone(), metadata.clone())?;
    Ok((classifier, all, metadata))
}

/// Makes sure that a file is of the images and classes of the first.
fn agree(contents: &Contents, first: &Contents) -> Result<(), Error> {
    let [found, expected] = [contents, first].map(|contents| contents.members[0].0.input());
    if found != expected {
        return Err(Error::Input { found, expected });
    }
    if contents.classes != first.classes {
        let [found, expected] = [contents, first].map(|contents| contents.classes.join(", "));
        return Err(Error::Classes { found, expected });
    }
    Ok(())
}

/// The names of the networks, each once, with how many there are of it: `2 × vgg, resnet`.
fn names(parts: &[Contents]) -> String {
    let mut names: Vec<(&str, usize)> = Vec::new();
    // A file of several says the same of its own.
    for part in parts.iter().flat_map(|part| architecture(&part.metadata).split(", ")) {
        let several = part.split_once(" × ");
        let several = several.and_then(|(count, name)| Some((name, count.parse().ok()?)));
        let (name, more) = several.unwrap_or((part, 1));
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += more,
            None => names.push((name, more)),
        }
    }
    let name = |&(name, count): &(&str, usize)| match count {
        1 => name.to_owned(),
        count => format!("{count} × {name}"),
    };
    names.iter().map(name).collect::<Vec<_>>().join(", ")
}
