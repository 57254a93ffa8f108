//! One file at a time.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use fashion_data::known::KnownFile;
use indicatif::ProgressBar;
use tempfile::TempDir;

use super::server::{Answer, Request, Server};
use super::{PATIENCE, known_file, mirrors};
use crate::fetch::download::{Download, Patience};
use crate::fetch::source::Source;

const NAME: &str = "file.gz";

fn content() -> Vec<u8> {
    (0..200_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn expected() -> KnownFile {
    known_file("file", &content())
}

/// Keeps what it is told.
struct Record {
    bar: ProgressBar,
    troubles: RefCell<Vec<String>>,
}

impl Default for Record {
    fn default() -> Self {
        Self { bar: ProgressBar::hidden(), troubles: RefCell::default() }
    }
}

fn fetch(folder: &Path, sources: &[Source], record: &Record) -> Result<Option<usize>> {
    fetch_with(PATIENCE, folder, sources, record)
}

/// Does not bear silence for long.
fn fetch_hastily(folder: &Path, sources: &[Source]) -> Result<Option<usize>> {
    let mut patience = PATIENCE;
    patience.silence = Duration::from_millis(300);
    fetch_with(patience, folder, sources, &Record::default())
}

fn fetch_with(
    patience: Patience,
    folder: &Path,
    sources: &[Source],
    record: &Record,
) -> Result<Option<usize>> {
    let (file, bar) = (&expected(), &record.bar);
    let warn = |error: &anyhow::Error| record.troubles.borrow_mut().push(format!("{error:#}"));
    Download { file, folder, patience, bar, warn: &warn }.ensure(sources, 0)
}

/// The file is whole and in place, and nothing else is there.
fn assert_whole(folder: &TempDir) {
    assert!(fs::read(folder.path().join(NAME)).unwrap() == content(), "other bytes");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left over");
}

fn starts(server: &Server) -> Vec<Option<usize>> {
    server.requests().iter().map(|request| request.from).collect()
}

/// Fetches the file from a server with this script, after these bytes where there are some; gives the
/// bytes from which on it was asked for.
fn fetched(
    part: &[u8],
    script: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static,
) -> Vec<Option<usize>> {
    let server = Server::start(script);
    let folder = tempfile::tempdir().unwrap();
    if !part.is_empty() {
        fs::write(folder.path().join("file.gz.part"), part).unwrap();
    }
    fetch(folder.path(), &mirrors(&[&server]), &Record::default()).unwrap();
    assert_whole(&folder);
    starts(&server)
}

#[test]
fn a_good_server_is_asked_once_and_then_no_more() {
    let server = Server::start(|_, _| Answer::Well(content()));
    let folder = tempfile::tempdir().unwrap();
    let record = Record::default();
    let sources = mirrors(&[&server]);
    assert_eq!(fetch(folder.path(), &sources, &record).unwrap(), Some(0));
    assert_whole(&folder);
    assert_eq!(server.requests(), [Request { path: format!("/{NAME}"), from: None }]);
    assert_eq!(record.bar.position(), expected().gz_bytes);

    assert_eq!(fetch(folder.path(), &sources, &record).unwrap(), None);
    assert_eq!(server.requests().len(), 1, "a file that is right is not fetched again");
    assert_eq!(*record.troubles.borrow(), [] as [String; 0]);
}

#[test]
fn a_cut_connection_is_continued_where_it_ended() {
    let starts = fetched(&[], |_, _| Answer::Cut(content(), 150_000));
    assert_eq!(starts[..3], [None, Some(150_000), Some(300_000)]);
    // As long as there is progress, more requests are made than `attempts`.
    assert_eq!(starts.len(), 6);
}

#[test]
fn a_server_that_ignores_ranges_is_read_from_the_start() {
    let starts = fetched(&[], |before, _| match before {
        0 => Answer::Cut(content(), 300_000),
        1 => Answer::IgnoreRange(content(), 200_000),
        _ => Answer::IgnoreRange(content(), usize::MAX),
    });
    assert_eq!(starts, [None, Some(300_000), Some(200_000)]);
}

#[test]
fn an_answer_to_another_range_is_not_appended() {
    let starts = fetched(&[], |before, _| match before {
        0 => Answer::Cut(content(), 300_000),
        1 => Answer::WrongRange(content()),
        _ => Answer::Well(content()),
    });
    assert_eq!(starts, [None, Some(300_000), None]);
}

#[test]
fn an_interrupted_download_is_continued_by_the_next_call() {
    let starts = fetched(&content()[..1234], |_, _| Answer::Well(content()));
    assert_eq!(starts, [Some(1234)]);
}

#[test]
fn a_finished_part_needs_no_request() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file.gz.part"), content()).unwrap();
    let nobody = [Source::Mirror("http://127.0.0.1:1/".into())];
    fetch(folder.path(), &nobody, &Record::default()).unwrap();
    assert_whole(&folder);
}

#[test]
fn a_part_of_another_file_is_thrown_away() {
    let mut too_long = content();
    too_long.push(0);
    let same_size = vec![7; content().len()];
    let shorter = vec![7; 1000];
    for (case, part, requests) in [
        ("too long", too_long, vec![None]),
        ("as long", same_size, vec![None]),
        ("shorter", shorter, vec![Some(1000), None]),
    ] {
        let starts = fetched(&part, |_, _| Answer::Well(content()));
        assert_eq!(starts, requests, "{case}");
    }
}

#[test]
fn a_damaged_file_is_noticed_and_fetched_again() {
    let server = Server::start(|_, _| Answer::Well(content()));
    let folder = tempfile::tempdir().unwrap();
    let mut damaged = content();
    damaged[5] ^= 1;
    fs::write(folder.path().join(NAME), damaged).unwrap();
    let record = Record::default();
    let outcome = fetch(folder.path(), &mirrors(&[&server]), &record).unwrap();
    assert_eq!(outcome, Some(0));
    assert_whole(&folder);
    let troubles = record.troubles.borrow();
    assert!(troubles.len() == 1 && troubles[0].contains("SHA-256"), "{troubles:?}");
}

#[test]
fn wrong_bytes_lead_to_the_next_mirror_at_once() {
    let mut same_size = content();
    same_size[5] ^= 1;
    let shorter = content()[..500].to_vec();
    let longer = [content(), vec![0; 100_000]].concat();
    for (bytes, why) in [(same_size, "SHA-256"), (shorter, "expected"), (longer.clone(), "bytes")] {
        let bad = Server::start(move |_, _| Answer::Well(bytes.clone()));
        let good = Server::start(|_, _| Answer::Well(content()));
        let folder = tempfile::tempdir().unwrap();
        let record = Record::default();
        let outcome = fetch(folder.path(), &mirrors(&[&bad, &good]), &record).unwrap();
        assert_eq!(outcome, Some(1));
        assert_whole(&folder);
        assert_eq!(bad.requests().len(), 1);
        let troubles = record.troubles.borrow();
        assert!(troubles[0].contains(&bad.url()) && troubles[0].contains(why), "{troubles:?}");
    }

    // A server that does not say how much there will be cannot fill the disk.
    let endless = Server::start(move |_, _| Answer::Unannounced(longer.clone()));
    let folder = tempfile::tempdir().unwrap();
    let error = fetch(folder.path(), &mirrors(&[&endless]), &Record::default()).unwrap_err();
    assert!(error.to_string().contains("more than the expected 800000 bytes"), "{error}");
    let part = fs::metadata(folder.path().join("file.gz.part")).unwrap();
    assert!(part.len() <= expected().gz_bytes);
}

#[test]
fn a_missing_file_is_not_asked_for_twice_but_a_server_error_is() {
    for (status, requests) in [(404, 1), (403, 1), (500, 3), (503, 3), (429, 3)] {
        let bad = Server::start(move |_, _| Answer::Status(status));
        let good = Server::start(|_, _| Answer::Well(content()));
        let folder = tempfile::tempdir().unwrap();
        let record = Record::default();
        let outcome = fetch(folder.path(), &mirrors(&[&bad, &good]), &record).unwrap();
        assert_eq!(outcome, Some(1));
        assert_whole(&folder);
        assert_eq!(bad.requests().len(), requests, "status {status}");
        assert!(record.troubles.borrow()[0].contains(&status.to_string()));
    }
}

#[test]
fn a_passing_server_error_is_waited_out() {
    let starts = fetched(&[], |before, _| match before {
        0 | 1 => Answer::Status(500),
        _ => Answer::Well(content()),
    });
    assert_eq!(starts.len(), 3);
}

#[test]
fn silence_ends_in_the_next_mirror() {
    let silent = Server::start(|_, _| Answer::Silence);
    let good = Server::start(|_, _| Answer::Well(content()));
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let outcome = fetch_hastily(folder.path(), &mirrors(&[&silent, &good])).unwrap();
    assert_eq!(outcome, Some(1));
    assert_whole(&folder);
    assert_eq!(silent.requests().len(), 3);
    assert!(begun.elapsed() < PATIENCE.request, "the silence limit did not hold");
}

#[test]
fn a_transfer_that_stalls_is_continued() {
    let server = Server::start(|before, _| match before {
        0 => Answer::Stall(content(), 300_000),
        _ => Answer::Well(content()),
    });
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    fetch_hastily(folder.path(), &mirrors(&[&server])).unwrap();
    assert_whole(&folder);
    let starts = starts(&server);
    assert!(starts.len() == 2 && starts[1].is_some_and(|from| from > 0), "{starts:?}");
    assert!(begun.elapsed() < PATIENCE.request, "the silence limit did not hold");
}

#[test]
fn a_server_that_drips_is_given_up() {
    let server = Server::start(|_, _| Answer::Cut(content(), 1));
    let folder = tempfile::tempdir().unwrap();
    let error = fetch(folder.path(), &mirrors(&[&server]), &Record::default()).unwrap_err();
    assert_eq!(server.requests().len(), 3, "{error}");
}

#[test]
fn a_redirect_keeps_the_range() {
    let starts = fetched(&content()[..99], |_, request| match request.path.as_str() {
        "/moved" => Answer::Well(content()),
        _ => Answer::Redirect("/moved".into()),
    });
    assert_eq!(starts, [Some(99), Some(99)]);
}

#[test]
fn one_mirror_continues_what_another_began() {
    let dying = Server::start(|before, _| match before {
        0 => Answer::Cut(content(), 300_000),
        _ => Answer::Status(404),
    });
    let good = Server::start(|_, _| Answer::Well(content()));
    let folder = tempfile::tempdir().unwrap();
    fetch(folder.path(), &mirrors(&[&dying, &good]), &Record::default()).unwrap();
    assert_whole(&folder);
    assert_eq!(starts(&good), [Some(300_000)]);
}

#[test]
fn when_nothing_helps_every_source_is_named() {
    let missing = Server::start(|_, _| Answer::Status(404));
    let broken = Server::start(|_, _| Answer::Status(500));
    let empty = tempfile::tempdir().unwrap();
    let mut sources = mirrors(&[&missing, &broken]);
    sources.push(Source::Folder(empty.path().to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let error = fetch(folder.path(), &sources, &Record::default()).unwrap_err().to_string();
    for part in [
        format!("{}{NAME} answered 404", missing.url()),
        format!("{}{NAME} answered 500", broken.url()),
        format!("cannot read {}", empty.path().join(NAME).display()),
        expected().gz_sha256.into(),
        "fetch-data --from".into(),
    ] {
        assert!(error.contains(&part), "{part:?} is missing in: {error}");
    }
}

#[test]
fn a_local_folder_is_a_source_and_is_checked_like_one() {
    let from = tempfile::tempdir().unwrap();
    let original = from.path().join(NAME);
    fs::write(&original, content()).unwrap();
    let writable = fs::metadata(&original).unwrap().permissions();
    let mut read_only = writable.clone();
    read_only.set_readonly(true);
    fs::set_permissions(&original, read_only).unwrap();
    let sources = [Source::Folder(from.path().to_owned())];
    let folder = tempfile::tempdir().unwrap();
    let outcome = fetch(folder.path(), &sources, &Record::default()).unwrap();
    assert_eq!(outcome, Some(0));
    assert_whole(&folder);
    assert!(!fs::metadata(folder.path().join(NAME)).unwrap().permissions().readonly());

    fs::set_permissions(&original, writable).unwrap();
    let mut wrong = content();
    wrong[0] ^= 1;
    for bytes in [wrong, vec![1, 2, 3]] {
        fs::write(&original, bytes).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let error = fetch(folder.path(), &sources, &Record::default()).unwrap_err().to_string();
        assert!(error.contains(&from.path().display().to_string()), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_not_the_mirrors_fault() {
    let server = Server::start(|_, _| Answer::Well(content()));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("file.gz.part")).unwrap();
    let sources = mirrors(&[&server, &server]);
    let error = format!("{:#}", fetch(folder.path(), &sources, &Record::default()).unwrap_err());
    assert!(error.contains("file.gz.part") && !error.contains("no source"), "{error}");
}
