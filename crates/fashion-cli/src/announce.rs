//! What several commands say on stderr before their work begins.

use crate::output::{about, inline};
use crate::place::Found;
use fashion_eval::thousands;
use fashion_kernels::simd;
use fashion_model::Network;
use fashion_report::has_letters;
use fashion_train::{Settings, describe};

/// What the data are, and where they were found.
pub(crate) fn data(found: &Found) {
    about("data", format_args!("{} · {}", found.splits.origin, found.source));
    if let Some(text) = assumed(found) {
        about("", text);
    }
    if let Some(text) = letters(found) {
        about("note", text);
    }
}

/// What there is to say where figures cannot show the names of classes.
fn letters(found: &Found) -> Option<String> {
    let classes = found.splits.train.classes();
    let strange = classes.iter().find(|class| !has_letters(class))?;
    Some(format!(
        "PNG figures lack letters of names such as {}; SVG figures and the page show them",
        inline(strange)
    ))
}

/// What there is to say where nothing tells what the classes are.
pub(crate) fn assumed(found: &Found) -> Option<&'static str> {
    let text = "ten classes without names, taken to be the garments of Fashion-MNIST";
    found.splits.assumed.then_some(text)
}

/// What is trained.
pub(crate) fn network(network: &Network) {
    let parameters = thousands(network.graph().parameter_count());
    about("network", format_args!("{}, {parameters} parameters", network.name()));
}

/// What in the settings is not as usual, below what was said of the training.
pub(crate) fn extras(settings: &Settings) {
    let extras = describe::extras(settings);
    if !extras.is_empty() {
        let told: Vec<_> = extras.iter().map(|(name, value)| format!("{name} {value}")).collect();
        about("", told.join(", "));
    }
}

/// What it is computed with.
pub(crate) fn machine(threads: usize) {
    about("machine", format_args!("{threads} threads, {}", simd::Isa::current()));
}
