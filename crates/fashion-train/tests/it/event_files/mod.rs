//! A reader of TensorBoard's event files, from their description and nothing of the writer's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Values by tag and step.
pub(crate) type Scalars = BTreeMap<(String, u64), f32>;

/// CRC-32C bit by bit: the polynomial 0x1EDC6F41, reflected.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1)))
    })
}

fn masked(bytes: &[u8]) -> u32 {
    let crc = crc32c(bytes);
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

fn records(bytes: &[u8]) -> Vec<&[u8]> {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut found, mut at) = (Vec::new(), 0);
    // What a killed process leaves may be cut short.
    while at + 12 <= bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        assert_eq!(number(at + 8), masked(&bytes[at..at + 8]), "checksum of a length");
        if at + 16 + length > bytes.len() {
            break;
        }
        let data = &bytes[at + 12..at + 12 + length];
        assert_eq!(number(at + 12 + length), masked(data), "checksum of data");
        found.push(data);
        at += 16 + length;
    }
    found
}

/// A field of a protocol buffer: a number, or bytes.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Value<'_>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let length = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let (number, rest) = bytes.split_at(length);
        *bytes = rest;
        number.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let length = match key & 7 {
            0 => {
                found.push((key >> 3, Value::Number(varint(&mut bytes))));
                continue;
            }
            1 => 8,
            2 => varint(&mut bytes) as usize,
            5 => 4,
            other => panic!("wire type {other}"),
        };
        let (value, rest) = bytes.split_at(length);
        found.push((key >> 3, Value::Bytes(value)));
        bytes = rest;
    }
    found
}

/// What an event says.
#[derive(Default)]
struct Event {
    wall_time: f64,
    step: u64,
    file_version: Option<String>,
    scalars: Vec<(String, f32)>,
    session_start: bool,
}

fn event(data: &[u8]) -> Event {
    let mut event = Event::default();
    for field in fields(data) {
        match field {
            (1, Value::Bytes(time)) => {
                event.wall_time = f64::from_le_bytes(time.try_into().unwrap());
            }
            (2, Value::Number(step)) => event.step = step,
            (3, Value::Bytes(text)) => {
                event.file_version = Some(String::from_utf8(text.to_vec()).unwrap());
            }
            (5, Value::Bytes(summary)) => {
                event.scalars.extend(fields(summary).into_iter().map(|field| match field {
                    (1, Value::Bytes(value)) => scalar(value),
                    (other, _) => panic!("field {other} of a summary"),
                }));
            }
            (7, Value::Bytes([8, 1])) => event.session_start = true,
            (other, _) => panic!("field {other} of an event"),
        }
    }
    event
}

fn scalar(value: &[u8]) -> (String, f32) {
    let (mut tag, mut number) = (None, None);
    for field in fields(value) {
        match field {
            (1, Value::Bytes(text)) => tag = Some(String::from_utf8(text.to_vec()).unwrap()),
            (2, Value::Bytes(bytes)) => {
                number = Some(f32::from_le_bytes(bytes.try_into().unwrap()));
            }
            (9, Value::Bytes(_)) => {}
            (other, _) => panic!("field {other} of a value"),
        }
    }
    (tag.unwrap(), number.unwrap())
}

/// The events of a folder, in TensorBoard's order.
fn events(folder: &Path) -> Vec<Event> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        assert!(path.file_name().unwrap().to_str().unwrap().starts_with("events.out.tfevents."));
        let bytes = fs::read(path).unwrap();
        let of_file: Vec<Event> = records(&bytes).into_iter().map(event).collect();
        assert_eq!(of_file[0].file_version.as_deref(), Some("brain.Event:2"));
        all.extend(of_file);
    }
    all
}

/// The values of a folder as TensorBoard shows them: what a session begins with drops what was there
/// from its step on. No value may be there twice.
pub(crate) fn scalars(folder: &Path) -> Scalars {
    let mut scalars = Scalars::new();
    for event in events(folder) {
        assert!(event.wall_time > 1.7e9, "seconds since 1970");
        if event.session_start {
            scalars.retain(|(_, step), _| *step < event.step);
        }
        for (tag, value) in event.scalars {
            let before = scalars.insert((tag.clone(), event.step), value);
            assert_eq!(before, None, "{tag} of step {} is there twice", event.step);
        }
    }
    scalars
}

/// The steps that sessions of a resumed run begin with.
pub(crate) fn session_starts(folder: &Path) -> Vec<u64> {
    events(folder).iter().filter(|e| e.session_start).map(|e| e.step).collect()
}

#[test]
fn the_reader_knows_the_checksum() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
}
