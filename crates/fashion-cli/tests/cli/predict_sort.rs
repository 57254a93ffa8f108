//! `fashion predict --sort-into`.

use crate::common::*;
use crate::predict::write_png;
use crate::predict_many::draw;
use ndarray::Array3;
use ndarray_npy::write_npy;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The weights that come with the program, which know from which confidence a machine may sort.
const GARMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/garments.safetensors");

/// Sorts with weights that ask a person, and gives what is said.
fn sort(folder: &Path, options: &str) -> Ended {
    let ended = line(folder, &format!("predict {GARMENTS} {options} --json"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended
}

/// Draws garments, and one that any network leaves to a person.
fn shots(folder: &Path, count: usize) {
    for index in 0..count {
        draw(&folder.join(format!("shots/{}/{index}.png", index % 2)), index);
    }
    write_png(&folder.join("shots/blank.png"), 28, 28, &[9; 784]);
}

/// Where each file has to be by what was answered.
fn expected(answers: &str) -> BTreeSet<String> {
    let place = |line: &str| {
        let answer = json(line);
        let name = Path::new(answer["path"].as_str().unwrap()).file_name().unwrap();
        let folder = match answer["sorted_by"].as_str() {
            Some("person") => "person".to_owned(),
            _ => answer["class"].as_str().unwrap().replace('/', "-"),
        };
        format!("{folder}/{}", name.to_str().unwrap())
    };
    answers.lines().map(place).collect()
}

fn names(files: &Files) -> BTreeSet<String> {
    files.keys().cloned().collect()
}

#[test]
fn each_file_comes_into_its_folder_once_and_stays_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    shots(folder, 40);
    let before = files(&folder.join("shots"));
    // Inside of what is read.
    let ended = sort(folder, "shots --sort-into shots/sorted");
    let sorted = files(&folder.join("shots/sorted"));
    assert_eq!(names(&sorted), expected(&ended.stdout));
    assert_eq!(sorted.len(), 41);
    assert_eq!(sorted["person/blank.png"], before["blank.png"]);
    let told = format!("sorted   41 files into shots/sorted, of them {} into person\n", {
        ended.stdout.matches("\"person\"").count()
    });
    assert!(ended.stderr.ends_with(&told), "{}", ended.stderr);
    let again = sort(folder, "shots --sort-into shots/sorted");
    assert_eq!(ended.stdout, again.stdout);
    assert_same(&files(&folder.join("shots/sorted")), &sorted);
    fs::rename(folder.join("shots/sorted"), folder.join("sorted")).unwrap();
    assert_same(&files(&folder.join("shots")), &before);
}

#[test]
fn files_of_one_name_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let person = folder.join("sorted/person");
    fs::create_dir_all(&person).unwrap();
    fs::write(person.join("1.png"), "of somebody").unwrap();
    let inverted = |index: usize| -> Vec<u8> {
        splits().test.pixels(index).iter().map(|level| 255 - level).collect()
    };
    for index in 0..3 {
        fs::create_dir(folder.join(index.to_string())).unwrap();
        write_png(&folder.join(format!("{index}/1.png")), 28, 28, &inverted(index));
    }
    sort(folder, "0 1 2 --sort-into sorted");
    let sorted = files(&folder.join("sorted"));
    assert_eq!(sorted.len(), 4, "{:?}", names(&sorted));
    assert_eq!(sorted["person/1.png"], b"of somebody");
    for index in 0..3 {
        let file = fs::read(folder.join(format!("{index}/1.png"))).unwrap();
        assert!(sorted.values().any(|other| *other == file));
    }
    sort(folder, "2 0 1 --sort-into sorted");
    assert_same(&files(&folder.join("sorted")), &sorted);
}

#[cfg(unix)]
#[test]
fn links_are_the_file_itself() {
    use std::os::unix::fs::MetadataExt;

    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    shots(folder, 1);
    sort(folder, "shots/blank.png --sort-into copied");
    sort(folder, "shots/blank.png --sort-into linked --link");
    let inode = |path: &str| folder.join(path).metadata().unwrap().ino();
    let original = inode("shots/blank.png");
    assert_eq!(inode("linked/person/blank.png"), original);
    assert_ne!(inode("copied/person/blank.png"), original);
}

#[test]
fn only_what_is_doubtful_is_left_to_a_person_without_a_threshold() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    shots(folder, 3);
    let run = run_folder();
    let ended = line(folder, &format!("predict {} shots --sort-into sorted --json", run.display()));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(names(&files(&folder.join("sorted"))), expected(&ended.stdout));
    assert!(folder.join("sorted/person/blank.png").exists());
    assert_eq!(ended.stderr.matches("have no threshold").count(), 1, "{}", ended.stderr);
    // Of other bins the threshold is not known either.
    fs::write(folder.join("bins.toml"), "shoes = [\"Sandal\", \"Sneaker\"]\ndefault = \"rest\"\n")
        .unwrap();
    let ended = line(
        folder,
        &format!("predict {GARMENTS} shots/blank.png --bins bins.toml --sort-into binned --json"),
    );
    let answer = json(&ended.stdout);
    assert_eq!((&answer["sorted_by"], &answer["reason"]), (&"person".into(), &"blank".into()));
    assert!(folder.join("binned/person/blank.png").exists());
    assert!(ended.stderr.contains("cannot have one chosen anew"), "{}", ended.stderr);
}

#[test]
fn what_cannot_be_sorted_is_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    shots(folder, 1);
    fs::write(folder.join("file"), "").unwrap();
    write_npy(folder.join("tiles.npy"), &Array3::<u8>::zeros((2, 28, 28))).unwrap();
    for (code, options, part) in [
        (2, "tiles.npy --sort-into sorted", "tiles.npy cannot be sorted into folders"),
        (2, "shots --link", "--sort-into"),
        (1, "shots --sort-into file", "cannot sort into file"),
        (1, "shots --sort-into shots", "shots is where results are to be written"),
        (1, "absent --sort-into sorted", "cannot classify absent"),
    ] {
        let ended = line(folder, &format!("predict {GARMENTS} {options}"));
        assert_eq!((ended.code, &ended.stdout[..]), (Some(code), ""), "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
    assert!(!folder.join("sorted").exists());
}

#[test]
fn all_is_sorted_though_nobody_reads_the_answers() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    shots(folder, 60);
    let options = format!("predict {GARMENTS} shots --sort-into sorted");
    let mut child = start(&mut command(folder, options.split(' ')));
    drop(child.stdout.take());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(files(&folder.join("sorted")).len(), 61);
}

#[cfg(unix)]
#[test]
fn sorting_that_is_killed_goes_on_where_it_was() {
    use std::process::Stdio;
    use std::thread::sleep;
    use std::time::Duration;

    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Of each name two, with different bytes.
    for index in 0..600 {
        draw(&folder.join(format!("shots/{}/{}.png", index / 300, index % 300)), index % 97);
    }
    sort(folder, "shots --sort-into whole");
    let options = format!("predict {GARMENTS} shots --sort-into killed");
    // What is there, while it comes and goes.
    let count = || -> usize {
        let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
        entries(&folder.join("killed")).map(|class| entries(&class.path()).count()).sum()
    };
    for least in [1, 100, 300] {
        let mut predict = command(folder, options.split(' '));
        let mut child = predict.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while count() < least && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(count() > 0);
    sort(folder, "shots --sort-into killed");
    let mut sorted = files(&folder.join("killed"));
    // Begun when it was killed.
    sorted.retain(|name, _| !name.ends_with(".part"));
    assert_same(&sorted, &files(&folder.join("whole")));
}

#[test]
fn a_file_that_cannot_be_sorted_or_explained_is_named_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // As long as names can be.
    let long = format!("{}.png", "x".repeat(251));
    for name in ["0.png", &long, "y.png"] {
        draw(&folder.join("shots").join(name), 0);
    }
    let command =
        format!("predict {GARMENTS} shots --json --sort-into sorted --explain why --show seen");
    let ended = line(folder, &command);
    assert_eq!((ended.code, ended.stdout.lines().count()), (Some(0), 3), "{}", ended.stderr);
    assert_eq!(names(&files(&folder.join("sorted"))), expected(&ended.stdout));
    assert_eq!(files(&folder.join("why")).len(), 3);
    assert_eq!(files(&folder.join("seen")).len(), 3);

    // No Unicode, and longer if it were made so.
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let name = [&[0xe9; 90][..], b".png"].concat();
        draw(&folder.join("latin").join(std::ffi::OsStr::from_bytes(&name)), 0);
        let ended = line(folder, &format!("predict {GARMENTS} latin --show shown --explain said"));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(fs::read_dir(folder.join("shown")).unwrap().count(), 1);
    }

    // Where everything is written lies in what is read, it is not read.
    for name in ["seen", "why", "sorted"] {
        fs::rename(folder.join(name), folder.join("shots").join(name)).unwrap();
    }
    let command = "shots --json --sort-into shots/sorted --explain shots/why --show shots/new";
    let again = line(folder, &format!("predict {GARMENTS} {command}"));
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    // What another run has drawn is there like any picture.
    assert_eq!(again.stdout.lines().count(), 3 + 3, "{}", again.stdout);

    // What is in the way is named.
    fs::create_dir(folder.join("half")).unwrap();
    let person = "person".to_owned();
    for class in splits().test.classes().iter().chain([&person]) {
        fs::write(folder.join("half").join(class.replace('/', "-")), "").unwrap();
    }
    let ended = line(
        folder,
        &format!("predict {GARMENTS} shots/0.png shots/y.png --json --sort-into half"),
    );
    assert_eq!((ended.code, ended.stdout.lines().count()), (Some(1), 2), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("cannot sort shots/").count(), 2, "{}", ended.stderr);
}
