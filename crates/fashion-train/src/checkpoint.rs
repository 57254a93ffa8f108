//! All that a run needs to go on as if it had never stopped, in one file.

use crate::error::Error;
use crate::history::{from_csv, to_csv};
use crate::settings::Settings;
use crate::trainer::{Parts, Trainer};
use fashion_data::known::sha256;
use fashion_model::tensors::{self, Metadata, NamedTensor, Tensors};
use fashion_model::weights;
use std::path::Path;

/// The name of the tensor of losses; those of networks have a dot.
const LAST_LOSSES: &str = "last_losses";

/// Weights, the optimiser's memory, and the history, after a whole epoch.
///
/// A safetensors file: the parameters in PyTorch's layout under their names, each with what the
/// optimiser remembers of it beside it (`.mean` and `.square`, or `.velocity`, and `.average`); where
/// easy images are left out, `last_losses`, the loss of each image at its last visit; and in the
/// metadata `architecture`, `settings`, `step`, `history` (the text of `history.csv`) and `sha256` of all
/// the rest. There is no random state: streams are keyed by (seed, purpose, epoch, index). Nor
/// is there any of the schedule or of early stopping, which go by the history.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    tensors: Tensors,
    metadata: Metadata,
}

impl Checkpoint {
    /// The state of a trainer between two epochs.
    pub fn of(trainer: &Trainer) -> Checkpoint {
        let network = trainer.raw_network();
        let mut tensors = weights::to_tensors(network);
        let optimiser = trainer.optimiser();
        for (position, parameter) in network.parameters().iter().enumerate() {
            for slot in optimiser.slots.iter().filter(|slot| !slot.values[position].is_empty()) {
                let values = parameter.to_file_layout(slot.values[position].clone());
                let tensor = NamedTensor { shape: parameter.shape.clone(), values };
                tensors.insert(format!("{}.{}", parameter.name, slot.name), tensor);
            }
        }
        if let Some(easy) = trainer.easy() {
            let losses = easy.losses.clone();
            let tensor = NamedTensor { shape: vec![losses.len()], values: losses };
            tensors.insert(LAST_LOSSES.into(), tensor);
        }
        let mut metadata = Metadata::from([
            ("architecture".into(), network.name().into()),
            ("settings".into(), settings_text(trainer.settings())),
            ("step".into(), optimiser.step.to_string()),
            ("history".into(), to_csv(trainer.history())),
        ]);
        metadata.insert("sha256".into(), digest(&tensors, &metadata));
        Checkpoint { tensors, metadata }
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// If a value is not finite or the system refuses.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        Ok(tensors::save(path, &self.tensors, &self.metadata)?)
    }

    /// Reads a file and checks that nothing in it has changed.
    ///
    /// # Errors
    /// If it cannot be read or is damaged.
    pub fn load(path: &Path) -> Result<Checkpoint, Error> {
        let damaged = |problem| Error::Damaged { path: path.into(), problem };
        let (tensors, mut metadata) = tensors::load(path).map_err(|error| match error {
            fashion_model::Error::File { problem, .. }
                if !matches!(*problem, fashion_model::Error::Io(_)) =>
            {
                // Without its advice: ours is another.
                let problem = problem.to_string();
                let problem = problem.split("; ").next().unwrap_or_default();
                damaged(format!("it was cut short or changed ({problem})"))
            }
            other => other.into(),
        })?;
        let stated = metadata.remove("sha256");
        if stated.as_ref() != Some(&digest(&tensors, &metadata)) {
            return Err(damaged("it was changed: its contents do not match their SHA-256".into()));
        }
        Ok(Checkpoint { tensors, metadata })
    }

    /// Puts a fresh trainer into the checkpoint's state. `path` is for errors.
    ///
    /// # Errors
    /// If the checkpoint is of another network, or its history cannot be read.
    pub fn restore(self, trainer: &mut Trainer, path: &Path) -> Result<(), Error> {
        let damaged = |problem: String| Error::Damaged { path: path.into(), problem };
        let Checkpoint { mut tensors, metadata } = self;
        let text = |name: &str| {
            metadata.get(name).ok_or_else(|| damaged(format!("{name} is missing in its metadata")))
        };
        let name = trainer.raw_network().name();
        if text("architecture")? != name {
            let found = text("architecture")?;
            return Err(damaged(format!("it is of the network {found}, not {name}")));
        }
        // What a setting was before there was one, it is by default.
        let stated: Option<Settings> = toml::from_str(text("settings")?).ok();
        let stated = stated.map(|settings| settings_text(&settings));
        if stated != Some(settings_text(trainer.settings())) {
            let problem = "its checkpoint was made with other settings than config.toml has now";
            return Err(Error::OtherRun { path: path.into(), problem: problem.to_owned() });
        }
        let step = text("step")?.parse().map_err(|_| damaged("its step is no number".into()))?;
        let epochs =
            from_csv(text("history")?).map_err(|e| damaged(format!("its history, {e}")))?;
        let Parts { network, optimiser, easy, history } = trainer.parts_mut();
        for (position, parameter) in network.parameters().iter().enumerate() {
            let slots = optimiser.slots.iter_mut();
            for slot in slots.filter(|slot| !slot.values[position].is_empty()) {
                let name = format!("{}.{}", parameter.name, slot.name);
                match tensors.remove(&name) {
                    Some(tensor) if tensor.shape == parameter.shape => {
                        slot.values[position] = parameter.to_network_layout(tensor.values);
                    }
                    _ => return Err(damaged(format!("{name} is missing or misshapen"))),
                }
            }
        }
        if let Some(easy) = easy {
            match tensors.remove(LAST_LOSSES) {
                Some(tensor) if tensor.shape == [easy.losses.len()] => easy.losses = tensor.values,
                _ => return Err(damaged(format!("{LAST_LOSSES} is missing or misshapen"))),
            }
        }
        weights::set_tensors(network, tensors)?;
        optimiser.step = step;
        *history = epochs;
        trainer.take_average();
        Ok(())
    }
}

/// What must not change when a run goes on: all settings, but for how long it is where nothing else
/// follows from that.
fn settings_text(settings: &Settings) -> String {
    let epochs = if settings.schedule().depends_on_epochs() { settings.epochs } else { 0 };
    let settings = Settings { epochs, ..settings.clone() };
    toml::to_string(&settings).expect("settings are numbers and words")
}

/// SHA-256 of the metadata (without itself) and all tensors, in the order of their names.
fn digest(tensors: &Tensors, metadata: &Metadata) -> String {
    let mut bytes = Vec::new();
    for (name, text) in metadata {
        bytes.extend(format!("{name}\0{text}\0").into_bytes());
    }
    for (name, tensor) in tensors {
        bytes.extend(format!("{name}\0{:?}\0", tensor.shape).into_bytes());
        bytes.extend(tensor.bytes());
    }
    sha256(&bytes)
}
