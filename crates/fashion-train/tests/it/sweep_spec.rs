//! What `sweep.toml` may say, and which points follow from it.

use fashion_model::Architecture;
use fashion_train::sweep::{Method, Spec};
use fashion_train::value_to_text;
use fashion_train::{Error, OptimiserKind, Recipe, ScheduleKind};
use std::path::Path;

fn parse(text: &str) -> Result<Spec, Error> {
    Spec::parse(text, Path::new("sweep.toml"))
}

/// The values of each point, as text.
fn points(text: &str) -> Vec<Vec<String>> {
    let points = parse(text).unwrap().points(Path::new("sweep.toml")).unwrap();
    points.iter().map(|point| point.values.values().map(value_to_text).collect()).collect()
}

fn column(text: &str) -> Vec<String> {
    points(text).into_iter().map(|mut values| values.remove(0)).collect()
}

fn refused(text: &str) -> String {
    let spec = parse(text).and_then(|spec| spec.points(Path::new("sweep.toml")).map(drop));
    spec.unwrap_err().to_string()
}

#[test]
fn what_is_left_out_has_its_default_and_all_is_written() {
    let spec = parse("").unwrap();
    assert_eq!(spec, Spec::default());
    assert_eq!(spec.points(Path::new("")).unwrap().len(), 1);
    let full = parse(
        "method = 'halving'\nseeds = 2\nsamples = 7\nsearch_seed = 3\nhalving.factor = 4\n\
         base.clip_norm = 2\n[space]\nbatch_size = { from = 16, to = 64 }\n\
         learning_rate = [0.1, 1e-5]\nvalidation = [0.1, '0.25']\n\
         momentum = { from = 0.5, to = 0.99, scale = 'log', count = 3 }\noptimiser = ['sgd']\n\
         class_weights = ['none', [1, 1, 1, 1, 1, 1, 1, 1, 1, 0.5]]",
    )
    .unwrap();
    let written = full.to_toml();
    let named = full.named.clone();
    assert_eq!(Spec { named, ..parse(&written).unwrap() }, full, "{written}");
    // What varies has no other value, and the order is that of the file.
    assert!(!written.contains("batch_size = 128") && !written.contains("seed = 0\n\n"));
    let space = written.split("[space]\n").nth(1).unwrap();
    assert!(
        space.starts_with("batch_size = { from = 16, to = 64, scale = \"linear\" }\n"),
        "{space}"
    );
    assert!(space.contains("\nvalidation = [0.1, 0.25]\n"), "{space}");
    assert_eq!((full.seeds, full.halving.factor, full.halving.min_epochs), (vec![0, 1], 4, 1));
}

#[test]
fn a_grid_is_every_combination_the_last_fastest() {
    let text = "[space]\nlearning_rate = [0.1, 0.01]\nbatch_size = [8, 16, 32]";
    let expected: Vec<_> = [("0.1", "8"), ("0.1", "16"), ("0.1", "32"), ("0.01", "8")]
        .map(|(rate, batch)| vec![rate.to_owned(), batch.to_owned()])
        .into();
    assert_eq!(points(text)[..4], expected);
    let spec = parse(text).unwrap();
    let points = spec.points(Path::new("")).unwrap();
    assert_eq!(points.len(), 6);
    let last = &points[5];
    assert_eq!((last.number, last.settings.learning_rate, last.settings.batch_size), (6, 0.01, 32));
    assert_eq!(last.describe(), "point 6 (learning_rate 0.01, batch_size 32)");
}

#[test]
fn ranges_are_spaced_as_their_scale_says() {
    let rates = column("[space]\nlearning_rate = { from=1e-5, to=1e-1, scale='log', count=9 }");
    assert_eq!(
        rates,
        ["1e-5", "3.162e-5", "1e-4", "3.162e-4", "0.001", "0.003162", "0.01", "0.03162", "0.1"]
    );
    let batches = column("[space]\nbatch_size = { from=16, to=1024, scale='log', count=7 }");
    assert_eq!(batches, ["16", "32", "64", "128", "256", "512", "1024"]);
    assert_eq!(
        column("[space]\nbeta1 = { from = 0, to = 0.9, count = 4 }"),
        ["0", "0.3", "0.6", "0.9"]
    );
    // With a count a range is a list for drawing, too.
    let text = "method = 'random'\nsamples = 4\n[space]\nbeta1 = { from=0, to=0.9, count=4 }";
    let mut drawn = column(text);
    drawn.sort();
    assert_eq!(drawn, ["0", "0.3", "0.6", "0.9"]);
}

#[test]
fn draws_are_within_range_different_and_do_not_depend_on_how_many() {
    let text = |samples: usize, rest: &str| {
        format!(
            "method = 'random'\nsamples = {samples}\n{rest}\n[space]\n\
             batch_size = {{ from = 1, to = 4 }}\n\
             learning_rate = {{ from = 1e-4, to = 1e-1, scale = 'log' }}\n\
             optimiser = ['adam', 'sgd']"
        )
    };
    let many = points(&text(2000, ""));
    assert_eq!(points(&text(20, ""))[..], many[..20]);
    assert_ne!(points(&text(20, "search_seed = 1"))[0], many[0]);
    let share = |of: &dyn Fn(&Vec<String>) -> bool| {
        many.iter().filter(|point| of(point)).count() as f64 / many.len() as f64
    };
    for whole in ["1", "2", "3", "4"] {
        assert!((share(&|point| point[0] == whole) - 0.25).abs() < 0.03, "{whole}");
    }
    // A third for each power of ten.
    for (from, to) in [(1e-4, 1e-3), (1e-3, 1e-2), (1e-2, 1e-1)] {
        let within = |point: &Vec<String>| (from..to).contains(&point[1].parse::<f64>().unwrap());
        assert!((share(&within) - 1.0 / 3.0).abs() < 0.04, "{from}");
    }
    assert!((share(&|point| point[2] == "sgd") - 0.5).abs() < 0.04);
    let mut all = many.clone();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 2000);
    // Four digits, so that they can be read and typed.
    assert!(many.iter().all(|point| point[1].trim_start_matches(['0', '.']).len() <= 8));

    let few =
        "method = 'random'\nsamples = 6\n[space]\nbatch_size = [1, 2]\nbeta1 = [0.1, 0.2, 0.3]";
    assert_eq!(points(few).len(), 6);
    let error = refused(&few.replace("= 6", "= 7"));
    assert!(error.contains("samples = 7: only 6 different points"), "{error}");
}

#[test]
fn every_draw_is_what_it_always_was() {
    let text = "method = 'random'\nsamples = 3\n[space]\n\
                learning_rate = { from = 1e-5, to = 1, scale = 'log' }\nbatch_size = [16, 32, 64]";
    assert_eq!(points(text).concat(), DRAWS);
}

/// As a `ChaCha8` written in Python from RFC 7539 gives them, w(key) being its first word: of draw d,
/// `math.exp(math.log(1e-5) * (1 - (w(0, 8, 0, d) >> 8) / 2**24))` and
/// `[16, 32, 64][w(0, 8, 1, d) * 3 >> 32]`, with keys of four little-endian u64.
const DRAWS: [&str; 6] = ["4.839e-4", "64", "0.001287", "32", "1.926e-5", "64"];

#[test]
fn what_is_wrong_is_named_with_what_would_be_right() {
    for (text, part) in [
        ("metod = 'grid'", "there is no key metod; did you mean method?"),
        ("epochs = 3", "there is no key epochs; settings belong below a line [base]"),
        ("method = 'greed'", "unknown variant `greed`"),
        ("schema = 'fashion-sweep/9'", "expected \"fashion-sweep/1\""),
        ("[halving]\neta = 3", "there is no key of [halving] eta"),
        ("[base]\nepoch = 3", "there is no setting epoch; did you mean epochs?"),
        ("[base]\nseed = 3", "seed = 3: every point is trained with each of the seeds"),
        ("[base]\nepochs = 3\n[space]\nepochs = [1]", "epochs = 3: it is in [space] too"),
        ("[space]\nlearning_rat = [1]", "there is no setting learning_rat; did you mean"),
        ("[space]\nlearning_rat = []", "there is no setting learning_rat; did you mean"),
        ("[space]\nlearning_rate = []", "learning_rate = []: expected at least one value"),
        ("[space]\nlearning_rate = 0.1", "what does not vary belongs in [base]"),
        ("[space]\nlearning_rate = ['x']", "learning_rate = \"x\": invalid type"),
        ("[space]\nlearning_rate = [1, 1.0]", "1 is there twice"),
        ("[space]\nseed = [1]", "set seeds"),
        ("[space]\ntarget_accuracy = [0.9]", "changes nothing in training"),
        ("[space]\nbatch_size = { from = 1.5, to = 3 }", "batch_size = 1.5: invalid type"),
        ("[space]\nbatch_size = { form = 1, to = 3 }", "key of a range form; did you mean from?"),
        ("[space]\nbatch_size = { from = 1 }", "missing field `to`"),
        ("[space]\nbatch_size = { from = 3, to = 3 }", "expected from to be less than to"),
        ("[space]\nbeta1 = { from = 0, to = 0.5, scale = 'log' }", "expected from to be above 0"),
        ("[space]\nbeta1 = { from = 0, to = 0.5, scale = 'lag' }", "unknown variant `lag`"),
        ("[space]\nbeta1 = { from = 0, to = 0.5 }", "a grid needs a list, or a range with a count"),
        ("[space]\nbeta1 = { from = 0, to = 0.5, count = 1 }", "a count of at least 2"),
        ("[space]\nbatch_size = { from = 1, to = 3, count = 9 }", "set a smaller count"),
        ("[space]\nvalidation = { from = 0.1, to = 'none' }", "give a list"),
        ("seeds = []", "seeds = []: expected 1 to 1000 seeds"),
        ("seeds = 0", "expected 1 to 1000 seeds"),
        ("seeds = 4294967295", "expected 1 to 1000 seeds"),
        ("seeds = [1, 2, 1]", "1 is there twice"),
        ("seeds = 'many'", "seeds"),
        ("method = 'random'\nsamples = 0", "samples = 0: expected 1 to"),
        (
            "method = 'halving'\nsamples = 1\nbase.epochs = 1",
            "min_epochs = 1: expected 1 or more, and fewer than epochs, 1",
        ),
        ("method = 'halving'\nhalving.factor = 1", "factor = 1: expected at least 2"),
        ("method = 'halving'\nspace.epochs = [1, 2]", "set them in [base]"),
        ("method = 'halving'\nspace.recipe = ['quick', 'best']", "set them in [base]"),
        ("method = 'asha'\nhalving.factor = 1", "factor = 1: expected at least 2"),
        (
            "method = 'asha'\nsamples = 2\nhalving.min_epochs = 3\nspace.epochs = [2, 3]",
            "min_epochs = 3: expected 1 or more, and fewer than epochs, 3",
        ),
        ("budget_minutes = 0", "budget_minutes = 0.0: expected a number of minutes above 0"),
        ("budget_minutes = -5", "expected a number of minutes above 0"),
        ("budget_minutes = nan", "expected a number of minutes above 0"),
        ("recipe = 'fast'", "recipe = \"fast\": expected one of report, report-tuned, quick, best"),
        ("recipe = 'report'", "point 1: validation is test; expected a share"),
        ("[base]\nrecipe = 'quick'", "it belongs at the top of the file"),
        ("recipe = 'best'\n[space]\nrecipe = ['quick']", "it is in [space] too"),
        ("[space]\nrecipe = ['quick', 'fast']", "recipe = \"fast\": expected one of"),
        ("[space]\nrecipe = []", "recipe = []: expected at least one value"),
        ("[space]\nrecipe = { from = 1, to = 2 }", "recipe = 1: expected one of"),
        ("method = 'asha'\nsamples = 9\nspace.beta1 = [0.1, 0.2]", "only 2 different points"),
        ("[base]\nvalidation = 'test'", "point 1: validation is test; expected a share"),
        ("[base]\nepochs = 0", "point 1: epochs is 0; expected at least 1"),
        (
            "[space]\nbatch_size = [8, 16]\nlearning_rate = [0.1, -1]",
            "point 2 (batch_size 8, learning_rate -1): learning_rate is -1; expected a positive",
        ),
    ] {
        let error = refused(text);
        assert!(error.contains(part), "{text}: {error} lacks {part}");
    }
    let sizes: Vec<String> = (1..=400).map(|size| size.to_string()).collect();
    let list = sizes.join(", ");
    let error = refused(&format!("[space]\nbatch_size = [{list}]\nepochs = [{list}]"));
    assert!(error.contains("more than 100000 points"), "{}", &error[error.len() - 200..]);
}

#[test]
fn a_point_may_make_possible_what_the_base_alone_is_not() {
    let text = "[base]\nweight_decay = 0.01\n[space]\noptimiser = ['adamw', 'sgd']";
    let points = parse(text).unwrap().points(Path::new("")).unwrap();
    assert_eq!(points[1].settings.optimiser, OptimiserKind::Sgd);
    assert_eq!(parse(text).unwrap().method, Method::Grid);
    let error = refused(&text.replace("'sgd'", "'adam'"));
    assert!(error.contains("point 2 (optimiser adam): weight_decay is 0.01"), "{error}");
}

#[test]
fn a_point_wins_over_the_base_and_that_over_a_recipe() {
    let path = Path::new("sweep.toml");
    let [quick, best] = ["quick", "best"].map(|name| Recipe::named(name).unwrap().settings());
    // One recipe for all: it is where the base begins.
    let text = "recipe = 'quick'\n[base]\nepochs = 3\n[space]\nlearning_rate = [0.5, 0.25]";
    let spec = parse(text).unwrap();
    let settings = &spec.points(path).unwrap()[0].settings;
    assert_eq!((settings.epochs, settings.learning_rate), (3, 0.5));
    assert_eq!((settings.network, settings.schedule), (Architecture::Vgg, ScheduleKind::OneCycle));
    // The file that is written needs no recipe, and one over it leaves alone what was set.
    assert_eq!(parse(&spec.to_toml()).unwrap().points(path).unwrap(), spec.points(path).unwrap());
    let settings = spec.over(Recipe::named("best").unwrap()).unwrap().base;
    assert_eq!((settings.epochs, settings.network), (3, best.network));

    // Recipes that vary, with a value of the base that is also the default, and one of the point.
    let text = "[base]\nepochs = 10\n[space]\nnetwork = ['resnet']\nrecipe = ['quick', 'best']";
    let spec = parse(text).unwrap();
    for spec in [parse(&spec.to_toml()).unwrap(), spec] {
        let points = spec.points(path).unwrap();
        assert_eq!(points[1].describe(), "point 2 (network resnet, recipe best)");
        for (point, recipe) in points.iter().zip([&quick, &best]) {
            let network = Architecture::Resnet;
            let expected =
                fashion_train::Settings { members: 1, epochs: 10, network, ..recipe.clone() };
            assert_eq!(point.settings, expected);
        }
        assert!(spec.varies("learning_rate") && !spec.varies("epochs"));
    }
}

#[test]
fn a_budget_lets_asha_draw_on() {
    let path = Path::new("");
    let text = "method = 'asha'\nbudget_minutes = 5\n[space]\nlearning_rate = { from = 0, to = 1 }";
    let open = parse(text).unwrap();
    assert!(open.is_open_ended());
    let points = open.points(path).unwrap();
    assert_eq!(points.len(), 1000);
    assert!(parse(&open.to_toml()).unwrap().is_open_ended());
    let closed = parse(&format!("samples = 7\n{text}")).unwrap();
    assert!(!closed.is_open_ended());
    assert_eq!(closed.points(path).unwrap(), points[..7]);
    let random = parse(&text.replace("asha", "random")).unwrap();
    assert_eq!(random.points(path).unwrap(), points[..20]);
    // Of few there are, all.
    let few = text.replace("{ from = 0, to = 1 }", "[0.1, 0.2]");
    assert_eq!(parse(&few).unwrap().points(path).unwrap().len(), 2);
    // Only whole sweeps are open to it.
    for (spec, part) in [(&closed, "the method asha"), (&random, "a sweep with a budget")] {
        let error = spec.check_shard("1/2".parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        spec.check_shard("0/1".parse().unwrap()).unwrap();
    }
}

#[test]
fn the_files_that_the_documentation_shows_are_possible() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sweeps.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let files: Vec<&str> =
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(files.len(), 2);
    for file in files {
        parse(file).unwrap().points(&path).unwrap();
    }
}
