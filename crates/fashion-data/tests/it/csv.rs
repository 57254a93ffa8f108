//! Tables of images.

use crate::common::{csv, dataset, garments};
use fashion_data::{Dataset, csv::read_from};

fn read(text: &str) -> Result<Dataset, String> {
    read_from(text.as_bytes(), &garments()).map_err(|error| error.to_string())
}

#[test]
fn tables_are_read_with_names_or_without_and_however_lines_end() {
    let data = dataset(3, 250);
    let text = csv(&data);
    let (names, rows) = text.split_once('\n').unwrap();
    let from_zero: String = (0..784).map(|pixel| format!(",pixel{pixel}")).collect();
    let quoted = names.split(',').map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
    for same in [
        text.clone(),
        rows.to_owned(),
        text.replace('\n', "\r\n"),
        text.replace(',', ", ").trim_end().to_owned(),
        format!("\u{feff}{text}\n"),
        format!("\u{feff}{rows}"),
        format!("label{from_zero}\n{rows}"),
        format!("{quoted}\n{rows}"),
    ] {
        assert!(read(&same).as_ref() == Ok(&data), "{}", &same[..40]);
    }
}

#[test]
fn thresholded_images_are_black_and_white() {
    let row = |white: &str| format!("3,{}{white}\n", format!("{white},0,").repeat(391) + "0,");
    assert_eq!(read(&row("1")).unwrap(), read(&row("255")).unwrap());
    assert_ne!(read(&row("2")).unwrap(), read(&row("255")).unwrap());
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let text = csv(&dataset(3, 0));
    let (names, rows) = text.split_once('\n').unwrap();
    let second = rows.lines().nth(1).unwrap();
    let error = |text: &str| read(text).unwrap_err();
    let changed = |row: String| error(&text.replace(second, &row));
    let fields: Vec<_> = second.split(',').collect();
    let with = |column: usize, value: &str| {
        let mut fields = fields.clone();
        fields[column] = value;
        changed(fields.join(","))
    };
    for (column, value, problem) in [
        (0, "1001", "line 3: the label is `1001`, expected a whole number from 0 to 1000"),
        (0, "", "line 3: the label is ``, expected a whole number from 0 to 1000"),
        (1, "256", "line 3: pixel 1 is `256`, expected a whole number from 0 to 255"),
        (784, "0.5", "line 3: pixel 784 is `0.5`, expected a whole number from 0 to 255"),
        (7, "-1", "line 3: pixel 7 is `-1`, expected a whole number from 0 to 255"),
        (
            7,
            "00000000000000000256",
            "line 3: pixel 7 is `00000000000000000256`, expected a whole number from 0 to 255",
        ),
    ] {
        assert_eq!(with(column, value), problem);
    }
    assert_eq!(
        changed(format!("{second},0")),
        "line 3: it has 786 columns, expected 785 as the lines before: a label and the pixels of a square \
         image (785 columns for 28x28), separated by commas"
    );
    assert_eq!(with(0, "10"), "label 1 is 10, expected a whole number from 0 to 9");
    assert!(changed(second.replace(',', ";")).starts_with("line 3: it has 1 columns"));
    assert_eq!(
        changed("0,".repeat(40_000)),
        "line 3: it has more than 65540 bytes, expected a label and the pixels of a square image (785 columns \
         for 28x28), separated by commas"
    );
    assert_eq!(
        error(&text.replace("pixel7,", "pixel8,")),
        "line 1: column 8 is called `pixel8`, expected `pixel7`: the columns are label, pixel1, ..., \
         pixel784"
    );
    assert!(
        error(&text.replace("label,pixel1", "pixel1,label")).contains("called `pixel1`, expected")
    );
    assert_eq!(
        error(&names.replace(",pixel784", "")),
        "line 1: it has 784 columns, expected a label and the pixels of a square image (785 columns for \
         28x28), separated by commas"
    );
    assert_eq!(error(names), "holds no images; expected at least one");
    assert_eq!(error(""), "holds no images; expected at least one");
}
