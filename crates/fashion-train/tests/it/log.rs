//! Logs: what is in them, that interruptions leave no trace, and that nobody else's file is touched.

use crate::common::{self, run_observed, settings, small};
use crate::event_files::{Scalars, scalars, session_starts};
use fashion_data::Splits;
use fashion_train::log::{CsvLog, JsonLinesLog, TensorBoardLog};
use fashion_train::{
    Epoch, Error, Finish, GoOnFrom, Observer, RunFolder, Settings, Start, Step, Validation,
};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Steps of an epoch of [`data`].
const STEPS: usize = 6;

fn data() -> &'static Splits {
    static DATA: OnceLock<Splits> = OnceLock::new();
    DATA.get_or_init(|| small(300, 100))
}

/// All three logs of a run.
struct Logs(CsvLog, JsonLinesLog, TensorBoardLog);

/// Where they are.
fn places(folder: &Path) -> [PathBuf; 3] {
    ["log.csv", "log.jsonl", "events"].map(|name| folder.join(name))
}

impl Logs {
    fn create(folder: &Path) -> Result<Logs, Error> {
        let [csv, json, board] = places(folder);
        Ok(Logs(
            CsvLog::create(&csv)?,
            JsonLinesLog::create(&json)?,
            TensorBoardLog::create(&board)?,
        ))
    }

    fn resume(folder: &Path) -> Result<Logs, Error> {
        let [csv, json, board] = places(folder);
        Ok(Logs(
            CsvLog::resume(&csv)?,
            JsonLinesLog::resume(&json)?,
            TensorBoardLog::resume(&board)?,
        ))
    }

    fn observer(&mut self) -> impl Observer + Send + '_ {
        (&mut self.0, (&mut self.1, &mut self.2))
    }

    fn finish(self) -> Result<(), Error> {
        self.0.finish()?;
        self.1.finish()?;
        self.2.finish()
    }
}

/// What is in them.
fn contents(folder: &Path) -> (String, String, Scalars) {
    let [csv, json, board] = places(folder);
    (fs::read_to_string(csv).unwrap(), fs::read_to_string(json).unwrap(), scalars(&board))
}

/// A whole run with its logs beside it.
fn logged(threads: usize, settings: Settings, folder: &Path) -> (String, String, Scalars) {
    fs::create_dir(folder).unwrap();
    let mut logs = Logs::create(folder).unwrap();
    let run = folder.join("run");
    let finish = run_observed(threads, data(), settings, &run, &mut logs.observer()).unwrap();
    assert_eq!(finish, Finish::Complete);
    logs.finish().unwrap();
    contents(folder)
}

/// Goes on with a run and its logs.
fn resumed(settings: Settings, folder: &Path) {
    let mut logs = Logs::resume(folder).unwrap();
    let run = folder.join("run");
    run_observed(1, data(), settings, &run, &mut logs.observer()).unwrap();
    logs.finish().unwrap();
}

/// Kills what observes and stops the run, after so many calls.
struct Killed<O> {
    logs: O,
    left: usize,
}

impl<O> Killed<O> {
    fn lives(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }
}

impl<O: Observer> Observer for Killed<O> {
    fn on_start(&mut self, start: &Start) {
        self.logs.on_start(start);
    }
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        if self.lives() { self.logs.on_step(step) } else { ControlFlow::Break(()) }
    }
    fn on_epoch(&mut self, epoch: &Epoch, best: bool) -> ControlFlow<()> {
        if self.lives() { self.logs.on_epoch(epoch, best) } else { ControlFlow::Break(()) }
    }
    fn on_end(&mut self) {
        if self.left > 0 {
            self.logs.on_end();
        }
    }
}

/// Runs until a kill, which leaves nothing but what is in the files.
fn kill_after(calls: usize, mut logs: Logs, settings: Settings, folder: &Path) {
    let mut killed = Killed { logs: logs.observer(), left: calls };
    let run = folder.join("run");
    run_observed(1, data(), settings, &run, &mut killed).unwrap();
    drop(killed);
    std::mem::forget(logs);
}

#[test]
fn logs_hold_every_step_and_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let (csv, json, board) = logged(1, settings(), &whole);
    let history = RunFolder::open(&whole.join("run")).unwrap().history().unwrap();
    let mut lines = csv.lines();
    assert_eq!(
        lines.next().unwrap(),
        "step,epoch,learning_rate,batch_loss,gradient_norm,loss,accuracy,validation_loss,\
         validation_accuracy"
    );
    let objects: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |event: &'static str| objects.iter().filter(move |object| object["event"] == event);
    let names = ["learning_rate", "batch_loss", "gradient_norm", "loss", "accuracy"];
    let mut steps = of("step");
    for number in 1..=3 * STEPS {
        let fields: Vec<&str> = lines.next().unwrap().split(',').collect();
        let object = steps.next().unwrap();
        let epoch = number.div_ceil(STEPS);
        assert_eq!((fields[0], fields[1]), (&*number.to_string(), &*epoch.to_string()));
        assert_eq!((&object["step"], &object["epoch"]), (&number.into(), &epoch.into()));
        for (name, field) in names.into_iter().zip(&fields[2..]) {
            let value = field.parse::<f64>().unwrap();
            assert!((object[name].as_f64().unwrap() - value).abs() <= 1e-15 * value, "{name}");
            assert_eq!(board[&(format!("train/{name}"), number as u64)], value as f32, "{name}");
        }
        let whole = history[epoch - 1];
        if number % STEPS == 0 {
            let [loss, accuracy] = [whole.validation_loss, whole.validation_accuracy];
            let last = [whole.train_loss, whole.train_accuracy, loss.unwrap(), accuracy.unwrap()];
            assert_eq!(fields[5..], last.map(|value| value.to_string()), "pandas' last() of it");
        } else {
            assert_eq!(fields[7..], ["", ""]);
        }
    }
    assert_eq!((lines.next(), steps.next()), (None, None));

    for (object, epoch) in of("epoch").zip(&history) {
        let step = epoch.epoch * STEPS;
        let mut expected = serde_json::to_value(epoch).unwrap();
        let best = fashion_train::history::best(&history[..epoch.epoch]).unwrap() == epoch;
        let more = [("event", "epoch".into()), ("step", step.into()), ("best", best.into())];
        expected.as_object_mut().unwrap().extend(more.map(|(name, value)| (name.into(), value)));
        // Numbers as JSON reads them.
        assert_eq!(object.to_string(), reread(&expected));
        for (name, value) in [
            ("train_loss", epoch.train_loss),
            ("train_accuracy", epoch.train_accuracy),
            ("validation_loss", epoch.validation_loss.unwrap()),
            ("validation_accuracy", epoch.validation_accuracy.unwrap()),
        ] {
            assert_eq!(board[&(format!("epoch/{name}"), step as u64)], value as f32, "{name}");
        }
    }
    assert_eq!(board.len(), 5 * 3 * STEPS + 4 * 3);
    assert_eq!(
        json.lines().next().unwrap(),
        r#"{"event":"start","done":0,"epochs":3,"images_per_epoch":270,"steps_per_epoch":6}"#
    );
    assert_eq!(json.lines().last().unwrap(), r#"{"event":"end","step":18,"epoch":3}"#);
    assert_eq!(objects.len(), 1 + 18 + 3 + 1);
    assert!(session_starts(&places(&whole)[2]).is_empty());

    let again = logged(2, settings(), &folder.path().join("again"));
    assert_eq!((again.0, again.1), (csv, json), "equal runs have equal logs");
}

fn reread(value: &serde_json::Value) -> String {
    serde_json::from_str::<serde_json::Value>(&value.to_string()).unwrap().to_string()
}

#[test]
fn without_validation_its_fields_are_empty() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { epochs: 1, validation: Validation::None, ..settings() };
    let (csv, json, board) = logged(1, settings, &folder.path().join("run"));
    assert!(csv.lines().skip(1).all(|line| line.ends_with(",,")));
    assert!(json.contains(r#""validation_loss":null,"validation_accuracy":null,"best":false}"#));
    assert!(board.keys().all(|(tag, _)| !tag.contains("validation")));
}

#[test]
fn a_killed_run_ends_with_the_logs_of_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { epochs: 2, ..settings() };
    let whole = logged(1, settings.clone(), &folder.path().join("whole"));
    // At each step, between an epoch's checkpoint and its line, and before the end.
    for calls in 1..=2 * (STEPS + 1) {
        let place = folder.path().join(calls.to_string());
        fs::create_dir(&place).unwrap();
        kill_after(calls, Logs::create(&place).unwrap(), settings.clone(), &place);
        // And once more, a little later.
        kill_after(4, Logs::resume(&place).unwrap(), settings.clone(), &place);
        resumed(settings.clone(), &place);
        assert_eq!(contents(&place), whole, "killed after {calls} calls");
    }
}

#[test]
fn lines_that_were_cut_are_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { epochs: 2, ..settings() };
    let whole = logged(1, settings.clone(), &folder.path().join("whole"));
    let place = folder.path().join("cut");
    fs::create_dir(&place).unwrap();
    // The second epoch's checkpoint is the last thing that is written.
    kill_after(2 * (STEPS + 1), Logs::create(&place).unwrap(), settings.clone(), &place);
    let [csv, json, _] = places(&place);
    for (path, text, last) in [(&csv, &whole.0, "\n12,2,"), (&json, &whole.1, "\"step\":12,")] {
        // Everything up to the last step was in the file before the checkpoint.
        let line = text.find(last).unwrap() + 1;
        let step_ends = match path == &csv {
            true => line + text[line..].match_indices(',').nth(6).unwrap().0 + 1,
            false => line + text[line..].find('\n').unwrap() + 1,
        };
        for length in (step_ends..text.len()).step_by(7).chain([text.len() - 1, text.len()]) {
            fs::write(path, &text[..length]).unwrap();
            resumed(settings.clone(), &place);
            let (after_csv, after_json, board) = contents(&place);
            assert_eq!((&after_csv, &after_json), (&whole.0, &whole.1), "cut to {length}");
            assert_eq!(board, whole.2);
        }
    }
}

#[test]
fn going_on_from_the_checkpoint_before_the_last_drops_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let whole = logged(1, settings(), &folder.path().join("whole"));
    // The second time the repeated epoch's checkpoint is written, but not its line.
    for killed_again in [false, true] {
        let place = folder.path().join(killed_again.to_string());
        fs::create_dir(&place).unwrap();
        kill_after(2 * (STEPS + 1) + 3, Logs::create(&place).unwrap(), settings(), &place);
        let mut logs = Logs::resume(&place).unwrap();
        let run = RunFolder::open(&place.join("run")).unwrap();
        let config = run.config().unwrap();
        let left = if killed_again { STEPS + 1 } else { usize::MAX };
        let mut killed = Killed { logs: logs.observer(), left };
        common::go_on(&run, &config, data(), GoOnFrom::Previous, &mut killed).unwrap();
        drop(killed);
        if killed_again {
            std::mem::forget(logs);
            resumed(settings(), &place);
        } else {
            logs.finish().unwrap();
        }
        assert_eq!(contents(&place), whole, "killed again: {killed_again}");
        assert_eq!(session_starts(&places(&place)[2])[0], STEPS as u64 + 1);
    }
}

#[test]
fn a_log_that_lacks_an_epoch_goes_on_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let whole = logged(1, settings(), &folder.path().join("whole"));
    kill_after(
        2 * (STEPS + 1) + 3,
        Logs::create(folder.path()).unwrap(),
        settings(),
        folder.path(),
    );
    // Lost with the power, in the middle of the first epoch's last line or of the second epoch.
    let step = |number| format!("{{\"event\":\"step\",\"step\":{number},");
    let [csv, json, _] = places(folder.path());
    let validation = whole.0.find("\n7,2,").unwrap() - 3;
    fs::write(csv, &whole.0[..validation]).unwrap();
    fs::write(json, &whole.1[..whole.1.find(&step(8)).unwrap() + 20]).unwrap();
    resumed(settings(), folder.path());
    let (csv, json, _) = contents(folder.path());
    let without = |text: &str, from: &str, to: &str| {
        format!("{}{}", &text[..text.find(from).unwrap()], &text[text.find(to).unwrap()..])
    };
    assert_eq!(csv, without(&whole.0, "6,1,", "13,3,"));
    assert_eq!(json, without(&whole.1, &step(8), &step(13)));
}

#[test]
fn an_event_file_is_read_after_those_before_it() {
    let folder = tempfile::tempdir().unwrap();
    // By a machine whose clock is ahead, and whose name comes late.
    let before = folder.path().join("events.out.tfevents.4102444800.zz.9.0");
    fs::write(&before, "").unwrap();
    TensorBoardLog::resume(folder.path()).unwrap().finish().unwrap();
    let mut paths: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert_eq!((paths.len(), &paths[0]), (2, &before));
}

#[test]
fn a_log_may_begin_when_a_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { epochs: 2, ..settings() };
    let whole = logged(1, settings.clone(), &folder.path().join("whole"));
    let place = folder.path().join("run");
    fs::create_dir(&place).unwrap();
    let stopped = &mut common::StopAt(STEPS + 2);
    run_observed(1, data(), settings.clone(), &place.join("run"), stopped).unwrap();
    resumed(settings, &place);
    let (csv, json, board) = contents(&place);
    assert!(json.starts_with(r#"{"event":"start","done":1,"#), "{json}");
    let second = |text: &str, from: &str| text[text.find(from).unwrap()..].to_owned();
    assert_eq!(second(&csv, "7,2,"), second(&whole.0, "7,2,"));
    assert_eq!(csv.lines().count(), 1 + STEPS);
    let step = "{\"event\":\"step\",\"step\":7,";
    assert_eq!(second(&json, step), second(&whole.1, step));
    assert!(board.iter().all(|((_, step), _)| *step > STEPS as u64));
    assert_eq!(board.len(), 5 * STEPS + 4);
}

#[test]
fn a_new_run_overwrites_no_log() {
    let folder = tempfile::tempdir().unwrap();
    Logs::create(folder.path()).unwrap().finish().unwrap();
    let [csv, json, board] = places(folder.path());
    let refused = [
        CsvLog::create(&csv).unwrap_err(),
        JsonLinesLog::create(&json).unwrap_err(),
        TensorBoardLog::create(&board).unwrap_err(),
    ];
    for (error, path) in refused.into_iter().zip([csv, json, board.clone()]) {
        let expected = format!("{} is there already, and a new run does not", path.display());
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    assert_eq!(fs::read_dir(board).unwrap().count(), 1, "nothing is left of the attempt");
    let absent = folder.path().join("absent/log.csv");
    let error = CsvLog::create(&absent).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot open the log {}: ", absent.display())), "{error}");
}

#[test]
fn what_is_not_a_log_of_the_run_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let one = Settings { epochs: 2, ..settings() };
    let other = Settings { seed: 1, ..one.clone() };
    let (csv, json, _) = logged(1, one.clone(), &folder.path().join("one"));
    logged(1, other.clone(), &folder.path().join("other"));
    // Files of other kinds, which show at once.
    let path = folder.path().join("file");
    let broken = csv.replace("\n3,1,", "\n3,one,");
    for text in ["step,loss\n1,2\n", "my notes", "\u{feff}", "\n", &json, &broken, &csv[5..]] {
        fs::write(&path, text).unwrap();
        let error = CsvLog::resume(&path).unwrap_err();
        assert!(matches!(error, Error::OtherLog { .. }), "{error}: {text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    let early = json.replace(r#""event":"epoch","epoch":1"#, r#""event":"epoch","epoch":2"#);
    for text in ["{}\n", "[1]", &csv, &early, &json[json.find('\n').unwrap() + 1..]] {
        fs::write(&path, text).unwrap();
        let error = JsonLinesLog::resume(&path).unwrap_err();
        assert!(matches!(error, Error::OtherLog { .. }), "{error}: {text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(&path, [0xff, 0xfe, 0]).unwrap();
    assert!(CsvLog::resume(&path).is_err());
    assert!(CsvLog::resume(folder.path()).is_err());

    // Logs of other runs, which show when training begins and stop nothing.
    fs::write(&path, &csv).unwrap();
    let mut log = CsvLog::resume(&path).unwrap();
    let longer = Settings { epochs: 3, ..other };
    let run = folder.path().join("other/run");
    assert_eq!(run_observed(1, data(), longer, &run, &mut log).unwrap(), Finish::Complete);
    let error = log.finish().unwrap_err().to_string();
    assert!(error.contains("its epoch 2 ends with loss"), "{error}");
    assert!(error.contains("so it is not a log of this run and is left as it is"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), csv);

    fs::write(&path, &json).unwrap();
    let mut log = JsonLinesLog::resume(&path).unwrap();
    run_observed(1, data(), one, &folder.path().join("fresh"), &mut log).unwrap();
    let error = log.finish().unwrap_err().to_string();
    assert!(error.contains("it has epoch 2, and this run has done 0"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), json);
}
