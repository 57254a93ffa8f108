//! `fashion data audit`

use crate::args::AuditArgs;
use crate::exit;
use crate::output;
use crate::place::{self, Bar, Found};
use anyhow::Result;
use fashion_data::audit::{Audit, Item, NearPair, Odd, Oddity};
use fashion_data::{Error, Split, Unread};
use fashion_eval::thousands;
use serde::Serialize;
use std::process::ExitCode;

/// The object that `--json` prints.
#[derive(Serialize)]
struct Report {
    origin: String,
    source: String,
    classes: Vec<String>,
    train_class_counts: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_class_counts: Option<Vec<usize>>,
    test_class_counts: Vec<usize>,
    /// Groups of images with the same pixels.
    identical: Vec<Vec<Place>>,
    /// How many of the groups are in more than one part.
    leaked: usize,
    /// How many have different labels.
    contradictory: usize,
    /// The largest distance of a near pair.
    near: f64,
    /// How many pairs are within it, across parts, and with different labels.
    near_pair_count: usize,
    near_pairs_across: usize,
    near_pairs_contradictory: usize,
    /// The nearest of them.
    near_pairs: Vec<Near>,
    odd: Vec<Strange>,
    /// Files that were left out when the data were read.
    unread: Vec<LeftOut>,
}

#[derive(Serialize)]
struct LeftOut {
    /// Absent where the data were not in parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<&'static str>,
    path: String,
    problem: String,
}

#[derive(Serialize)]
struct Place {
    split: &'static str,
    index: usize,
    label: u16,
    /// The file in the folder of the data, where these are pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

#[derive(Serialize)]
struct Near {
    distance: f64,
    items: [Place; 2],
}

#[derive(Serialize)]
struct Strange {
    #[serde(flatten)]
    item: Place,
    oddity: &'static str,
}

/// Looks for what may be wrong with the data.
pub(crate) fn run(args: &AuditArgs) -> Result<ExitCode> {
    let found = place::load(&args.data, None, Bar::unless(args.json))?;
    let audit = Audit::new(&found.splits, args.near).map_err(|error| match error {
        error @ Error::Near { .. } => exit::usage(error),
        error => error.into(),
    })?;
    let text = match args.json {
        true => output::json_line(&report(&audit, &found))?,
        false => text(&audit, &found, args.top),
    };
    let code = if args.strict && worthless(&audit) { exit::FAILED } else { exit::DONE };
    exit::unless_closed(output::print(&text), code)
}

/// Whether something was found that is never right.
fn worthless(audit: &Audit) -> bool {
    let empty = |odd: &Odd| matches!(odd.oddity, Oddity::Blank | Oddity::Constant);
    audit.leaked().next().is_some()
        || audit.contradictory().next().is_some()
        || audit.odd.iter().any(empty)
}

fn report(audit: &Audit, found: &Found) -> Report {
    let counts = |split| {
        let counts = audit.class_counts.iter().find(|(other, _)| *other == split);
        counts.map(|(_, counts)| counts.clone())
    };
    let left_out = |Unread { split, path, problem }: &Unread| LeftOut {
        split: split.map(Split::name),
        path: path.display().to_string(),
        problem: problem.clone(),
    };
    let names = found.splits.names();
    let place = |&Item { split, index, label }: &Item| {
        let path = names.get(&(split, index)).cloned();
        Place { split: split.name(), index, label, path }
    };
    let near =
        |pair: &NearPair| Near { distance: pair.distance, items: pair.items.each_ref().map(place) };
    let strange = |odd: &Odd| Strange { item: place(&odd.item), oddity: odd.oddity.name() };
    Report {
        origin: found.splits.origin.to_string(),
        source: found.source.to_string(),
        classes: found.splits.train.classes().to_vec(),
        train_class_counts: counts(Split::Train).unwrap_or_default(),
        validation_class_counts: counts(Split::Validation),
        test_class_counts: counts(Split::Test).unwrap_or_default(),
        identical: audit.identical.iter().map(|group| group.iter().map(place).collect()).collect(),
        leaked: audit.leaked().count(),
        contradictory: audit.contradictory().count(),
        near: audit.near,
        near_pair_count: audit.near_pairs.count,
        near_pairs_across: audit.near_pairs.across,
        near_pairs_contradictory: audit.near_pairs.contradictory,
        near_pairs: audit.near_pairs.nearest.iter().map(near).collect(),
        odd: audit.odd.iter().map(strange).collect(),
        unread: found.splits.unread.iter().map(left_out).collect(),
    }
}

fn text(audit: &Audit, found: &Found, top: usize) -> String {
    let mut out = format!("Data    {}\nFrom    {}\n\n", found.splits.origin, found.source);
    out += &sentences(audit, &found.splits.unread);
    let names = found.splits.train.classes();
    let width = output::width(names.iter().map(String::as_str), 12);
    let class = |item: &Item| output::padded(&names[usize::from(item.label)], width);
    // `validation` is the longest, where there is such a part.
    let part = found.splits.parts().map(|(split, _)| split.name().len()).fold(6, usize::max);
    let files = found.splits.names();
    let file = |item: &Item| {
        files.get(&(item.split, item.index)).map_or_else(String::new, |file| output::inline(file))
    };
    let width_of = |items: &mut dyn Iterator<Item = &Item>| {
        let files: Vec<String> = items.map(file).collect();
        // Wide enough for the column's name, where there is one.
        if found.splits.placed.is_empty() {
            0
        } else {
            output::width(files.iter().map(String::as_str), 4)
        }
    };
    let row = |item: &Item, files: usize| {
        let Item { split, index, .. } = item;
        let row = format!("{:<part$} {index:>6}  {}", split.name(), class(item));
        if files == 0 { row } else { format!("{row}  {:<files$}", file(item)) }
    };
    let head =
        |files: usize| if files == 0 { String::new() } else { format!("  {:<files$}", "File") };
    let mut list = |title: &str, all: usize, columns: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out += &output::title(title, lines.len(), all, "");
            out += columns;
            out += &lines.concat();
        }
    };
    let group = |group: &Vec<Item>| {
        let item = |item: &Item| {
            let file = file(item);
            let comma = if file.is_empty() { "" } else { ", " };
            format!("{} {} ({}{comma}{file})", item.split, item.index, class(item).trim_end())
        };
        group.iter().map(item).collect::<Vec<_>>().join(", ") + "\n"
    };
    let groups = audit.identical.iter().take(top).map(group);
    list("Identical images", audit.identical.len(), "", groups.collect());

    let nearest = &audit.near_pairs.nearest[..top.min(audit.near_pairs.nearest.len())];
    let wide = width_of(&mut nearest.iter().flat_map(|pair| &pair.items));
    let pair = |pair: &NearPair| {
        let [first, second] = pair.items.each_ref().map(|item| row(item, wide));
        format!("  {:.4}  {first}  {}\n", pair.distance, second.trim_end())
    };
    let item = format!("{:<part$}  Index  {:<width$}{}", "Part", "Label", head(wide));
    let columns = format!("Distance  {item}  {}\n", item.trim_end());
    let pairs = nearest.iter().map(pair).collect();
    list("Nearest pairs", audit.near_pairs.count, &columns, pairs);

    let shown = || audit.odd.iter().take(top);
    let wide = width_of(&mut shown().map(|odd| &odd.item));
    let odd = |odd: &Odd| format!("{}  {}\n", row(&odd.item, wide), odd.oddity.name());
    let images = shown().map(odd);
    let columns = format!("{:<part$}  Index  {:<width$}{}  How\n", "Part", "Label", head(wide));
    list("Odd images", audit.odd.len(), &columns, images.collect());

    let unread = &found.splits.unread;
    let line = |unread: &Unread| {
        let path = unread.path.display().to_string();
        format!("{}: {}\n", output::inline(&path), output::inline(&unread.problem))
    };
    list("Left out", unread.len(), "", unread.iter().take(top).map(line).collect());
    out
}

fn sentences(audit: &Audit, unread: &[Unread]) -> String {
    let mut out = match audit.identical.len() {
        0 => "No two images are identical.\n".to_owned(),
        groups => format!(
            "Identical images: {}, {} across parts, {} of different labels.\n",
            counted(groups, "group"),
            thousands(audit.leaked().count()),
            thousands(audit.contradictory().count())
        ),
    };
    out += &format!(
        "Near duplicates (within {}): {}, {} across parts, {} of different labels.\n",
        audit.near,
        counted(audit.near_pairs.count, "pair"),
        thousands(audit.near_pairs.across),
        thousands(audit.near_pairs.contradictory)
    );
    let kinds: Vec<String> = Oddity::ALL
        .into_iter()
        .map(|oddity| (oddity, audit.odd.iter().filter(|odd| odd.oddity == oddity).count()))
        .filter(|&(_, count)| count > 0)
        .map(|(oddity, count)| format!("{} {}", thousands(count), oddity.name()))
        .collect();
    out += &match &kinds[..] {
        [] => "Odd images: none.\n".to_owned(),
        kinds => format!("Odd images: {}.\n", kinds.join(", ")),
    };
    for (split, counts) in &audit.class_counts {
        let part = match split {
            Split::Train => "Training",
            Split::Validation => "Validation",
            Split::Test => "Test",
        };
        let (least, most) = counts
            .iter()
            .fold((usize::MAX, 0), |(least, most), &count| (least.min(count), most.max(count)));
        out += &match least == most {
            true => format!("{part} classes: {} images each.\n", thousands(least)),
            false => {
                format!("{part} classes: {} to {} images.\n", thousands(least), thousands(most))
            }
        };
    }
    if !unread.is_empty() {
        let folders = unread.iter().filter(|unread| unread.path.is_dir()).count();
        let kinds = [(unread.len() - folders, "file"), (folders, "folder")];
        let kinds = kinds.into_iter().filter(|(number, _)| *number > 0);
        let kinds: Vec<String> = kinds.map(|(number, what)| counted(number, what)).collect();
        out += &format!("Left out: {}.\n", kinds.join(", "));
    }
    out
}

/// `1 pair`, `1,234 pairs`.
fn counted(number: usize, what: &str) -> String {
    format!("{} {what}{}", thousands(number), if number == 1 { "" } else { "s" })
}
