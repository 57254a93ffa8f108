//! `fashion data suspects`

use crate::common::*;

/// The command on the small data, with as little training as there can be.
fn suspects(more: &str) -> Ended {
    let options = "data suspects --repeats 2 --epochs 2 --data";
    let data = data();
    let options = options.split(' ').chain([data.to_str().unwrap()]);
    fashion(data.parent().unwrap(), options.chain(more.split(' ')))
}

#[test]
fn suspects_are_ranked_and_the_threads_do_not_matter() {
    let ended = suspects("--folds 2 --json --threads 1 --top 200 --items 7,3");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("4 networks") && ended.stderr.contains("network 4/4"));
    assert_eq!(
        suspects("--folds 2 --json --threads 3 --top 200 --items 7,3 --quiet").stdout,
        ended.stdout
    );
    let found = json(&ended.stdout);
    assert_eq!(
        (&found["schema"], &found["split"]),
        (&"fashion-suspects/1".into(), &"train".into())
    );
    assert_eq!((&found["n"], &found["planted"]), (&200.into(), &serde_json::Value::Null));
    let ranking = found["ranking"].as_array().unwrap();
    let field = |name: &str| ranking.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(field("rank"), (1..=200).map(Into::into).collect::<Vec<serde_json::Value>>());
    let scores = field("score");
    assert!(scores.is_sorted_by(|a, b| a.as_f64() >= b.as_f64()));
    let suspected = field("suspect").iter().filter(|suspect| **suspect == true).count();
    assert_eq!(found["suspects"], suspected);
    for (row, index) in found["items"].as_array().unwrap().iter().zip([7, 3]) {
        assert_eq!(row["index"], index);
        assert!(ranking.contains(row), "{row}");
        assert_eq!(row["given"], splits().train.labels()[index]);
    }
}

/// A step each, and what it has taught is seen by no later one.
#[test]
fn networks_that_learned_nothing_are_told_of() {
    let data = data();
    let options = "data suspects --repeats 1 --epochs 1 --folds 2 --json --data";
    let ended = fashion(data.parent().unwrap(), options.split(' ').chain([data.to_str().unwrap()]));
    let note = "note     2 of 2 networks learned nothing: what they say of labels means nothing.";
    assert!(ended.stderr.contains(note), "{}", ended.stderr);
    assert_eq!((ended.code, &json(&ended.stdout)["learned_nothing"]), (Some(0), &2.into()));
}

#[test]
fn planted_labels_are_told_from_the_others() {
    let ended = suspects("--folds 2 --json --plant 0.05 --top 200 --quiet");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let found = json(&ended.stdout);
    assert_eq!(found["planted"]["items"], 10);
    let ranking = found["ranking"].as_array().unwrap();
    let labels = splits().train.labels();
    for row in ranking {
        let changed = row["given"] != labels[row["index"].as_u64().unwrap() as usize];
        assert_eq!(row["planted"], changed, "{row}");
    }
    let at_the_top = ranking[..10].iter().filter(|row| row["planted"] == true).count();
    assert_eq!(found["planted"]["precision"], at_the_top as f64 / 10.0);
    let of = |row: &&serde_json::Value| row["suspect"] == true && row["planted"] == true;
    let recall = ranking.iter().filter(of).count() as f64 / 10.0;
    assert_eq!(found["planted"]["suspects_recall"], recall);
    assert_ne!(
        suspects("--folds 2 --json --plant 0.05 --top 200 --quiet --seed 1").stdout,
        ended.stdout
    );
}

#[test]
fn csv_and_a_file_hold_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("suspects.csv");
    let ended = suspects(&format!("--folds 2 --csv --quiet --top 5 --out {}", file.display()));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut lines = ended.stdout.lines();
    assert_eq!(
        lines.next().unwrap(),
        "rank,index,given,likely,given_probability,likely_probability,score,suspect"
    );
    assert_eq!(lines.count(), 5);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), ended.stdout);
    let again = suspects(&format!("--folds 2 --quiet --out {}", file.display()));
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);
}

#[test]
fn folds_that_the_items_do_not_fill_are_refused() {
    let ended = suspects("--folds 201 --quiet");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--folds is 201; expected 2 to 200"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_it_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let options = "data suspects --data sample --epochs 100 --out suspects.csv";
    let ended = signalled(&mut command(folder.path(), options.split(' ')), "machine", "-INT");
    assert_eq!((ended.code, &*ended.stdout), (Some(130), ""));
    assert_eq!(ended.stderr, "Interrupted: nothing was written.\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
