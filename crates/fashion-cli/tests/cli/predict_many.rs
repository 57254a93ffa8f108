//! `fashion predict` of many pictures: folders, patterns, lists, archives, and the formats of answers.

use crate::common::*;
use crate::predict::write_png;
use fashion_data::npz;
use ndarray::{Array3, Array4};
use ndarray_npy::{NpzWriter, write_npy};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

/// Writes garment `index` of the test set, and the folders that it lies in.
pub(crate) fn draw(path: &Path, index: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    write_png(path, 28, 28, splits().test.pixels(index));
}

fn images(count: usize) -> Array3<u8> {
    Array3::from_shape_fn((count, 28, 28), |(n, y, x)| splits().test.pixels(n % 100)[y * 28 + x])
}

fn predict(folder: &Path, options: &[&str]) -> Ended {
    let run = run_folder();
    fashion(folder, ["predict", run.to_str().unwrap()].iter().chain(options))
}

fn paths(ended: &Ended) -> Vec<String> {
    ended.stdout.lines().map(|line| json(line)["path"].as_str().unwrap().to_owned()).collect()
}

/// Classifies these and gives their paths.
fn named(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let ended = predict(folder, &[arguments, &["--json"]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    paths(&ended)
}

/// What is said where nothing is classified.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let ended = predict(folder, arguments);
    assert_eq!((ended.code, &ended.stdout[..]), (Some(1), ""), "{}", ended.stderr);
    assert!(!ended.stderr.contains("weights"), "{}", ended.stderr);
    ended.stderr
}

#[test]
fn a_folder_is_read_in_order_with_those_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let shots = folder.path().join("shots");
    for (index, name) in ["b/2.png", "b/10.PNG", "a/x/1.png", "z.png", ".hidden.png", ".git/3.png"]
        .iter()
        .enumerate()
    {
        draw(&shots.join(name), index);
    }
    fs::write(shots.join("notes.txt"), "no picture").unwrap();
    fs::write(shots.join("b/Thumbs.db"), "none either").unwrap();
    let expected = ["shots/a/x/1.png", "shots/b/10.PNG", "shots/b/2.png", "shots/z.png"];
    let ended = predict(folder.path(), &["shots", "--json"]);
    assert_eq!((ended.code, paths(&ended)), (Some(0), expected.map(String::from).to_vec()));
    assert!(
        ended.stderr.ends_with("left out 2 not named as pictures, 2 hidden\n"),
        "{}",
        ended.stderr
    );
    // The answers are those of the files one by one, and a bad one costs no other.
    let one_by_one = predict(folder.path(), &[&expected[..], &["--json"]].concat());
    assert_eq!(ended.stdout, one_by_one.stdout);
    fs::write(shots.join("b/3.jpg"), "no picture").unwrap();
    let ended = predict(folder.path(), &["shots", "--json"]);
    assert_eq!((ended.code, ended.stdout), (Some(1), one_by_one.stdout));
    assert!(ended.stderr.contains("error: cannot classify shots/b/3.jpg\n"), "{}", ended.stderr);
    assert_eq!(
        named(folder.path(), &["shots/a", "shots/z.png"]),
        ["shots/a/x/1.png", "shots/z.png"]
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let shots = folder.path().join("shots");
    draw(&shots.join("a/1.png"), 0);
    draw(&folder.path().join("elsewhere/2.png"), 1);
    symlink("..", shots.join("a/up")).unwrap();
    symlink("self", shots.join("self")).unwrap();
    symlink("nowhere.txt", shots.join("lost.txt")).unwrap();
    symlink("../elsewhere", shots.join("b")).unwrap();
    symlink("a/1.png", shots.join("c.png")).unwrap();
    let expected = ["shots/a/1.png", "shots/b/2.png", "shots/c.png"];
    assert_eq!(named(folder.path(), &["shots"]), expected);
    assert_eq!(named(folder.path(), &["shots/**/*.png"]), expected);
    symlink("nowhere.png", shots.join("lost.png")).unwrap();
    let ended = predict(folder.path(), &["shots", "--json"]);
    assert_eq!((ended.code, paths(&ended).len()), (Some(1), 3));
    assert!(ended.stderr.contains("cannot classify shots/lost.png"), "{}", ended.stderr);
}

#[test]
fn patterns_match_as_in_a_shell_and_files_of_their_names_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["1.png", "2.png", "3.jpg", ".4.png", "a/5.png", "a/b/6.png", "a/.c/7.png"] {
        draw(&at(name), 0);
    }
    for (pattern, expected) in [
        ("*.png", &["1.png", "2.png"][..]),
        ("./?.png", &["./1.png", "./2.png"]),
        ("[2-3].*", &["2.png", "3.jpg"]),
        ("[!1].png", &["2.png"]),
        ("**/*.png", &["1.png", "2.png", "a/5.png", "a/b/6.png"]),
        ("a/*.png", &["a/5.png"]),
        ("a/*/?.png", &["a/b/6.png"]),
        (".*.png", &[".4.png"]),
    ] {
        assert_eq!(named(folder.path(), &[pattern]), expected, "{pattern}");
    }
    let absolute = at("a/*.png");
    assert_eq!(
        named(folder.path(), &[absolute.to_str().unwrap()]),
        [at("a/5.png").to_str().unwrap()]
    );
    draw(&at("[2-3].png"), 0);
    draw(&at("?/8.png"), 0);
    assert_eq!(named(folder.path(), &["[2-3].png"]), ["[2-3].png"]);
    assert_eq!(named(folder.path(), &["?"]), ["?/8.png"]);
}

#[test]
fn what_names_nothing_is_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    draw(&folder.path().join("1.png"), 0);
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::create_dir(folder.path().join("notes")).unwrap();
    fs::write(folder.path().join("notes/a.txt"), "").unwrap();
    fs::write(folder.path().join("damaged.npz"), "PK").unwrap();
    write_npy(folder.path().join("none.npy"), &Array3::<u8>::zeros((0, 28, 28))).unwrap();
    write_npy(folder.path().join("large.npy"), &Array4::<u8>::zeros((3, 32, 32, 3))).unwrap();
    let said: String = [
        "absent.png",
        "empty",
        "notes",
        "*.jpg",
        "absent/*.png",
        "a[.png",
        "**a",
        "damaged.npz",
        "none.npy",
        "large.npy",
    ]
    .map(|argument| refused(folder.path(), &["1.png", argument]))
    .concat();
    insta::assert_snapshot!(said);
    let twice = predict(folder.path(), &["-", "-"]);
    assert_eq!(twice.code, Some(2), "{}", twice.stderr);
}

#[test]
fn images_of_archives_get_the_answers_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for index in 0..20 {
        draw(&at(&format!("files/{index:02}.png")), index);
    }
    let answers = |arguments: &[&str]| -> Vec<_> {
        let ended = predict(folder.path(), &[arguments, &["--json"]].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout.lines().map(|line| json(line)["probabilities"].clone()).collect()
    };
    let expected = answers(&["files"]);
    let bytes = images(20);
    write_npy(at("bytes.npy"), &bytes).unwrap();
    write_npy(at("shares.npy"), &bytes.mapv(|level| f32::from(level) / 255.0)).unwrap();
    write_npy(at("columns.npy"), &bytes.clone().reversed_axes().as_standard_layout().t()).unwrap();
    let mut archive = NpzWriter::new(fs::File::create(at("two.npz")).unwrap());
    archive.add_array("x_train", &images(3)).unwrap();
    archive.add_array("x_test", &bytes.mapv(i64::from)).unwrap();
    archive.finish().unwrap();
    npz::write(&at("labelled.npz"), &splits().test.select(&(0..20).collect::<Vec<_>>())).unwrap();
    for name in ["bytes.npy", "shares.npy", "columns.npy", "labelled.npz"] {
        assert_eq!(answers(&[name]), expected, "{name}");
    }
    assert_eq!(answers(&["two.npz", "--images-key", "x_test"]), expected);
    assert!(refused(folder.path(), &["two.npz"]).contains("with --images-key"));
    let names: Vec<String> = (0..20).map(|index| format!("bytes.npy#{index}")).collect();
    assert_eq!(named(folder.path(), &["bytes.npy"]), names);

    // A pixel of one of the last, which is found after the answers to those before.
    let mut wrong = images(2000).mapv(|level| f32::from(level) / 255.0);
    wrong[[1990, 0, 0]] = 0.5;
    write_npy(at("wrong.npy"), &wrong).unwrap();
    let ended = predict(folder.path(), &["wrong.npy", "bytes.npy", "--json"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("pixel 0 of image 1990 is 0.5"), "{}", ended.stderr);
    let found = paths(&ended);
    assert!(found.len() > 1000 && found.len() <= 1990 + 20, "{}", found.len());
    assert_eq!(found[found.len() - 20..], names);
}

fn reading_a_list(folder: &Path) -> (Child, ChildStdin) {
    let run = run_folder();
    let mut predict = command(folder, ["predict", run.to_str().unwrap(), "-", "--json"]);
    let mut child = start(predict.stdin(Stdio::piped()));
    let input = child.stdin.take().unwrap();
    (child, input)
}

fn of_list(folder: &Path, list: &[u8]) -> Ended {
    let (child, mut input) = reading_a_list(folder);
    input.write_all(list).unwrap();
    drop(input);
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_list_may_name_files_folders_and_archives() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["1.png", "shots/2.png", "shots/3 [a].png", "new\nline.png"] {
        draw(&folder.path().join(name), 0);
    }
    write_npy(folder.path().join("tiles.npy"), &images(2)).unwrap();
    let ended = of_list(folder.path(), b"1.png\n\nshots/3 [a].png\r\nshots\ntiles.npy\n1.png");
    let shots = ["shots/2.png", "shots/3 [a].png"];
    let expected = ["1.png", shots[1], shots[0], shots[1], "tiles.npy#0", "tiles.npy#1", "1.png"];
    assert_eq!((ended.code, paths(&ended)), (Some(0), expected.map(String::from).to_vec()));
    let ended = of_list(folder.path(), b"new\nline.png\x001.png\0");
    assert_eq!(
        (ended.code, paths(&ended)),
        (Some(0), vec!["new\nline.png".into(), "1.png".into()])
    );
    // A pattern finds archives as the shell would.
    let quoted = named(folder.path(), &["til*s.npy", "1.*"]);
    assert_eq!(quoted, ["tiles.npy#0", "tiles.npy#1", "1.png"]);
    // A list is longer than can be looked at before: what is not there is told and the rest goes on.
    let ended = of_list(folder.path(), b"absent.png\n*.png\n1.png\n");
    assert_eq!((ended.code, paths(&ended)), (Some(1), vec!["1.png".into()]));
    assert!(ended.stderr.contains("cannot classify absent.png"), "{}", ended.stderr);
    assert!(ended.stderr.contains("cannot classify *.png"), "{}", ended.stderr);
    let ended = of_list(folder.path(), b"\n");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("standard input names no picture"), "{}", ended.stderr);
}

#[test]
fn a_list_is_answered_as_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    draw(&folder.path().join("1.png"), 0);
    let (mut child, mut input) = reading_a_list(folder.path());
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        input.write_all(b"1.png\n").unwrap();
        let mut line = String::new();
        // Would wait for ever if the next path were waited for first.
        answers.read_line(&mut line).unwrap();
        assert_eq!(json(&line)["path"], "1.png");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn who_reads_no_more_ends_the_work_in_peace() {
    let folder = tempfile::tempdir().unwrap();
    write_npy(folder.path().join("tiles.npy"), &images(20_000)).unwrap();
    let run = run_folder();
    let options = ["predict", run.to_str().unwrap(), "tiles.npy", "--format", "csv"];
    let mut child = start(&mut command(folder.path(), options));
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    drop(answers);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(said.starts_with("weights") && said.lines().count() == 1, "{said}");
}

#[test]
fn formats_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for (index, name) in ["1.png", "a, \"b\".png"].into_iter().enumerate() {
        draw(&folder.path().join(name), index);
    }
    let of = |options: &[&str]| {
        let ended = predict(folder.path(), &[&["."], options].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout
    };
    let answers = of(&["--json"]);
    assert_eq!(answers, of(&["--format", "json"]));
    let answers: Vec<_> = answers.lines().map(json).collect();
    let csv = of(&["--format", "csv"]);
    let rows: Vec<&str> = csv.lines().collect();
    let header = "path,predicted,class,probability,bin,bin_probability,tta,sorted_by,reason,novelty,\
                  p0,p1,p2,p3,p4,p5,p6,p7,p8,p9";
    assert_eq!((rows.len(), rows[0]), (3, header));
    assert!(rows[2].starts_with("\"./a, \"\"b\"\".png\","), "{csv}");
    let fields: Vec<&str> = rows[1].split(',').collect();
    assert_eq!(fields[0], "./1.png");
    assert_eq!(fields[1], answers[0]["predicted"].to_string());
    assert_eq!(fields[2], answers[0]["class"]);
    let probabilities: Vec<String> =
        answers[0]["probabilities"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(fields[10..], probabilities);
    let table = of(&[]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("class ") && lines[0].ends_with("  image"), "{table}");
    assert!(lines[2].ends_with("  ./a, \"b\".png"), "{table}");
    let both = predict(folder.path(), &["1.png", "--json", "--format", "csv"]);
    assert_eq!(both.code, Some(2), "{}", both.stderr);
}
