//! Folders of classes: with parts, and without.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{dataset, png};
use fashion_data::picture::{self, Limits};
use fashion_data::{
    Classes, Dataset, Format, HoldOut, Placed, Reading, Source, Split, Splits, npz,
    stratified_split,
};

fn load(folder: &Path) -> Result<Splits, String> {
    let source = Source::find(folder).and_then(|source| source.load(&Reading::default()));
    source.map_err(|error| error.to_string())
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A picture unlike those of other numbers.
fn picture(number: usize) -> Vec<u8> {
    let mut pixels = dataset(1, 0).pixels(0).to_vec();
    for (place, byte) in number.to_be_bytes().into_iter().enumerate() {
        pixels[place] = byte;
    }
    png(&pixels)
}

/// A grey one of another size.
fn large() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 32, 32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&[7; 1024]).unwrap();
    bytes
}

/// Where each picture went.
fn parts(splits: &Splits) -> BTreeMap<PathBuf, Split> {
    let place = |Placed { path, split, .. }: &Placed| (path.clone(), *split);
    splits.placed.iter().map(place).collect()
}

#[test]
fn pictures_stay_in_their_part_whatever_others_come_and_go() {
    let root = tempfile::tempdir().unwrap();
    let mut before: BTreeMap<PathBuf, Split> = BTreeMap::new();
    for step in 0..4 {
        for number in step * 150..(step + 1) * 150 {
            // The new ones stand between the old ones.
            let class = ["reuse", "recycle", "waste"][number % 3];
            put(root.path(), &format!("{class}/{:03}.png", number * 7 % 600), &picture(number));
        }
        let splits = load(root.path()).unwrap();
        assert_eq!(splits.train.classes()[..], ["recycle", "reuse", "waste"]);
        let now = parts(&splits);
        assert_eq!(now.len(), (step + 1) * 150);
        assert!(before.iter().all(|(path, split)| now[path] == *split));
        for split in [Split::Train, Split::Test] {
            let count = now.values().filter(|&&other| other == split).count();
            assert_eq!(splits.part(split).unwrap().len(), count);
        }
        before = now;
    }
    let splits = load(root.path()).unwrap();
    // 30 of the 200 of each class on average, with a standard deviation of 5.
    assert!(splits.test.class_counts().iter().all(|count| (15..=45).contains(count)));
    assert!(splits.notes.is_empty() && splits.unread.is_empty(), "{:?}", splits.notes);
    let percent = |percent: u64| u64::MAX / 100 * percent;
    for Placed { split, hash, .. } in &splits.placed {
        assert_eq!(*split == Split::Test, *hash < percent(15), "{hash:x}");
    }
    assert!(splits.placed.iter().any(|p| (percent(14)..percent(15)).contains(&p.hash)));
    let csv = splits.split_csv(None).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("path,class,part,index,content", 601));
    assert!(lines[1].starts_with("recycle/") && lines[1].contains(",recycle,t"), "{}", lines[1]);
    assert!(lines[1..].is_sorted());
    // Less is as good as more.
    for path in before.keys().step_by(2) {
        fs::remove_file(root.path().join(path)).unwrap();
    }
    assert!(parts(&load(root.path()).unwrap()).iter().all(|(path, split)| before[path] == *split));
    // It is the content that counts, not the name.
    let moved: BTreeSet<_> = before.keys().skip(1).step_by(2).collect();
    for path in &moved {
        let path = root.path().join(path);
        fs::rename(&path, path.with_extension("PNG")).unwrap();
    }
    let now = parts(&load(root.path()).unwrap());
    assert!(moved.into_iter().all(|path| now[&path.with_extension("PNG")] == before[path]));
}

#[test]
fn files_of_the_same_bytes_are_in_the_same_part() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..80 {
        put(root.path(), &format!("a/{number}.png"), &picture(number));
        put(root.path(), &format!("b/copy of {number}.png"), &picture(number));
        put(root.path(), &format!("b/{number}.png"), &picture(number + 1000));
    }
    // Classes all of whose pictures would be for testing: alone, twice, and in another class, too.
    let now = parts(&load(root.path()).unwrap());
    let tested: Vec<usize> =
        (0..80).filter(|n| now[&PathBuf::from(format!("a/{n}.png"))] == Split::Test).collect();
    assert!(tested.len() > 3);
    for number in 0..80 {
        let split = |name: String| now[&PathBuf::from(name)];
        assert_eq!(split(format!("a/{number}.png")), split(format!("b/copy of {number}.png")));
    }
    put(root.path(), "lone/x.png", &picture(tested[0]));
    put(root.path(), "twice/x.png", &picture(tested[1]));
    put(root.path(), "twice/y.png", &picture(tested[1]));
    let splits = load(root.path()).unwrap();
    let now = parts(&splits);
    for name in ["lone/x.png", "twice/x.png", "twice/y.png"] {
        assert_eq!(now[&PathBuf::from(name)], Split::Train, "{name}");
    }
    for number in &tested[..2] {
        assert_eq!(now[&PathBuf::from(format!("a/{number}.png"))], Split::Train);
        assert_eq!(now[&PathBuf::from(format!("b/copy of {number}.png"))], Split::Train);
    }
    assert_eq!(now[&PathBuf::from(format!("a/{}.png", tested[2]))], Split::Test);
    let note = "where nothing is told of them: lone (1), twice (2)";
    assert!(splits.notes.len() == 1 && splits.notes[0].ends_with(note), "{:?}", splits.notes);
}

/// The names of the pictures that are held out, and of those that are trained on.
fn held_out(splits: &Splits, fraction: f64, seed: u64) -> [BTreeSet<String>; 2] {
    let HoldOut { train, held_out, part } = splits.hold_out(fraction, seed).unwrap();
    assert_eq!(part, Split::Train);
    let mut all = [&train[..], &held_out].concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..splits.train.len()) && held_out.is_sorted() && train.is_sorted());
    let names = splits.names();
    [held_out, train]
        .map(|items| items.iter().map(|&i| names[&(Split::Train, i)].clone()).collect())
}

#[test]
fn pictures_held_out_stay_so_and_copies_of_them_too() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..400 {
        put(root.path(), &format!("{}/{number}.png", ["a", "b"][number % 2]), &picture(number));
    }
    let splits = load(root.path()).unwrap();
    let [before, trained_on] = held_out(&splits, 0.2, 7);
    let share = before.len() as f64 / splits.train.len() as f64;
    assert!((0.14..0.26).contains(&share), "{share}");
    assert_ne!(before, held_out(&splits, 0.2, 8)[0]);
    // More of them are the same ones and others.
    assert!(held_out(&splits, 0.4, 7)[0].is_superset(&before));
    let csv = splits.split_csv(splits.hold_out(0.2, 7).ok().as_ref()).unwrap();
    for row in csv.lines().skip(1) {
        let [path, class, part, index, hash] = row.split(',').collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        assert!(path.starts_with(class) && hash.len() == 16, "{row}");
        assert_eq!(part == "validation", before.contains(path), "{row}");
        let images = if part == "test" { &splits.test } else { &splits.train };
        let pixels = picture::read(&root.path().join(path), &Limits::default()).unwrap().pixels;
        assert_eq!(images.pixels(index.parse().unwrap()), pixels, "{row}");
    }

    // Others, and copies of all, in the same class and in the other.
    for number in 0..400 {
        put(root.path(), &format!("a/0{number}.png"), &picture(number + 1000));
        put(
            root.path(),
            &format!("{}/c{number}.png", ["b", "a"][number % 3 / 2]),
            &picture(number),
        );
    }
    let [now, trained_on_now] = held_out(&load(root.path()).unwrap(), 0.2, 7);
    assert!(now.is_superset(&before) && trained_on_now.is_superset(&trained_on));
    for number in 0..400 {
        let original = format!("{}/{number}.png", ["a", "b"][number % 2]);
        let copy = format!("{}/c{number}.png", ["b", "a"][number % 3 / 2]);
        assert_eq!(now.contains(&original), now.contains(&copy), "{original}");
    }
}

#[test]
fn a_class_keeps_something_to_train_on_and_something_is_held_out() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..40 {
        put(root.path(), &format!("large/{number}.png"), &picture(number));
    }
    for number in 40..43 {
        put(root.path(), &format!("small/{number}.png"), &picture(number));
    }
    let splits = load(root.path()).unwrap();
    for seed in 0..20 {
        let [much, little] = [0.99, 1e-6].map(|fraction| held_out(&splits, fraction, seed));
        assert!(much[1].iter().any(|name| name.starts_with("large/")));
        assert!(much[1].iter().any(|name| name.starts_with("small/")));
        assert_eq!(little[0].len(), 1);
    }
    // Pictures that are all the same in each class.
    let root = tempfile::tempdir().unwrap();
    let (trained, tested) =
        splits.placed.iter().partition::<Vec<_>, _>(|p| p.split == Split::Train);
    let number = |placed: &&Placed| placed.path.file_stem().unwrap().to_str()?.parse().ok();
    let [a, b, test] = [trained.first(), trained.last(), tested.first()]
        .map(|placed| picture(placed.and_then(number).unwrap()));
    for (name, bytes) in [("a/1", &a), ("a/2", &a), ("a/3", &test), ("b/1", &b), ("b/2", &b)] {
        put(root.path(), &format!("{name}.png"), bytes);
    }
    let error = load(root.path()).unwrap().hold_out(0.5, 0).unwrap_err().to_string();
    let why = "no class has two different items, so there is nothing to hold out; add some, or hold out nothing";
    assert!(error.ends_with(why));
    let error = load(root.path()).unwrap().hold_out(1.0, 0).unwrap_err().to_string();
    assert!(error.ends_with("expected more than 0 and less than 1"), "{error}");
}

#[test]
fn what_has_become_of_the_pictures_is_told_by_their_table() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..60 {
        put(root.path(), &format!("{}/{number}.png", ["a", "b, c"][number % 2]), &picture(number));
    }
    let before = load(root.path()).unwrap();
    let table = before.split_csv(before.hold_out(0.5, 0).ok().as_ref()).unwrap();
    assert_eq!(before.changes_since(&table), None);
    assert_eq!(before.changes_since("path,class,part\n"), None);
    for number in [70, 72, 74, 76] {
        put(root.path(), &format!("a/{number}.png"), &picture(number));
    }
    put(root.path(), "b, c/1.png", &picture(1000));
    fs::remove_file(root.path().join("a/2.png")).unwrap();
    fs::rename(root.path().join("b, c/3.png"), root.path().join("a/3.png")).unwrap();
    assert_eq!(
        load(root.path()).unwrap().changes_since(&table).unwrap(),
        "5 new: a/3.png, a/70.png, a/72.png, ...; 2 gone: b, c/3.png, a/2.png; 1 changed: b, c/1.png"
    );
}

#[test]
fn a_folder_too_small_to_be_split_is_told_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    // One each: both are needed for training.
    put(root.path(), "a/1.png", &picture(1));
    put(root.path(), "b/2.png", &picture(2));
    let error = load(root.path()).unwrap_err();
    assert!(error.contains("of its 2 pictures none falls to the test part"), "{error}");
}

#[test]
fn class_folders_are_data_only_where_there_is_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "figures/1.png", &picture(1));
    let error = load(root.path()).unwrap_err();
    assert!(
        error.contains("figures (pictures of one class; a data set has two folders"),
        "{error}"
    );
    put(root.path(), "plots/2", &picture(2));
    put(root.path(), "texts/README.md", b"");
    let source = Source::find(root.path()).unwrap();
    assert_eq!(source.format, Format::ClassFolders);
    assert!(source.to_string().ends_with("(pictures in class folders, split here)"));
    for name in ["train.npz", "test.npz"] {
        npz::write(&root.path().join(name), &dataset(20, 0)).unwrap();
    }
    assert_eq!(Source::find(root.path()).unwrap().format, Format::Npz);
}

#[test]
fn the_names_of_a_validation_part_are_those_of_other_programs() {
    for name in ["val", "valid", "validation"] {
        let root = tempfile::tempdir().unwrap();
        let part = |part: &str, numbers: std::ops::Range<usize>| {
            for number in numbers {
                let name = format!("{part}/{}/{number}.png", ["a", "b"][number % 2]);
                put(root.path(), &name, &picture(number));
            }
        };
        part("train", 0..12);
        assert_eq!(
            load(root.path()).unwrap_err().split(": ").nth(1).unwrap(),
            "holds train/ but no test/; put it there, or to have a test part split off, name the folder \
             with the folders of the classes, train/, itself"
        );
        part(name, 20..26);
        let error = load(root.path()).unwrap_err();
        let advice = format!("rename {name}/ to test/ if it is what is to be tested on");
        assert!(error.contains(&advice), "{error}");
        part("test", 30..34);
        let splits = load(root.path()).unwrap();
        let counts: Vec<_> =
            splits.parts().map(|(split, part)| (split.name(), part.class_counts())).collect();
        let expected = [("train", vec![6, 6]), ("validation", vec![3, 3]), ("test", vec![2, 2])];
        assert_eq!(counts, expected);
        let sums = splits.checksums.validation_parts().unwrap();
        assert_eq!(sums.map(|(name, _)| name), ["validation images", "validation labels"]);
        assert_ne!(sums[0].1, splits.checksums.train_images);
        for Placed { path, split, index, label, .. } in &splits.placed {
            assert_eq!(splits.part(*split).unwrap().labels()[*index], *label);
            let folder = path.iter().next().unwrap();
            assert!(folder == split.name() || folder == name && *split == Split::Validation);
        }
        let csv = splits.split_csv(None).unwrap();
        assert!(csv.contains("\ntest/a/30.png,a,test,0,"), "{csv}");
        let stratified = stratified_split(splits.train.labels(), 0.5, 3).unwrap();
        assert_eq!(splits.hold_out(0.5, 3).unwrap(), stratified);

        // The others are not read at random.
        let other = if name == "val" { "valid" } else { "val" };
        part(other, 40..44);
        let error = load(root.path()).unwrap_err();
        let both = if name == "validation" { "val/, validation/" } else { "val/, valid/" };
        assert!(error.contains(&format!("more than one validation part: {both}")), "{error}");
    }
}

#[test]
fn what_the_command_writes_and_folders_without_pictures_are_no_classes() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..60 {
        put(root.path(), &format!("{}/{number}.png", ["a", "b"][number % 2]), &picture(number));
    }
    let plain = load(root.path()).unwrap();
    assert!(plain.notes.is_empty(), "{:?}", plain.notes);
    for file in ["runs/001/config.toml", "run/figures/x.png", "run/config.toml", "notes.txt"] {
        put(root.path(), file, b"");
    }
    for name in ["classes", "class_counts"] {
        put(root.path(), &format!("figures/{name}.png"), &picture(1000));
        put(root.path(), &format!("figures/{name}.svg"), b"<svg/>");
    }
    put(root.path(), "a/more/1.png", &picture(1001));
    put(root.path(), "lost.png", &picture(1002));
    fs::create_dir(root.path().join("none yet")).unwrap();
    let splits = load(root.path()).unwrap();
    assert_eq!(splits.train.classes()[..], ["a", "b", "none yet"]);
    assert_eq!(splits.train.labels(), plain.train.labels());
    assert_eq!(splits.placed, plain.placed);
    let left_out: Vec<_> = splits
        .unread
        .iter()
        .map(|unread| {
            (unread.path.strip_prefix(root.path()).unwrap().to_str().unwrap(), &*unread.problem)
        })
        .collect();
    let expected = [
        ("a/more", "it is a folder in that of a class; pictures in it are not read"),
        ("figures", "it holds figures, each as PNG and SVG"),
        ("lost.png", "it is in the folder of no class"),
        ("run", "it holds no picture itself, but config.toml"),
        ("runs", "it holds no picture itself, but 001"),
    ];
    assert_eq!(
        left_out.iter().map(|(path, problem)| (*path, *problem)).collect::<Vec<_>>(),
        expected
    );
    let note = splits.notes.iter().find(|note| note.contains("5 left out: a/more (it is a folder"));
    assert!(note.unwrap().ends_with(", ..."), "{:?}", splits.notes);
    // A figure that somebody has added is a picture.
    put(root.path(), "figures/mine.png", &picture(1003));
    assert!(load(root.path()).unwrap().train.classes().contains(&"figures".to_owned()));
}

#[test]
fn parts_beside_class_folders_are_told_the_layout() {
    for part in ["train", "test", "val", "valid", "validation"] {
        for file in ["Bag/1.png", "1.png"] {
            let root = tempfile::tempdir().unwrap();
            for number in 0..20 {
                put(
                    root.path(),
                    &format!("{}/{number}.png", ["Bag", "Dress"][number % 2]),
                    &picture(number),
                );
            }
            put(root.path(), &format!("{part}/{file}"), &picture(30));
            let expected = format!(
                "holds {part}/ beside the folders of classes; expected the folders of the classes alone, \
                 or all pictures in train/CLASS/, test/CLASS/ and, where there is such a part, val/CLASS/"
            );
            let error = load(root.path()).unwrap_err();
            assert!(error.contains(&expected), "{error}");
            assert!(error.ends_with(&format!("or rename {part}/ if it is a class")), "{error}");
        }
    }
}

#[test]
fn a_validation_part_of_pictures_is_used_beside_the_same_items_in_another_format() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..20 {
        for part in ["train", "test", "val"] {
            let name = format!("{part}/{}/{number}.png", ["a", "b"][number % 2]);
            put(root.path(), &name, &picture(number + 100 * part.len()));
        }
    }
    let splits = load(root.path()).unwrap();
    npz::write(&root.path().join("train.npz"), &splits.train).unwrap();
    npz::write(&root.path().join("test.npz"), &splits.test).unwrap();
    assert_eq!(load(root.path()).unwrap(), splits);
    fs::remove_dir_all(root.path().join("val/b")).unwrap();
    fs::create_dir(root.path().join("val/b")).unwrap();
    let notes = load(root.path()).unwrap().notes;
    let note = "1 class with training pictures has no validation pictures, so that nothing is told of \
                them there: b (10)";
    assert_eq!(notes, [note]);
    fs::remove_dir_all(root.path().join("val/a")).unwrap();
    fs::create_dir(root.path().join("val/a")).unwrap();
    let error = load(root.path()).unwrap_err();
    assert!(error.ends_with("val: holds no images; expected at least one"), "{error}");
    fs::remove_dir_all(root.path().join("val")).unwrap();
    assert_eq!(Source::find(root.path()).unwrap().format, Format::Npz);
}

#[test]
fn a_validation_part_of_other_classes_is_refused() {
    let splits = Splits::new(dataset(20, 0), dataset(10, 5)).unwrap();
    let other = dataset(10, 3);
    let names = Classes::new((0..10).map(|label| format!("class {label}"))).unwrap();
    let other = Dataset::new(other.images().to_owned(), other.labels().to_vec().into(), names);
    let error = splits.with_validation(other.unwrap()).unwrap_err().to_string();
    assert!(error.contains("the classes T-shirt/top,") && error.contains("class 0"), "{error}");
}

#[test]
fn classes_without_test_pictures_are_noted() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..10 {
        put(root.path(), &format!("train/{}/{number}.png", number / 2), &picture(number));
    }
    for number in 10..12 {
        put(root.path(), &format!("test/1/{number}.png"), &picture(number));
    }
    let note = "4 classes with training pictures have no test pictures, so that nothing is told of them \
                there: 0 (2), 2 (2), 3 (2), ...";
    assert_eq!(load(root.path()).unwrap().notes, [note]);
}

#[test]
fn what_cannot_be_read_is_counted_named_and_left_out() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..40 {
        put(
            root.path(),
            &format!("train/{}/{number}.png", ["a", "b"][number % 2]),
            &picture(number),
        );
        put(
            root.path(),
            &format!("test/{}/{number}.png", ["a", "b"][number % 2]),
            &picture(number),
        );
    }
    for name in ["train/a/0.png", "train/c/1.jpg", "train/c/2.png", "train/b/x.png", "test/b/y.png"]
    {
        put(root.path(), name, b"\x89PNG\r\n\x1a\n and no more");
    }
    put(root.path(), "train/b/z.svg", b"RIFF");
    let splits = load(root.path()).unwrap();
    assert_eq!(splits.train.class_counts(), [19, 20, 0]);
    assert_eq!(splits.test.class_counts(), [20, 20, 0]);
    let unread: Vec<_> = splits
        .unread
        .iter()
        .map(|unread| {
            (unread.split, unread.path.strip_prefix(root.path()).unwrap().to_str().unwrap())
        })
        .collect();
    let train = Some(Split::Train);
    assert_eq!(
        unread,
        [
            (train, "train/b/z.svg"),
            (train, "train/a/0.png"),
            (train, "train/b/x.png"),
            (train, "train/c/1.jpg"),
            (train, "train/c/2.png"),
            (Some(Split::Test), "test/b/y.png"),
        ]
    );
    assert!(splits.unread[1].problem.contains("cannot be read as a PNG"));
    let notes = &splits.notes;
    assert!(notes[0].contains("no training image of c"), "{notes:?}");
    let left_out =
        "train: 1 left out: b/z.svg (it is no PNG, JPEG, WebP, GIF, BMP or TIFF picture)";
    assert!(notes[1].ends_with(left_out), "{notes:?}");
    let start = "5 of 84 pictures cannot be read and are left out: train/a/0.png (";
    assert!(notes[2].contains(start) && notes[2].ends_with("), ..."), "{notes:?}");

    // Where nothing can be read, the first reason is an error.
    fs::remove_dir_all(root.path().join("test")).unwrap();
    put(root.path(), "test/a/1.png", b"no");
    let error = load(root.path()).unwrap_err();
    assert!(error.ends_with(
        "1.png: it is no PNG, JPEG, WebP, GIF, BMP or TIFF file; convert it to one of them"
    ));
}

#[test]
fn the_first_picture_of_another_size_is_named_on_any_number_of_threads() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..300 {
        put(root.path(), &format!("{}/{number}.png", ["a", "b"][number % 2]), &picture(number));
    }
    put(root.path(), "a/0.png", b"broken");
    let source = Source::find(root.path()).unwrap();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (told, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let progress = |done: usize, all: usize| {
            told.fetch_add(1, Ordering::Relaxed);
            most.fetch_max(done, Ordering::Relaxed);
            assert_eq!(all, 300);
        };
        let read = pool.install(|| source.load_with(&Reading::default(), &progress));
        (read.map_err(|error| error.to_string()), told.into_inner(), most.into_inner())
    };
    let (one, told, most) = on(1);
    assert_eq!((told, most), (300, 300));
    assert_eq!(one.as_ref().unwrap().unread.len(), 1);
    for threads in [2, 5] {
        assert_eq!(on(threads).0, one);
    }
    for number in [77, 151, 280] {
        put(root.path(), &format!("{}/{number}.png", ["a", "b"][number % 2]), &large());
    }
    for threads in [1, 2, 5] {
        let error = on(threads).0.unwrap_err();
        assert!(error.contains("77.png: it is 32x32 pixels, grey, but"), "{error}");
    }
}
