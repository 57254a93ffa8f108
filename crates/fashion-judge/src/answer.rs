//! What a classifier says of pictures, one by one.

use crate::calibrator::Calibrator;
use crate::classifier::{Trained, bins_of};
use crate::error::Error;
use fashion_eval::selective::Threshold;
use fashion_eval::{Bins, argmax};
use fashion_model::{Classifier, Tta};
use serde::Serialize;
use std::path::PathBuf;

/// A picture as the network sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its file, or its name.
    pub path: PathBuf,
    /// 0–255, row by row, channels last, of the classifier's input shape.
    pub pixels: Vec<u8>,
    /// Why the network cannot be trusted with it, whatever it says, if it cannot: in a word, such as
    /// `blank`.
    pub doubt: Option<&'static str>,
}

/// What a classifier says of a picture. Its fields in their order are those of a JSON line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The picture's file, or its name.
    pub path: String,
    /// The most probable class, the first of equals.
    pub predicted: usize,
    /// Its name.
    pub class: String,
    /// Of each class; calibrated, where the weights are.
    pub probabilities: Vec<f32>,
    /// The bin that the picture goes into, where classes go into bins: that of the largest sum of its
    /// classes' probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bin: Option<String>,
    /// That sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bin_probability: Option<f32>,
    /// How the picture was seen, where that was not once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tta: Option<Tta>,
    /// Who is to sort it: `machine` or `person`; left out where nothing speaks against the machine, and it is not
    /// known how sure it must be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sorted_by: Option<&'static str>,
    /// Why a person is: `unsure`, the doubt with which it was seen, or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// How unlike the images is that the weights were trained on, where they tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub novelty: Option<f64>,
}

impl Answer {
    /// The second most probable class.
    pub fn runner_up(&self) -> usize {
        let mut others = self.probabilities.clone();
        others[self.predicted] = -1.0;
        argmax(&others)
    }

    /// A JSON object for each answer, on a line of its own.
    pub fn to_json(answers: &[Answer]) -> String {
        let mut text = Vec::new();
        for answer in answers {
            serde_json::to_writer(&mut text, answer).expect("written to memory");
            text.push(b'\n');
        }
        String::from_utf8(text).expect("JSON is UTF-8")
    }

    /// The header of [`to_csv`](Self::to_csv), for so many classes.
    pub fn csv_header(classes: usize) -> String {
        let fields = ["path", "predicted", "class", "probability", "bin", "bin_probability"];
        let fields = fields.into_iter().chain(["tta", "sorted_by", "reason", "novelty"]);
        let classes = (0..classes).map(|class| format!("p{class}"));
        lines([fields.map(String::from).chain(classes)])
    }

    /// A line for each answer (RFC 4180, but that lines end with a newline alone), with the fields of a
    /// JSON line, empty where that has none, and the predicted class's probability before those of all.
    pub fn to_csv(answers: &[Answer]) -> String {
        lines(answers.iter().map(|answer| {
            let text = |word: Option<&str>| word.unwrap_or_default().to_owned();
            let fields = [
                answer.path.clone(),
                answer.predicted.to_string(),
                answer.class.clone(),
                number(answer.probabilities[answer.predicted]),
                text(answer.bin.as_deref()),
                answer.bin_probability.map_or(String::new(), number),
                answer.tta.map_or(String::new(), |tta| tta.to_string()),
                text(answer.sorted_by),
                text(answer.reason),
                answer.novelty.map_or(String::new(), |novelty| novelty.to_string()),
            ];
            fields.into_iter().chain(answer.probabilities.iter().copied().map(number))
        }))
    }
}

/// The shortest decimal that is this number; small ones with an exponent, as in JSON.
fn number(p: f32) -> String {
    format!("{p:?}")
}

fn lines(records: impl IntoIterator<Item = impl IntoIterator<Item = String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in records {
        writer.write_record(record).expect("written to memory, as many fields in each line");
    }
    String::from_utf8(writer.into_inner().expect("written to memory")).expect("of UTF-8 fields")
}

/// How a classifier answers: calibrated where it is, and with who is to sort where it knows from which
/// confidence a machine may.
///
/// ```no_run
/// use fashion_judge::{Answer, Answering, Seen, Trained};
///
/// let trained = Trained::load("runs/001".as_ref())?;
/// let answering = Answering::new(&trained)?;
/// let pixels = vec![0; trained.classifier.input().values()];
/// let seen = Seen { path: "blank.png".into(), pixels, doubt: Some("blank") };
/// print!("{}", Answer::to_json(&answering.answer(&[seen])?));
/// # Ok::<(), fashion_judge::Error>(())
/// ```
#[derive(Debug)]
pub struct Answering<'a> {
    classifier: &'a Classifier,
    calibrator: Option<Calibrator>,
    bins: Option<Bins>,
}

impl<'a> Answering<'a> {
    /// Takes what the classifier's file says of its confidence, and of bins.
    ///
    /// # Errors
    /// As [`Trained::calibrator`].
    pub fn new(trained: &'a Trained) -> Result<Self, Error> {
        let classifier = &trained.classifier;
        Ok(Self { classifier, calibrator: trained.calibrator()?, bins: bins_of(classifier)? })
    }

    /// The bins that classes go into, if they do.
    pub fn bins(&self) -> Option<&Bins> {
        self.bins.as_ref()
    }

    /// Whether probabilities are calibrated.
    pub fn is_calibrated(&self) -> bool {
        self.calibrator.is_some()
    }

    /// From which confidence a machine may sort, where that is known.
    pub fn threshold(&self) -> Option<Threshold> {
        self.calibrator.and_then(|calibrator| calibrator.threshold)
    }

    /// The answers to pictures, in their order, on all threads of rayon's current pool; what is answered
    /// together does not change a bit.
    ///
    /// # Errors
    /// As [`Classifier::probabilities`].
    pub fn answer(&self, pictures: &[Seen]) -> Result<Vec<Answer>, Error> {
        let pixels: Vec<&[u8]> = pictures.iter().map(|seen| &seen.pixels[..]).collect();
        let pixels = pixels.concat();
        let (probabilities, novelty) = self.classifier.plain_probabilities_and_novelty(&pixels)?;
        let novelty = novelty.unwrap_or_default();
        let rows = probabilities.chunks_exact(self.classifier.classes().len()).enumerate();
        let of = |(seen, (at, row))| self.of(seen, row, novelty.get(at).copied());
        Ok(pictures.iter().zip(rows).map(of).collect())
    }

    /// The answer to a picture of which these are the plain probabilities and the score of novelty.
    fn of(&self, seen: &Seen, probabilities: &[f32], novelty: Option<f64>) -> Answer {
        let mut probabilities: Vec<f64> = probabilities.iter().map(|&p| p.into()).collect();
        if let Some(calibrator) = self.calibrator {
            calibrator.temperature.apply_row(&mut probabilities);
        }
        let predicted = argmax(&probabilities);
        let bin = self.bins.as_ref().map(|bins| {
            let sums = bins.merge_row(&probabilities);
            let bin = argmax(&sums);
            (bins.names()[bin].clone(), sums[bin])
        });
        let confidence = bin.as_ref().map_or(probabilities[predicted], |&(_, sum)| sum);
        let threshold = self.threshold();
        let unsure = || (!threshold?.takes(confidence)).then_some("unsure");
        let known = self.classifier.novelty().zip(novelty);
        let unknown = || known?.0.is_unknown(known?.1).then_some("unknown");
        let reason = seen.doubt.or_else(unknown).or_else(unsure);
        let (bin, bin_probability) = bin.map(|(name, sum)| (name, sum as f32)).unzip();
        Answer {
            path: seen.path.display().to_string(),
            predicted,
            class: self.classifier.classes()[predicted].clone(),
            probabilities: probabilities.into_iter().map(|p| p as f32).collect(),
            bin,
            bin_probability,
            tta: Some(self.classifier.tta()).filter(|&tta| tta != Tta::None),
            sorted_by: reason.map(|_| "person").or(threshold.map(|_| "machine")),
            reason,
            novelty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fashion_data::Classes;
    use fashion_eval::calibration::Temperature;
    use fashion_model::Architecture;
    use fashion_model::weights::to_classifier;

    fn classifier(names: &[&str]) -> Classifier {
        let classes = Classes::new(names.iter().copied()).unwrap();
        to_classifier(&Architecture::ReportCnn.build(classes.len(), 0), &classes).unwrap()
    }

    fn seen(path: &str, doubt: Option<&'static str>) -> Seen {
        Seen { path: path.into(), pixels: vec![0; 784], doubt }
    }

    #[test]
    fn confidence_is_calibrated_and_held_against_the_threshold() {
        let classifier = classifier(&["boot", "bag", "coat"]);
        let of = |calibrator: Option<Calibrator>, doubt| {
            Answering { classifier: &classifier, calibrator, bins: None }.of(
                &seen("a.png", doubt),
                &[0.25, 0.75, 0.0],
                None,
            )
        };
        let who = |answer: Answer| (answer.sorted_by, answer.reason);
        let plain = of(None, None);
        assert_eq!((plain.predicted, &plain.class[..], plain.runner_up()), (1, "bag", 0));
        assert_eq!(who(plain), (None, None));
        assert_eq!(who(of(None, Some("blank"))), (Some("person"), Some("blank")));
        // 3 to 1 becomes √3 to 1.
        let temperature = Temperature::new(2.0).unwrap();
        let threshold = |value| Threshold { value, target: 0.99, level: 0.95, held_out: 600 };
        let at = |value| Calibrator { temperature, threshold: Some(threshold(value)) };
        let calibrated = of(Some(at(Some(0.7))), None);
        assert!((calibrated.probabilities[1] - 0.633_974_6).abs() < 1e-6);
        assert_eq!(who(calibrated), (Some("person"), Some("unsure")));
        assert_eq!(who(of(Some(at(Some(0.6))), None)), (Some("machine"), None));
        // However sure it is.
        assert_eq!(who(of(Some(at(Some(0.6))), Some("blank"))), (Some("person"), Some("blank")));
        assert_eq!(who(of(Some(at(None)), None)), (Some("person"), Some("unsure")));
        // What is unsure as a class may be sure as a bin.
        let bins =
            Bins::new([("hands", ["bag", "boot"])], Some("rest"), classifier.classes()).unwrap();
        let answering = Answering {
            classifier: &classifier,
            calibrator: Some(at(Some(0.7))),
            bins: Some(bins),
        };
        let binned = answering.of(&seen("a.png", None), &[0.25, 0.75, 0.0], None);
        assert_eq!(binned.bin.as_deref(), Some("hands"));
        assert!((binned.bin_probability.unwrap() - 1.0).abs() < 1e-6);
        assert_eq!(who(binned), (Some("machine"), None));
    }

    #[test]
    fn answers_do_not_depend_on_what_is_answered_together() {
        let classifier = classifier(&["boot", "bag", "coat"]);
        let answering = Answering { classifier: &classifier, calibrator: None, bins: None };
        let picture = |index: usize| Seen {
            path: format!("{index}.png").into(),
            pixels: (0..784).map(|pixel| (pixel * (index + 3) % 251) as u8).collect(),
            doubt: None,
        };
        let pictures: Vec<Seen> = (0..67).map(picture).collect();
        let all = answering.answer(&pictures).unwrap();
        assert_eq!(all.len(), 67);
        for size in [1, 5, 64] {
            let parts = pictures.chunks(size).map(|part| answering.answer(part).unwrap());
            assert_eq!(parts.collect::<Vec<_>>().concat(), all, "{size}");
        }
        assert_eq!(answering.answer(&[]).unwrap(), []);
    }

    #[test]
    fn lines_are_json_and_csv_whatever_a_name_has_in_it() {
        let answer = Answer {
            path: "a, \"b\"\n.png".into(),
            predicted: 1,
            class: "bag,\r\nred".into(),
            probabilities: vec![1e-9, 0.75],
            bin: None,
            bin_probability: None,
            tta: None,
            sorted_by: Some("machine"),
            reason: None,
            novelty: None,
        };
        let other = Answer {
            path: "c.png".into(),
            bin: Some("hands".into()),
            bin_probability: Some(0.5),
            tta: Some(Tta::Flip),
            sorted_by: Some("person"),
            reason: Some("unsure"),
            novelty: Some(2.5),
            ..answer.clone()
        };
        let answers = [answer, other];
        let json = Answer::to_json(&answers);
        assert_eq!(
            json.lines().next().unwrap(),
            r#"{"path":"a, \"b\"\n.png","predicted":1,"class":"bag,\r\nred","probabilities":[1e-9,0.75],"sorted_by":"machine"}"#
        );
        let end = r#","bin":"hands","bin_probability":0.5,"tta":"flip","sorted_by":"person","reason":"unsure","novelty":2.5}"#;
        assert!(json.lines().nth(1).unwrap().ends_with(end), "{json}");
        assert_eq!(
            Answer::csv_header(2) + &Answer::to_csv(&answers),
            "path,predicted,class,probability,bin,bin_probability,tta,sorted_by,reason,novelty,p0,p1\n\
             \"a, \"\"b\"\"\n.png\",1,\"bag,\r\nred\",0.75,,,,machine,,,1e-9,0.75\n\
             c.png,1,\"bag,\r\nred\",0.75,hands,0.5,flip,person,unsure,2.5,1e-9,0.75\n"
        );
    }
}
