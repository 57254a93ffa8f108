//! Sweeps: what they try, that they come out the same however they are done, and what they refuse.

use crate::common::{files, small};
use fashion_data::Splits;
use fashion_model::Architecture;
use fashion_train::sweep::{Event, Finish, Options, Shard, Spec, Status, Sweep, Tell};
use fashion_train::{DataPlace, Epoch, Error};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const GRID: &str = "
seeds = [0, 7]
[base]
epochs = 2
batch_size = 50
[space]
learning_rate = [0.001, 1e30]
optimiser = ['adam', 'adamw']
";

const HALVING: &str = "
method = 'halving'
samples = 6
seeds = 2
[halving]
factor = 2
[base]
epochs = 5
batch_size = 60
schedule = 'cosine'
[space]
learning_rate = { from = 1e-5, to = 1e-2, scale = 'log' }
label_smoothing = [0, 0.1]
";

const ASHA: &str = "
method = 'asha'
samples = 8
seeds = 2
[halving]
factor = 2
[base]
epochs = 5
batch_size = 60
[space]
learning_rate = { from = 1e-5, to = 1e-2, scale = 'log' }
";

fn spec(text: &str, splits: &Splits) -> Spec {
    let path = Path::new("sweep.toml");
    Spec::parse(text, path).unwrap().resolved(Architecture::ReportCnn.name(), splits, path).unwrap()
}

fn begin(text: &str, splits: &Splits, folder: &Path) -> Sweep {
    Sweep::create(Some(folder), spec(text, splits)).unwrap()
}

fn options(jobs: usize, threads: usize) -> Options<'static> {
    Options { jobs: Some(jobs), threads, ..Options::default() }
}

fn run(
    sweep: &Sweep,
    splits: &Splits,
    options: &Options<'_>,
    tell: Tell<'_>,
) -> Result<Finish, Error> {
    sweep.run(
        &|settings| settings.network.build(10, settings.seed),
        splits,
        &DataPlace::default(),
        options,
        tell,
    )
}

/// Collects, and gives all files but those that may differ.
fn collected(sweep: &Sweep) -> BTreeMap<String, Vec<u8>> {
    let results = sweep.collect().unwrap();
    assert_eq!(results.missing, []);
    results.write(sweep).unwrap();
    let mut files = files(&sweep.folder);
    assert!(files.remove("timings.csv").is_some());
    files
}

fn assert_same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(one), names(other));
    for (name, bytes) in one {
        assert!(other[name] == *bytes, "{name} differs");
    }
}

#[test]
fn a_grid_is_the_same_however_it_is_done() {
    let (splits, temporary) = (small(300, 50), tempfile::tempdir().unwrap());
    let folder = |name: &str| temporary.path().join(name);
    let one = begin(GRID, &splits, &folder("one"));
    assert_eq!(run(&one, &splits, &options(1, 1), &|_| {}).unwrap(), Finish::Complete);
    let expected = collected(&one);
    let trials: Vec<&str> = expected
        .keys()
        .filter_map(|name| name.strip_prefix("trials/")?.strip_suffix("/outcome.json"))
        .collect();
    assert_eq!(
        trials,
        [
            "0001-seed0",
            "0001-seed7",
            "0002-seed0",
            "0002-seed7",
            "0003-seed0",
            "0003-seed7",
            "0004-seed0",
            "0004-seed7"
        ]
    );
    assert!(!expected.keys().any(|name| name.contains("checkpoint")));

    // The last setting varies fastest, and what diverges is a result.
    let text = |name: &str| String::from_utf8(expected[name].clone()).unwrap();
    let table = text("results.csv");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0],
        "trial,point,seed,learning_rate,optimiser,status,epochs_done,best_epoch,\
         validation_accuracy,validation_loss,train_loss,diverged_epoch,diverged_step"
    );
    assert!(lines[1].starts_with("0001-seed0,1,0,0.001,adam,complete,2,"), "{table}");
    assert!(lines[4].starts_with("0002-seed7,2,7,0.001,adamw,complete,2,"), "{table}");
    assert!(lines[5].starts_with("0003-seed0,3,0,1e30,adam,diverged,0,,,,,1,"), "{table}");
    let points = text("points.csv");
    let ranks: Vec<&str> =
        points.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    // Without weight decay adamw is adam; of equal points the first is the better.
    assert_eq!(ranks, ["1", "2", "3", "4"], "{points}");
    assert!(
        points.lines().nth(3).unwrap().starts_with("3,3,1e30,adam,2,2,false,0,0,,,"),
        "{points}"
    );
    let outcome = text("trials/0003-seed0/outcome.json");
    assert!(outcome.contains("training diverged"), "{outcome}");

    // The figures are those of the histories.
    let results = one.collect().unwrap();
    let best = results.best().unwrap();
    let accuracies: Vec<f64> = results
        .trials_of(&best.point)
        .map(|result| {
            let of = |epoch: &Epoch| epoch.validation_accuracy.unwrap();
            result.history.iter().map(of).fold(0.0, f64::max)
        })
        .collect();
    let [a, b] = accuracies[..] else { panic!("{accuracies:?}") };
    assert_eq!(best.validation_accuracy_mean, Some((a + b) / 2.0));
    assert!((best.validation_accuracy_sd.unwrap() - (a - b).abs() / 2f64.sqrt()).abs() < 1e-12);
    assert_eq!(results.diverged(), 4);

    let three = begin(GRID, &splits, &folder("three"));
    assert_eq!(run(&three, &splits, &options(3, 5), &|_| {}).unwrap(), Finish::Complete);
    assert_same(&expected, &collected(&three));

    // Two processes, each of which knows nothing but the folder.
    for shard in ["1/2", "0/2"] {
        let part = Sweep::join(&folder("shards"), &spec(GRID, &splits)).unwrap();
        let options = Options { shard: shard.parse().unwrap(), ..options(2, 2) };
        assert_eq!(run(&part, &splits, &options, &|_| {}).unwrap(), Finish::Complete);
        let missing = part.collect().unwrap().missing;
        assert_eq!(missing.len(), if shard == "1/2" { 4 } else { 0 });
        assert!(missing.iter().all(|trial| trial.index % 2 == 0));
    }
    assert_same(&expected, &collected(&Sweep::open(&folder("shards")).unwrap()));
}

/// Sets a flag after so many steps of all trials.
fn stop_after(steps: usize, stop: &AtomicBool) -> impl Fn(Event<'_>) + Sync {
    let left = AtomicUsize::new(steps);
    move |event| {
        if matches!(event, Event::Step(..)) && left.fetch_sub(1, Ordering::SeqCst) == 1 {
            stop.store(true, Ordering::SeqCst);
        }
    }
}

/// Stops a sweep again and again until it is done; gives how often that was.
fn with_interruptions(sweep: &Sweep, splits: &Splits, steps: usize, jobs: usize) -> usize {
    for times in 1.. {
        let stop = AtomicBool::new(false);
        let options = Options { stop: Some(&stop), ..options(jobs, jobs) };
        match run(sweep, splits, &options, &stop_after(steps, &stop)).unwrap() {
            Finish::Stopped => {}
            Finish::Complete => return times,
            other => panic!("{other:?}"),
        }
    }
    unreachable!("it comes to an end")
}

#[test]
fn an_interrupted_sweep_goes_on_to_the_same_bits() {
    let (splits, temporary) = (small(300, 50), tempfile::tempdir().unwrap());
    for (name, text, jobs) in [("grid", GRID, 2), ("halving", HALVING, 2), ("asha", ASHA, 1)] {
        let folder = |part: &str| temporary.path().join(format!("{name} {part}"));
        let whole = begin(text, &splits, &folder("whole"));
        assert_eq!(run(&whole, &splits, &options(jobs, 2), &|_| {}).unwrap(), Finish::Complete);
        let expected = collected(&whole);
        let stopped = begin(text, &splits, &folder("stopped"));
        assert!(with_interruptions(&stopped, &splits, 19, jobs) > 2);
        assert_same(&expected, &collected(&stopped));
        // There is nothing left to do, and nothing is done.
        let times = |folder: &Path| {
            let path = folder.join("trials/0001-seed0/outcome.json");
            fs::metadata(path).unwrap().modified().unwrap()
        };
        let before = times(&whole.folder);
        let nothing = |event: Event<'_>| assert!(!matches!(event, Event::Step(..)), "done again");
        assert_eq!(run(&whole, &splits, &options(2, 2), &nothing).unwrap(), Finish::Complete);
        assert_eq!(times(&whole.folder), before);
    }
}

#[test]
fn halving_keeps_the_best_half_at_every_rung() {
    let (splits, temporary) = (small(300, 50), tempfile::tempdir().unwrap());
    let sweep = begin(HALVING, &splits, &temporary.path().join("sweep"));
    assert_eq!(run(&sweep, &splits, &options(2, 2), &|_| {}).unwrap(), Finish::Complete);
    let results = sweep.collect().unwrap();
    // Rungs at 1, 2 and 4 of 5 epochs: 6, 3, 2 and 1 points.
    let epochs: Vec<usize> = results.points.iter().map(|point| point.epochs_done).collect();
    assert_eq!(epochs, [5, 4, 2, 1, 1, 1]);
    assert!(results.trials.iter().all(|result| result.history.len() == result.outcome.epochs));
    for (rung, left) in [(1, 3), (2, 2), (4, 1)] {
        // What a reader of the histories would choose.
        let mut worth: Vec<(f64, usize)> = Vec::new();
        for point in results.points.iter().filter(|point| point.epochs_done >= rung) {
            let best = |history: &[Epoch]| {
                let of = |epoch: &Epoch| epoch.validation_accuracy.unwrap();
                history[..rung].iter().map(of).fold(0.0, f64::max)
            };
            let all: Vec<f64> =
                results.trials_of(&point.point).map(|result| best(&result.history)).collect();
            worth.push((all.iter().sum::<f64>() / all.len() as f64, point.point.number));
        }
        worth.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (at, (_, number)) in worth.iter().enumerate() {
            let point = results.points.iter().find(|point| point.point.number == *number).unwrap();
            assert_eq!(point.epochs_done > rung, at < left, "rung {rung}: {worth:?}");
        }
    }
    let statuses: Vec<Status> = results.trials.iter().map(|result| result.outcome.status).collect();
    let count = |status| statuses.iter().filter(|&&other| other == status).count();
    assert_eq!((count(Status::Complete), count(Status::Pruned)), (2, 10));

    // The winner's run is to the bit the one that it would be alone: its schedule knew all epochs.
    let best = results.best().unwrap();
    assert!(!best.pruned);
    let alone = Spec {
        base: best.point.settings.clone(),
        seeds: vec![1],
        ..spec("[base]\nepochs = 5", &splits)
    };
    let alone = Sweep::create(Some(&temporary.path().join("alone")), alone).unwrap();
    run(&alone, &splits, &options(1, 1), &|_| {}).unwrap();
    let weights = |folder: &Path| fs::read(folder.join("weights/last.safetensors")).unwrap();
    let winner = format!("trials/{:04}-seed1", best.point.number);
    assert!(
        weights(&sweep.folder.join(winner)) == weights(&alone.folder.join("trials/0001-seed1"))
    );
}

#[test]
fn shards_of_a_halving_wait_for_each_other() {
    let (splits, temporary) = (small(300, 50), tempfile::tempdir().unwrap());
    let whole = begin(HALVING, &splits, &temporary.path().join("whole"));
    run(&whole, &splits, &options(2, 2), &|_| {}).unwrap();
    let expected = collected(&whole);
    let shard = |number: usize| -> Shard { format!("{number}/2").parse().unwrap() };
    let join = |folder: &Path| Sweep::join(folder, &spec(HALVING, &splits)).unwrap();

    // Without waiting they take turns.
    let folder = temporary.path().join("turns");
    let mut finishes = Vec::new();
    for turn in 0..8 {
        let options = Options { shard: shard(turn % 2), wait: false, ..options(2, 2) };
        finishes.push(run(&join(&folder), &splits, &options, &|_| {}).unwrap());
    }
    assert_eq!(finishes[0], Finish::Unfinished(vec![1]));
    assert_eq!(finishes[1], Finish::Unfinished(vec![0]));
    assert_eq!(finishes[6..], [Finish::Complete, Finish::Complete]);
    assert_same(&expected, &collected(&join(&folder)));

    // At the same time.
    let folder = temporary.path().join("together");
    let waits: Mutex<Vec<(usize, usize, Vec<usize>)>> = Mutex::default();
    let keep = |event: Event<'_>| {
        if let Event::Waiting { epoch, trials, shards } = event {
            waits.lock().unwrap().push((epoch, trials, shards.to_vec()));
        }
    };
    let finish = |number: usize| {
        let options = Options { shard: shard(number), ..options(1, 1) };
        assert_eq!(run(&join(&folder), &splits, &options, &keep).unwrap(), Finish::Complete);
    };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| finish(0));
        while waits.lock().unwrap().is_empty() && !first.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        scope.spawn(|| finish(1));
    });
    let waits = waits.into_inner().unwrap();
    assert_eq!(waits[0], (1, 6, vec![1]));
    assert_same(&expected, &collected(&join(&folder)));
}

#[test]
fn a_failure_stops_the_sweep_and_it_can_go_on() {
    let (splits, temporary) = (small(300, 50), tempfile::tempdir().unwrap());
    let whole = begin(GRID, &splits, &temporary.path().join("whole"));
    run(&whole, &splits, &options(2, 2), &|_| {}).unwrap();
    let folder = temporary.path().join("sweep");
    let sweep = begin(GRID, &splits, &folder);
    // Makes the third trial fail.
    let spoil = |event: Event<'_>| {
        if matches!(event, Event::Ended(trial, _) if trial.index == 1) {
            fs::write(folder.join("trials/0002-seed0"), "in the way").unwrap();
        }
    };
    let error = run(&sweep, &splits, &options(1, 1), &spoil).unwrap_err().to_string();
    assert!(error.contains("0002-seed0: ") && error.ends_with("to go on"), "{error}");
    fs::remove_file(folder.join("trials/0002-seed0")).unwrap();
    assert_eq!(sweep.collect().unwrap().missing.len(), 6);

    // A damaged checkpoint costs only time.
    let stop = AtomicBool::new(false);
    let stopped = Options { stop: Some(&stop), ..options(1, 1) };
    let finish = run(&sweep, &splits, &stopped, &stop_after(9, &stop)).unwrap();
    assert_eq!(finish, Finish::Stopped);
    let checkpoint = folder.join("trials/0002-seed0/checkpoint/epoch-0001.safetensors");
    let bytes = fs::read(&checkpoint).unwrap();
    fs::write(&checkpoint, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(run(&sweep, &splits, &options(2, 2), &|_| {}).unwrap(), Finish::Complete);
    assert_same(&collected(&whole), &collected(&sweep));
}

#[test]
fn other_sweeps_data_and_settings_are_refused() {
    let (splits, temporary) = (small(300, 50), tempfile::tempdir().unwrap());
    let folder = temporary.path().join("sweep");
    let text = "seeds = 1\n[base]\nepochs = 1\nbatch_size = 100";
    let sweep = begin(text, &splits, &folder);
    let error = Sweep::create(Some(&folder), spec(text, &splits)).unwrap_err().to_string();
    assert!(error.contains("exists already"), "{error}");
    Sweep::join(&folder, &spec(text, &splits)).unwrap();
    let other = spec(&text.replace("epochs = 1", "epochs = 2"), &splits);
    let error = Sweep::join(&folder, &other).unwrap_err().to_string();
    assert!(error.contains("another sweep: epochs = 1, but now epochs = 2"), "{error}");
    let error = Sweep::open(temporary.path()).unwrap_err().to_string();
    assert!(error.contains("no sweep is here"), "{error}");

    let error = run(&sweep, &small(310, 50), &options(1, 1), &|_| {}).unwrap_err().to_string();
    assert!(error.contains("other data"), "{error}");
    let file = format!("architecture = 'other'\n{text}");
    let path = Path::new("sweep.toml");
    let error = Spec::parse(&file, path).unwrap().resolved("report-cnn", &splits, path);
    assert!(error.unwrap_err().to_string().contains("network other, not report-cnn"));

    // Settings that are changed behind the back of trials that have ended.
    run(&sweep, &splits, &options(1, 1), &|_| {}).unwrap();
    let path = folder.join("sweep.toml");
    let changed = fs::read_to_string(&path).unwrap().replace("epochs = 1\n", "epochs = 2\n");
    fs::write(&path, changed).unwrap();
    let sweep = Sweep::open(&folder).unwrap();
    for error in
        [run(&sweep, &splits, &options(1, 1), &|_| {}).map(drop), sweep.collect().map(drop)]
    {
        let error = error.unwrap_err().to_string();
        assert!(error.contains("other settings than sweep.toml"), "{error}");
    }
}

#[test]
fn asha_promotes_on_the_way_and_gives_the_rest_up_at_the_end() {
    let (splits, temporary) = (small(300, 50), tempfile::tempdir().unwrap());
    let sweep = begin(ASHA, &splits, &temporary.path().join("one"));
    let begun: Mutex<Vec<usize>> = Mutex::default();
    let keep = |event: Event<'_>| match event {
        Event::Started(trial, _) => begun.lock().unwrap().push(trial.point),
        Event::Stage { .. } => panic!("there are no stages"),
        _ => {}
    };
    assert_eq!(run(&sweep, &splits, &options(1, 2), &keep).unwrap(), Finish::Complete);
    // Both seeds of the first two points; then the better of them goes on at once.
    let begun = begun.into_inner().unwrap();
    assert_eq!(begun[..4], [1, 1, 2, 2]);
    assert!(begun[4] == begun[5] && begun[4] < 3, "{begun:?}");
    assert_eq!(begun[6..8], [3, 3]);
    let results = sweep.collect().unwrap();
    assert_eq!((results.missing.len(), results.ended()), (0, 16));
    let epochs: Vec<usize> = results.points.iter().map(|point| point.epochs_done).collect();
    let reached = |rung| epochs.iter().filter(|epochs| **epochs >= rung).count();
    // At least half of those on a rung, and those that were among the best only for a while.
    assert!(reached(2) >= 4 && reached(4) >= 2 && reached(5) >= 1, "{epochs:?}");
    assert!(epochs.is_sorted_by(|one, next| one >= next), "{epochs:?}");
    for result in &results.trials {
        let complete = result.outcome.status == Status::Complete;
        assert_eq!(complete, result.outcome.epochs == 5);
        assert!(complete || result.outcome.status == Status::Pruned);
    }
    assert!(!files(&sweep.folder).keys().any(|name| name.contains("checkpoint")));

    // Any number of runs side by side bring all to where they belong.
    let three = begin(ASHA, &splits, &temporary.path().join("three"));
    assert_eq!(run(&three, &splits, &options(3, 3), &|_| {}).unwrap(), Finish::Complete);
    let results = three.collect().unwrap();
    assert_eq!((results.missing.len(), results.ended()), (0, 16));

    let part = Options { shard: "0/2".parse().unwrap(), ..options(1, 1) };
    let error = run(&sweep, &splits, &part, &|_| {}).unwrap_err().to_string();
    assert!(error.starts_with("shard is 0/2; expected no shards with the method asha"), "{error}");
}

/// What a budget changes nothing of.
fn trials(mut files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    files.retain(|name, _| name != "sweep.toml" && name != "spent.json");
    files
}

#[test]
fn a_spent_budget_leaves_what_there_is_and_more_of_it_goes_on_to_the_same_bits() {
    let (splits, temporary) = (small(300, 50), tempfile::tempdir().unwrap());
    let open = ASHA.replace("samples = 8", "");
    for (name, text) in [("grid", GRID), ("halving", HALVING), ("asha", ASHA), ("open", &open)] {
        let folder = |part: &str| temporary.path().join(format!("{name} {part}"));
        // It is spent before anything is begun.
        let text = format!("budget_minutes = 1e-9\n{}", text.replace("seeds = 2", "seeds = 1"));
        let mut sweep = begin(&text, &splits, &folder("budget"));
        let nothing =
            |event: Event<'_>| assert!(matches!(event, Event::Stage { .. }), "begun: {event:?}");
        assert_eq!(run(&sweep, &splits, &options(1, 1), &nothing).unwrap(), Finish::Spent);
        let results = sweep.collect().unwrap();
        assert_eq!((results.points.len(), results.trials.len()), (0, 0));
        assert!(!results.missing.is_empty());
        results.write(&sweep).unwrap();
        assert!(sweep.minutes_spent().unwrap() > 1e-9);

        // It is spent while the first epoch is trained: there is one run, and it can go on.
        let until = sweep.minutes_spent().unwrap() + 1.0 / 60.0;
        sweep.set_budget(until).unwrap();
        let mut sweep = Sweep::open(&sweep.folder).unwrap();
        assert_eq!(sweep.spec.budget_minutes, Some(until));
        let paused = AtomicUsize::new(0);
        let wait = |event: Event<'_>| match event {
            Event::Epoch(..) => std::thread::sleep(std::time::Duration::from_millis(1000)),
            Event::Paused(trial, outcome) => {
                paused.fetch_add(1, Ordering::SeqCst);
                assert_eq!((trial.index, outcome.epochs), (0, 1));
            }
            _ => {}
        };
        assert_eq!(run(&sweep, &splits, &options(1, 1), &wait).unwrap(), Finish::Spent);
        assert_eq!(paused.into_inner(), 1);
        assert!(sweep.minutes_spent().unwrap() >= until);
        let results = sweep.collect().unwrap();
        let [result] = &results.trials[..] else { panic!("{:?}", results.trials) };
        assert_eq!((result.outcome.status, result.outcome.epochs), (Status::Paused, 1));
        let [point] = &results.points[..] else { panic!("{:?}", results.points) };
        assert_eq!((point.seeds_done, point.seeds_paused, point.epochs_done), (0, 1, 1));
        assert_eq!(results.missing.len(), if name == "open" { 1 } else { sweep.trials.len() });
        let nothing = |event: Event<'_>| assert!(!matches!(event, Event::Started(..)), "{event:?}");
        assert_eq!(run(&sweep, &splits, &options(1, 1), &nothing).unwrap(), Finish::Spent);

        // What is as good as no limit; where nothing else would end it, until eight points are drawn.
        sweep.set_budget(1e6).unwrap();
        let stop = AtomicBool::new(false);
        let stop_at_nine = |event: Event<'_>| {
            if name == "open" && matches!(event, Event::Started(trial, _) if trial.point == 9) {
                stop.store(true, Ordering::SeqCst);
            }
        };
        let options = Options { stop: Some(&stop), ..options(1, 2) };
        let finish = run(&sweep, &splits, &options, &stop_at_nine).unwrap();
        if name == "open" {
            assert_eq!(finish, Finish::Stopped);
            let results = sweep.collect().unwrap();
            assert_eq!(results.points.len(), 8);
            let whole = Sweep::open(&temporary.path().join("asha budget")).unwrap();
            for (one, other) in results.trials.iter().zip(whole.collect().unwrap().trials) {
                assert_eq!(one.history, other.history);
            }
        } else {
            assert_eq!(finish, Finish::Complete);
            let whole =
                begin(&text.replace("budget_minutes = 1e-9", ""), &splits, &folder("whole"));
            run(&whole, &splits, &options, &|_| {}).unwrap();
            assert_same(&trials(collected(&whole)), &trials(collected(&sweep)));
        }
    }
}
