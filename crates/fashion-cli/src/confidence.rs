//! How far a network's confidence can be trusted: found out on the part held out, kept with the weights.

use crate::output;
use anyhow::Result;
use fashion_eval::calibration::Temperature;
use fashion_eval::interval::LEVEL;
use fashion_eval::selective::Threshold;
use fashion_eval::{Error, Predictions};
use fashion_model::{Calibration, Target};

/// The temperature of a network, and from which confidence a machine may sort.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Trust {
    /// Of the softmax.
    pub(crate) temperature: Temperature,
    /// On the calibrated probabilities; nothing where no target accuracy was given.
    pub(crate) threshold: Option<Threshold>,
}

impl Trust {
    /// Finds it out on items that were not trained on.
    ///
    /// Where no temperature is best, confidence stays as it is. That is said, unless `quiet`, or no
    /// item is wrong, which is no trouble.
    pub(crate) fn fit(held_out: &Predictions, target: Option<f64>, quiet: bool) -> Result<Trust> {
        let temperature = match Temperature::fit(held_out) {
            Err(error @ Error::NoTemperature { wrong, .. }) => {
                if wrong > 0 && !quiet {
                    output::note(&format!("note     the confidence stays as it is: {error}"));
                }
                Temperature::ONE
            }
            fitted => fitted?,
        };
        let calibrated = temperature.apply(held_out);
        let choose = |target| Threshold::for_target(&calibrated, target);
        Ok(Trust { temperature, threshold: target.map(choose).transpose()? })
    }

    /// What a weights file says.
    pub(crate) fn of(calibration: &Calibration) -> Result<Trust> {
        let threshold = calibration.target.map(|Target { accuracy, threshold, held_out }| {
            Threshold { value: threshold, target: accuracy, level: LEVEL, held_out }
        });
        Ok(Trust { temperature: Temperature::new(calibration.temperature)?, threshold })
    }

    /// What a weights file is to say.
    pub(crate) fn calibration(&self) -> Calibration {
        let target = self.threshold.map(|threshold| Target {
            accuracy: threshold.target,
            threshold: threshold.value,
            held_out: threshold.held_out,
        });
        Calibration { temperature: self.temperature.value(), target }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn what_is_kept_is_what_was_found_out() {
        let p = array![[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]];
        let held_out = Predictions::new(p, vec![0, 0, 1, 0]).unwrap();
        for target in [None, Some(0.5), Some(0.99)] {
            let trust = Trust::fit(&held_out, target, true).unwrap();
            assert!((trust.temperature.value() - 2.0).abs() < 1e-9);
            assert_eq!(trust.threshold.map(|threshold| threshold.target), target);
            assert_eq!(Trust::of(&trust.calibration()).unwrap(), trust);
        }
    }

    #[test]
    fn nothing_wrong_leaves_the_confidence_as_it_is() {
        let held_out = Predictions::new(array![[0.9, 0.1]], vec![0]).unwrap();
        assert_eq!(Trust::fit(&held_out, None, true).unwrap().temperature, Temperature::ONE);
    }
}
