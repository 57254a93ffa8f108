//! `fashion predict`

use crate::common::*;
use fashion_data::Classes;

const SIDE: usize = 28;
use std::fs;
use std::path::Path;

pub(crate) fn write_png(path: &Path, width: u32, height: u32, pixels: &[u8]) {
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
}

fn fixture(name: &str) -> String {
    format!("{}/tests/cli/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn an_image_gets_the_answer_that_the_run_gave_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_folder();
    write_png(&folder.path().join("boot.png"), 28, 28, splits().test.pixels(9));
    let (grey, rgb) = (fixture("grey.jpg"), fixture("rgb.jpg"));
    let options = ["predict", run.to_str().unwrap(), "boot.png", &grey, &rgb, "--json"];
    let ended = fashion(folder.path(), options);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("trained on: custom"), "{}", ended.stderr);
    let answers: Vec<_> = ended.stdout.lines().map(json).collect();
    assert_eq!(answers.len(), 3);

    let predictions = fs::read_to_string(run.join("predictions.csv")).unwrap();
    let of_run = predictions.lines().find(|line| line.starts_with("test,9,")).unwrap();
    let of_run: Vec<f64> = of_run.split(',').skip(3).map(|f| f.parse().unwrap()).collect();
    // predictions.csv has the plain softmax, the answer the calibrated one.
    let metrics = json(&fs::read_to_string(run.join("metrics.json")).unwrap());
    let temperature = metrics["confidence"]["calibrated"]["temperature"].as_f64().unwrap();
    assert!(temperature != 1.0);
    let probabilities = |answer: &serde_json::Value| -> Vec<f64> {
        let of = answer["probabilities"].as_array().unwrap();
        of.iter().map(|p| p.as_f64().unwrap()).collect()
    };
    for (answer, tolerance) in answers.iter().zip([1e-5, 0.05, 0.05]) {
        let found = probabilities(answer);
        assert_eq!(found.len(), 10);
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        let plain: Vec<f64> = found.iter().map(|p| p.powf(temperature)).collect();
        let sum: f64 = plain.iter().sum();
        for (found, expected) in plain.iter().map(|p| p / sum).zip(&of_run[1..]) {
            assert!((found - expected).abs() < tolerance, "{found} for {expected}");
        }
        let class = answer["predicted"].as_u64().unwrap() as usize;
        assert_eq!(answer["class"], Classes::garments()[class][..]);
    }
    assert_eq!(answers[0]["path"], "boot.png");
    assert_eq!(answers[0]["predicted"], of_run[0] as u64);
    let keys: Vec<_> = answers[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["class", "novelty", "path", "predicted", "probabilities"]);
}

/// A threshold that keeps 99% takes 99 images held out.
#[test]
fn what_is_none_of_the_classes_goes_to_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let data = run_folder().parent().unwrap().join("data");
    let options = "train --epochs 2 --validation 0.55 --target-accuracy 0.3 --out run --data";
    let options = options.split(' ').chain([data.to_str().unwrap()]);
    let trained = fashion(folder.path(), options);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    write_png(&folder.path().join("boot.png"), 28, 28, splits().test.pixels(9));
    // A chessboard, but for its border: a bright one is a reason of its own.
    let inside = |at: usize| (3..25).contains(&(at % SIDE)) && (3..25).contains(&(at / SIDE));
    let white = |at: usize| inside(at) && (at % SIDE + at / SIDE) % 2 == 1;
    let board: Vec<u8> = (0..784).map(|at| if white(at) { 255 } else { 0 }).collect();
    write_png(&folder.path().join("board.png"), 28, 28, &board);
    let ask = |weights: &str| -> Vec<serde_json::Value> {
        let ended = fashion(folder.path(), ["predict", weights, "boot.png", "board.png", "--json"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout.lines().map(json).collect()
    };
    let answers = ask("run");
    assert_eq!(
        (&answers[1]["reason"], &answers[1]["sorted_by"]),
        (&"unknown".into(), &"person".into())
    );
    assert_ne!(answers[0].get("reason"), Some(&"unknown".into()));
    assert!(answers[1]["novelty"].as_f64() > answers[0]["novelty"].as_f64());
    let judged = fashion(folder.path(), ["eval", "run", "--data", data.to_str().unwrap()]);
    assert!(judged.stderr.contains("\nunknown  "), "{}", judged.stderr);

    // Weights get statistics without training, and alone they are the run's.
    let options = ["ensemble", "run", "--out", "new.safetensors", "--data", data.to_str().unwrap()];
    let made = fashion(folder.path(), options);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let novelties = |answers: &[serde_json::Value]| {
        answers.iter().map(|answer| answer["novelty"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(novelties(&ask("new.safetensors")), novelties(&answers));

    // Nothing held out, no threshold.
    let options = ["train", "--epochs", "1", "--validation", "none", "--out", "all", "--data"];
    let trained = fashion(folder.path(), options.into_iter().chain([data.to_str().unwrap()]));
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    assert!(
        ask("all")
            .iter()
            .all(|answer| answer["novelty"].is_f64() && answer.get("reason").is_none())
    );
}

#[test]
fn a_picture_on_its_side_is_the_upright_one() {
    let folder = tempfile::tempdir().unwrap();
    let upright = splits().test.pixels(9);
    write_png(&folder.path().join("upright.png"), 28, 28, upright);
    // Stored a quarter turn to the left; orientation 6 turns it to the right.
    let stored: Vec<u8> =
        (0..28 * 28).map(|i| upright[(i % SIDE) * SIDE + SIDE - 1 - i / SIDE]).collect();
    let exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let file = fs::File::create(folder.path().join("turned.png")).unwrap();
    let mut encoder = png::Encoder::new(file, 28, 28);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_chunk(png::chunk::eXIf, exif).unwrap();
    writer.write_image_data(&stored).unwrap();
    writer.finish().unwrap();
    let run = run_folder();
    let options = ["predict", run.to_str().unwrap(), "upright.png", "turned.png", "--json"];
    let ended = fashion(folder.path(), options);
    let answers: Vec<_> = ended.stdout.lines().map(json).collect();
    assert_eq!(answers.len(), 2, "{}", ended.stderr);
    assert_eq!(answers[0]["probabilities"], answers[1]["probabilities"]);
}

#[test]
fn a_bad_image_does_not_lose_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_png(&at("good.png"), 28, 28, splits().test.pixels(0));
    write_png(&at("wide.png"), 30, 28, &[0; 30 * SIDE]);
    fs::write(at("cut.png"), &fs::read(at("good.png")).unwrap()[..60]).unwrap();
    // In the middle of its pixels.
    fs::write(at("cut.jpg"), &fs::read(fixture("grey.jpg")).unwrap()[..600]).unwrap();
    fs::write(at("notes.png"), "not a picture").unwrap();
    fs::copy(fixture("colour.jpg"), at("colour.jpg")).unwrap();
    let bad = ["wide.png", "cut.png", "cut.jpg", "notes.png", "colour.jpg"];
    let run = run_folder();
    let options = ["predict", run.to_str().unwrap(), "--prepare", "none"].into_iter();
    let ended = fashion(folder.path(), options.chain(bad).chain(["good.png"]));
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stdout.lines().count(), 2, "{}", ended.stdout);
    assert!(ended.stdout.lines().nth(1).unwrap().ends_with("  good.png"));
    let errors = ended.stderr.split_once('\n').unwrap().1;
    insta::assert_snapshot!(errors);
}

/// A grey BMP of 8 bits, its rows from below.
fn bmp(pixels: &[u8]) -> Vec<u8> {
    let mut bytes = b"BM\0\0\0\0\0\0\0\0".to_vec();
    for field in [54 + 4 * 256, 40, 28, 28, 1 | 8 << 16, 0, 0, 0, 0, 0, 0_u32] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend((0..=255).flat_map(|level| [level, level, level, 0]));
    bytes.extend(pixels.rchunks(SIDE).flatten());
    bytes
}

#[test]
fn pictures_of_any_format_get_the_same_answer_and_none_above_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_png(&at("boot.png"), 28, 28, splits().test.pixels(9));
    fs::write(at("boot.bmp"), bmp(splits().test.pixels(9))).unwrap();
    write_png(&at("large.png"), 1000, 1001, &[0; 1_001_000]);
    let predict = |options: &[&str]| {
        let run = run_folder();
        let command = ["predict", run.to_str().unwrap(), "--json"];
        fashion(folder.path(), command.into_iter().chain(options.iter().copied()))
    };
    let ended = predict(&["boot.png", "boot.bmp"]);
    let answers: Vec<_> = ended.stdout.lines().map(json).collect();
    assert_eq!(answers[0]["probabilities"], answers[1]["probabilities"], "{}", ended.stderr);
    let of_size = predict(&["large.png", "--prepare", "none"]).stderr;
    assert!(of_size.contains("it is 1000x1001 pixels, grey; expected 28x28"), "{of_size}");
    let of_limit = predict(&["large.png", "--max-megapixels", "1"]).stderr;
    let expected = "it has 1000x1001 pixels, and pictures of at most 1000000 are read";
    assert!(of_limit.contains(expected), "{of_limit}");
}

#[test]
fn explanations_are_pictures_and_never_replace_others() {
    let folder = tempfile::tempdir().unwrap();
    let (run, path) = (run_folder(), |name: &str| folder.path().join(name));
    write_png(&path("boot.png"), 28, 28, splits().test.pixels(9));
    fs::create_dir(path("more")).unwrap();
    write_png(&path("more/boot.png"), 28, 28, splits().test.pixels(3));
    let predict =
        |options: &str| line(folder.path(), &format!("predict {} {options}", run.display()));
    let plain = predict("boot.png more/boot.png --json");
    let ended = predict("boot.png more/boot.png --json --explain why/here");
    assert_eq!((ended.code, &ended.stdout), (Some(0), &plain.stdout), "{}", ended.stderr);
    let read = |name: &str| fs::read(path("why/here").join(name)).unwrap();
    let (first, second) = (read("boot.png"), read("boot-2.png"));
    let decoder = png::Decoder::new(std::io::Cursor::new(&first));
    assert_eq!(decoder.read_info().unwrap().info().size(), (1264, 848));
    assert_ne!(first, second);
    // The same pictures again, beside those.
    assert_eq!(predict("boot.png --explain why/here").code, Some(0));
    assert_eq!(
        (read("boot.png"), read("boot-2.png"), read("boot-3.png")),
        (first.clone(), second, first)
    );

    let ended = predict("boot.png --explain boot.png");
    assert_eq!((ended.code, &ended.stdout[..]), (Some(1), ""));
    assert!(ended.stderr.contains("cannot write into boot.png"), "{}", ended.stderr);
}
