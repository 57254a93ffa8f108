//! What is said of a sweep before it begins.

use crate::announce;
use crate::output::about;
use crate::place::Found;
use crate::sweep::notes;
use crate::sweep::progress::{plural, runs};
use fashion_kernels::simd;
use fashion_train::describe;
use fashion_train::sweep::{Method, Options, Scale, Shard, Spec, Sweep, Values};
use fashion_train::value_to_text;

/// Says what is going to happen, and what of it is probably not meant. Each point trains on so many
/// `images`.
pub(crate) fn announce(sweep: &Sweep, found: &Found, images: &[usize], options: &Options<'_>) {
    let spec = &sweep.spec;
    announce::data(found);
    about("sweep", search(spec));
    for (at, (name, values)) in spec.space.iter().enumerate() {
        about(if at == 0 { "varies" } else { "" }, format_args!("{name}: {}", list(values)));
    }
    about("base", base(spec));
    let (points, seeds) = (sweep.points.len(), spec.seeds.len());
    let (points, seeds) = (plural(points, "point"), plural(seeds, "seed"));
    let runs = match spec.is_open_ended() {
        true => format!("as many as there is time for, up to {points} × {seeds}"),
        false => format!("{points} × {seeds} = {}", runs(sweep.trials.len())),
    };
    about("runs", runs);
    if let Some(minutes) = spec.budget_minutes {
        let spent = match sweep.minutes_spent() {
            Ok(spent) if spent > 0.0 => format!(", of which {spent:.1} are spent"),
            _ => String::new(),
        };
        about("budget", format_args!("{minutes} minutes{spent}"));
    }
    let shard = match options.shard {
        Shard::WHOLE => String::new(),
        shard => format!(", shard {shard}"),
    };
    let threads = plural(options.threads, "thread");
    about("machine", format_args!("{threads}, {}{shard}", simd::Isa::current()));
    about("folder", sweep.folder.display());
    for note in notes::before(sweep, images) {
        about("note", note);
    }
}

fn search(spec: &Spec) -> String {
    match spec.method {
        Method::Grid => "grid".to_owned(),
        Method::Random => format!("random, search seed {}", spec.search_seed),
        Method::Halving => format!(
            "successive halving, search seed {}: from epoch {} on one of {} goes on, for {} times as \
             long",
            spec.search_seed, spec.halving.min_epochs, spec.halving.factor, spec.halving.factor
        ),
        Method::Asha => format!(
            "ASHA, search seed {}: from epoch {} on the best of each {} goes on, for {} times as long",
            spec.search_seed, spec.halving.min_epochs, spec.halving.factor, spec.halving.factor
        ),
    }
}

/// `0.1, 0.01`, or `16 to 1024, logarithmic, 7 values`.
fn list(values: &Values) -> String {
    let range = match values {
        Values::List(list) => return list.iter().map(value_to_text).collect::<Vec<_>>().join(", "),
        Values::Range(range) => range,
    };
    let scale = match range.scale {
        Scale::Linear => "",
        Scale::Log => ", logarithmic",
    };
    let count = range.count.map(|count| format!(", {count} values")).unwrap_or_default();
    let [from, to] = <[f64; 2]>::from(range.ends()).map(|end| value_to_text(&end.into()));
    format!("{from} to {to}{scale}{count}")
}

/// The settings that all points share, as far as they are told.
fn base(spec: &Spec) -> String {
    let settings = &spec.base;
    let parts = [
        ("epochs", describe::epochs(settings.epochs as f64)),
        ("batch_size", format!("batches of {}", settings.batch_size)),
        ("optimiser", describe::optimiser(settings)),
        ("learning_rate", format!("rate {}", describe::learning_rate(settings))),
    ];
    let told = parts.into_iter().filter(|(name, _)| !spec.varies(name));
    let told = told.map(|(_, text)| text);
    let extras =
        describe::extras(settings).into_iter().map(|(name, value)| format!("{name} {value}"));
    let told: Vec<String> = told.chain(extras).collect();
    if told.is_empty() { "as usual".to_owned() } else { told.join(", ") }
}
