//! Files of predictions: what is read, and what is refused and how.

use fashion_eval::{
    Predictions,
    predictions_csv::{Split, read_any, write},
};
use ndarray::{Array2, array};

const HEADER: &str = "split,index,true,predicted,p0,p1\n";

/// The error for a run's file with `lines` below the header.
fn refused(lines: &str) -> String {
    read_any(format!("{HEADER}{lines}").as_bytes(), "run/predictions.csv", None)
        .expect_err("bad lines")
        .to_string()
}

#[test]
fn ten_classes_have_the_documented_columns() {
    let uniform = Array2::from_elem((1, 10), 0.1_f32);
    let predictions = Predictions::from_f32(&uniform, vec![9]).unwrap();
    let mut file = Vec::new();
    write(&mut file, &[(Split::Validation, &predictions)]).unwrap();
    let file = String::from_utf8(file).unwrap();
    let p = ["0.10000000149011612"; 10].join(",");
    assert_eq!(
        file,
        format!("split,index,true,predicted,p0,p1,p2,p3,p4,p5,p6,p7,p8,p9\nvalidation,0,9,0,{p}\n")
    );
}

#[test]
fn a_split_comes_back_in_its_order() {
    let lines = "test,1,0,0,0.9,0.1\nvalidation,1,1,1,0.2,0.8\ntest,0,1,0,0.5,0.5\n";
    let split = |split| {
        let file = format!("{HEADER}{lines}");
        read_any(file.as_bytes(), "predictions.csv", Some(split)).unwrap()
    };
    let (test, validation) = (split("test"), split("validation"));
    assert_eq!(test.indices(), [1, 0]);
    assert_eq!(test.labels(), [0, 1]);
    assert_eq!(validation.probabilities(), array![[0.2, 0.8]]);
}

#[test]
fn each_bad_value_is_named_with_line_and_column() {
    let good = "test,0,0,0,0.9,0.1\n";
    for (line, wanted) in [
        ("test,-1,0,0,0.9,0.1", "`index`: found `-1`, expected the item's number in its data set"),
        ("test,1,2,0,0.9,0.1", "`true`: found `2`, expected a class number from 0 to 1"),
        ("test,1,cat,0,0.9,0.1", "`true`: found `cat`, expected a class number from 0 to 1"),
        ("test,1,0,0,0.9,x", "`p1`: found `x`, expected a probability"),
        ("test,1,0,0,0.9,", "`p1`: found ``, expected a probability"),
        ("test,1,0,0,NaN,0.1", "`p0`: found `NaN`, expected a finite number from 0 to 1"),
        ("test,1,0,0,inf,0.1", "`p0`: found `inf`, expected a finite number from 0 to 1"),
        ("test,1,0,0,3.5,-2.5", "`p0`: found `3.5`, expected a finite number from 0 to 1"),
        (
            "test,1,0,0,0.9,0.2",
            "p0 to p1: found probabilities that sum to 1.1, expected a sum of 1",
        ),
        (
            "test,0,0,0,0.9,0.1",
            "`index`: found `0`, expected an index that is not already in line 2",
        ),
    ] {
        let error = refused(&format!("{good}{line}\n{good}"));
        assert!(error.starts_with("run/predictions.csv, line 3, column "), "{error}");
        assert!(error.contains(wanted), "{error}");
        assert!(error.ends_with("correct this line or write the file again"), "{error}");
    }
}

#[test]
fn what_is_no_table_is_refused() {
    assert!(refused("").contains("run/predictions.csv: found no items"));
    let short = refused("\ntest,0,0,0,0.9\n");
    assert!(
        short.contains("line 3, column `p1`: found nothing, expected a value in each of 6"),
        "{short}"
    );
    let long = refused("test,0,0,0,0.9,0.1,0.0");
    assert!(long.contains("line 2, column 7: found `0.0`, expected the line to end"), "{long}");
    let error = read_any(&b"\xff\xfe\x00"[..], "x.csv", None).unwrap_err().to_string();
    assert!(error.starts_with("x.csv cannot be read as CSV"), "{error}");
    let endless = std::io::repeat(b',');
    let error = read_any(endless, "x.csv", None).unwrap_err().to_string();
    assert!(error.contains("a line is longer than 1 MiB"), "{error}");
    let long = format!("{HEADER}test,0,0,0,{},0\n", "9".repeat(1000));
    let error = read_any(long.as_bytes(), "x.csv", None).unwrap_err().to_string();
    assert!(error.len() < 300, "{error}");
}

#[test]
fn other_programs_may_order_quote_space_and_end_lines_as_they_like() {
    let file =
        "\u{feff}\"p2\", p0 ,name,p1,true\r\n\r\n0.5,0.25,\"a, b\",0.25,2\r\n0,1.0,c,0,1\r\n";
    let predictions = read_any(file.as_bytes(), "theirs.csv", None).unwrap();
    assert_eq!(predictions.probabilities(), array![[0.25, 0.25, 0.5], [1.0, 0.0, 0.0]]);
    assert_eq!(predictions.labels(), [2, 1]);
    assert_eq!(predictions.indices(), [0, 1]);
    assert_eq!(predictions.predicted(), [2, 0]);

    let bad = file.replace("c,0,1", "c,0,3");
    for bad in [bad.as_str(), bad.trim_end(), &bad.replace('\r', ""), &format!("{bad}\r\n \r\n")] {
        let error = read_any(bad.as_bytes(), "theirs.csv", None).unwrap_err().to_string();
        assert!(error.starts_with("theirs.csv, line 4, column `true`: found `3`"), "{error}");
    }
}

#[test]
fn a_split_of_somebody_elses_file_is_chosen() {
    let file = "split,index,true,p0,p1\ntrain,5,0,0.9,0.1\ndev,5,1,0.2,0.8\ndev,6,1,0.2,0.8\n";
    let dev = read_any(file.as_bytes(), "f.csv", Some("dev")).unwrap();
    assert_eq!(dev.indices(), [5, 6]);
    let refused =
        |file: &str, split| read_any(file.as_bytes(), "f.csv", split).unwrap_err().to_string();
    assert_eq!(
        refused(file, None),
        "f.csv: found the splits `train` and `dev`; expected one; choose which to read"
    );
    assert!(refused(file, Some("test")).contains("found the split `train` and not the one chosen"));
    let without = "true,p0,p1\n0,0.9,0.1\n";
    assert!(refused(without, Some("dev")).contains("found no column `split`"));
    assert!(refused("true,p0,p1\n", None).contains("found no items"));
}

#[test]
fn somebody_elses_columns_must_name_every_class() {
    let refused = |header: &str| {
        let file = format!("{header}\n");
        read_any(file.as_bytes(), "f.csv", None).unwrap_err().to_string()
    };
    for header in [
        "",
        "split,index,true,predicted",
        "split,index,true,predicted,p0",
        "p0,p1",
        "true,p0",
        "true,p0,p2",
        "true,p1,p2",
        "true,P0,P1",
        "true,p00,p01",
        "true,p0,p0,p1",
        "true,true,p0,p1",
    ] {
        let error = refused(header);
        assert!(
            error.starts_with(&format!("f.csv, line 1: found the columns {header};")),
            "{error}"
        );
    }
    let error = refused("true,p0,p1,p4096");
    assert!(error.ends_with("expected at most 4096 classes"), "{error}");
}

#[test]
fn only_parts_of_equal_classes_are_written_together() {
    let two = Predictions::new(array![[0.5, 0.5]], vec![0]).unwrap();
    let three = Predictions::new(array![[0.5, 0.5, 0.0]], vec![0]).unwrap();
    let parts = [(Split::Validation, &two), (Split::Test, &three)];
    let error = write(Vec::new(), &parts).unwrap_err().to_string();
    assert!(error.starts_with("predictions of 3 classes beside 2"), "{error}");
    assert!(write(Vec::new(), &[]).is_err());

    /// A disk without space.
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = write(Full, &parts[..1]).unwrap_err().to_string();
    assert!(error.starts_with("the predictions cannot be written: no storage space"), "{error}");
}
