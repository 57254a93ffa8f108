//! How far confidence can be trusted: what `train` finds out, `predict` uses and `eval` shows; any
//! classifier's answers; `compare`.

use crate::common::*;
use ndarray::{Array1, Array2};
use ndarray_npy::write_npy;
use std::path::Path;

/// 4,000 items of two classes, right with the probability that is stated: 99.5% for three in four,
/// 70% for the rest. `seed` shifts which are wrong.
fn honest(folder: &Path, name: &str, seed: usize) {
    let n = 4000;
    let sure = |i: usize| !i.is_multiple_of(4);
    let confidence = |i: usize| if sure(i) { 0.995 } else { 0.7 };
    let wrong = |i: usize| {
        if sure(i) { i < 3000 && (i + seed) % 200 == 1 } else { (i / 4 + seed) % 10 < 3 }
    };
    let p =
        Array2::from_shape_fn(
            (n, 2),
            |(i, k)| {
                if k == i % 2 { confidence(i) } else { 1.0 - confidence(i) }
            },
        );
    let y = Array1::from_shape_fn(n, |i| ((i + usize::from(wrong(i))) % 2) as i64);
    write_npy(folder.join(format!("{name}_p.npy")), &p).unwrap();
    write_npy(folder.join(format!("{name}_y.npy")), &y).unwrap();
}

#[test]
fn any_classifiers_answers_are_judged_and_sorted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    honest(folder, "test", 0);
    honest(folder, "other", 7);
    let judge = "eval --probabilities test_p.npy --labels test_y.npy --classes cat,dog";
    let plain = line(folder, &format!("{judge} --json"));
    assert_eq!(plain.code, Some(0), "{}", plain.stderr);
    let metrics = json(&plain.stdout);
    assert_eq!(metrics["schema"], "fashion-metrics/2");
    assert_eq!(metrics["per_class"][1]["class"], "dog");
    assert!((metrics["accuracy"].as_f64().unwrap() - 0.921_25).abs() < 1e-9);
    assert!(metrics["confidence"]["calibrated"].is_null());

    let sorted =
        line(folder, &format!("{judge} --target-accuracy 0.98 --held-out other_p.npy other_y.npy"));
    assert_eq!(sorted.code, Some(0), "{}", sorted.stderr);
    let sentence = "Sort 75% by machine at 99.5%; 1,000 of 4,000 go to a person";
    assert!(sorted.stdout.contains(sentence), "{}", sorted.stdout);

    let without = line(folder, &format!("{judge} --target-accuracy 0.98"));
    assert_eq!(without.code, Some(2));
    assert!(without.stderr.contains("--held-out PROBABILITIES LABELS"), "{}", without.stderr);
    let markdown = line(folder, &format!("{judge} --markdown"));
    assert!(markdown.stdout.contains("| dog |"), "{}", markdown.stdout);
}

#[test]
fn no_temperature_is_told_where_answers_are_wrong_but_not_where_all_are_right() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    honest(folder, "test", 0);
    let p = Array2::from_shape_fn((500, 2), |(_, k)| [0.9, 0.1][k]);
    write_npy(folder.join("sure.npy"), &p).unwrap();
    write_npy(folder.join("right.npy"), &Array1::from(vec![0_u8; 500])).unwrap();
    write_npy(folder.join("wrong.npy"), &Array1::from(vec![1_u8; 500])).unwrap();
    let judge = "eval --probabilities test_p.npy --labels test_y.npy --held-out sure.npy";
    let right = line(folder, &format!("{judge} right.npy --json"));
    assert_eq!((right.code, &right.stderr[..]), (Some(0), ""));
    // As it is: nothing was calibrated.
    assert!(json(&right.stdout)["confidence"]["calibrated"].is_null());
    let wrong = line(folder, &format!("{judge} wrong.npy --json"));
    let note = "note     the confidence stays as it is: no temperature from 0.05 to 20 is best";
    assert!(wrong.stderr.contains(note), "{}", wrong.stderr);
}

#[test]
fn answers_that_make_no_sense_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    honest(folder, "test", 0);
    write_npy(folder.join("short.npy"), &Array1::from(vec![0_u8, 1])).unwrap();
    write_npy(folder.join("half.npy"), &Array1::from(vec![0.5_f32; 4000])).unwrap();
    write_npy(folder.join("three.npy"), &Array1::from(vec![2_i32; 4000])).unwrap();
    write_npy(folder.join("logits.npy"), &Array2::from_elem((4000, 2), 3.0)).unwrap();
    for (p, y, part) in [
        ("test_p.npy", "short.npy", "short.npy has 2 labels for the 4000 rows of test_p.npy"),
        ("test_p.npy", "half.npy", "the label of row 0 is 0.5; expected a class from 0"),
        ("test_p.npy", "three.npy", "the true class of row 0 is 2"),
        ("logits.npy", "test_y.npy", "logits.npy with test_y.npy"),
        ("test_y.npy", "test_y.npy", "expected probabilities (N, K)"),
        ("none.npy", "test_y.npy", "none.npy"),
    ] {
        let ended = line(folder, &format!("eval --probabilities {p} --labels {y}"));
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
    for (options, part) in [
        ("eval", "RUN|WEIGHTS"),
        ("eval --probabilities test_p.npy", "--labels"),
        ("eval run --probabilities test_p.npy --labels test_y.npy", "cannot be used with"),
        ("eval --probabilities test_p.npy --labels test_y.npy --out x", "--json or --markdown"),
        ("eval run --target-accuracy 99", "expected a share above 0 and below 1 such as 0.99"),
    ] {
        let ended = line(folder, options);
        assert_eq!(ended.code, Some(2), "{options}: {}", ended.stderr);
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
}

#[test]
fn a_run_keeps_what_it_found_out_and_predict_uses_it() {
    let run = run_folder();
    let folder = run.parent().unwrap();
    let out = tempfile::tempdir().unwrap();
    let aimed = out.path().join("aimed");
    let trained = line(
        folder,
        &format!(
            "train --epochs 2 --threads 1 --json --target-accuracy 0.3 --out {}",
            aimed.display()
        ),
    );
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let summary = json(&trained.stdout);
    assert_eq!(summary["sorted"]["threshold"]["target"], 0.3);
    assert_eq!(summary["sorted"]["threshold"]["held_out"], 20);
    // The very answers of the run without a target, and what eval finds out anew.
    let shown = line(folder, "eval run --target-accuracy 0.3 --json");
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let stored = std::fs::read_to_string(aimed.join("metrics.json")).unwrap();
    assert_eq!(shown.stdout, stored);

    let image = format!("{}/tests/cli/fixtures/grey.jpg", env!("CARGO_MANIFEST_DIR"));
    let answer = |run: &Path| {
        let ended = fashion(folder, ["predict", run.to_str().unwrap(), &image, "--json"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        (json(&ended.stdout), ended.stderr)
    };
    let (plain, _) = answer(&run);
    let (sorted, said) = answer(&aimed);
    assert!(plain.get("sorted_by").is_none());
    assert_eq!(plain["probabilities"], sorted["probabilities"]);
    assert!(["machine", "person"].map(Into::into).contains(&sorted["sorted_by"]));
    assert!(said.contains("30%"), "{said}");

    // Ten dark garments on white, of which eval knows what predict would do.
    let row = |i: usize| -> String {
        let pixels = splits().test.pixels(i).iter().map(|level| format!(",{}", 255 - level));
        format!("{}{}\n", splits().test.labels()[i], pixels.collect::<String>())
    };
    let inverted: String = (0..10).map(row).collect();
    for part in ["train", "test"] {
        std::fs::write(out.path().join(format!("fashion-mnist_{part}.csv")), &inverted).unwrap();
    }
    let ended = line(out.path(), "eval aimed/weights/best.safetensors --data .");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("10 of these 10 images have a bright background"));
}

#[test]
fn what_needs_a_part_held_out_says_so() {
    let run = run_folder();
    let folder = run.parent().unwrap();
    for (options, part) in [
        ("train --validation none --target-accuracy 0.9", "validation is none; expected a share"),
        ("train --recipe report --target-accuracy 0.9", "validation is test; expected a share"),
        ("eval run/weights/best.safetensors --target-accuracy 0.9", "give the folder of its run"),
        ("eval run --split validation --target-accuracy 0.9", "leave out --split validation"),
    ] {
        let ended = line(folder, options);
        assert_eq!(ended.code, Some(2), "{options}: {}", ended.stderr);
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
}

#[test]
fn runs_are_compared_and_not_changed() {
    let run = run_folder();
    let folder = run.parent().unwrap();
    let other = tempfile::tempdir().unwrap();
    let other = other.path().join("other");
    let seed = format!("train --epochs 1 --threads 1 --seed 5 --quiet --out {}", other.display());
    assert_eq!(line(folder, &seed).code, Some(0));
    let before = (files(&run), files(&other));

    let compare = format!("compare run {} run/weights/best.safetensors", other.display());
    let ended = line(folder, &format!("{compare} --json"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let comparisons = json(&ended.stdout);
    assert_eq!(comparisons.as_array().unwrap().len(), 2);
    assert_eq!(comparisons[0]["schema"], "fashion-comparison/1");
    assert_eq!(comparisons[1]["accuracy"]["difference"], 0.0);
    let accuracy = |run: &Path| {
        let text = std::fs::read_to_string(run.join("metrics.json")).unwrap();
        json(&text)["accuracy"].clone()
    };
    assert_eq!(comparisons[0]["accuracy"]["a"], accuracy(&run));
    assert_eq!(comparisons[0]["accuracy"]["b"], accuracy(&other));

    let text = line(folder, &compare);
    assert!(text.stdout.contains("McNemar"), "{}", text.stdout);
    assert_same(&before.0, &files(&run));
    assert_same(&before.1, &files(&other));

    // Another seed held out other images, so what one was not trained on the other was.
    let part = line(folder, &format!("{compare} --split validation"));
    assert_eq!(part.code, Some(2));
    assert!(part.stderr.contains("--split test"), "{}", part.stderr);
    let one = line(folder, "compare run");
    assert_eq!(one.code, Some(2), "{}", one.stderr);

    // Of other classes, or another size, there is nothing to compare.
    let others = ["--only Bag,Dress,Sneaker", "--side 32"];
    for (data, options) in ["classes", "side"].into_iter().zip(others) {
        let draw = format!("data draw {data} --train 3 --test 2 {options}");
        assert_eq!(line(folder, &draw).code, Some(0));
        let weights = "run/weights/best.safetensors";
        let ended = line(folder, &format!("compare {weights} {weights} --data {data}"));
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("best.safetensors: "), "{}", ended.stderr);
    }
}
