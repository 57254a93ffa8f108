//! How far a network's confidence can be trusted: found out on images held out, kept with the weights.

use crate::error::Error;
use fashion_eval::Predictions;
use fashion_eval::calibration::Temperature;
use fashion_eval::interval::LEVEL;
use fashion_eval::selective::Threshold;
use fashion_model::{Calibration, Target};

/// The temperature of a network, and from which confidence a machine may sort.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibrator {
    /// Of the softmax.
    pub temperature: Temperature,
    /// On the calibrated probabilities; nothing where no target accuracy was given.
    pub threshold: Option<Threshold>,
}

impl Calibrator {
    /// Finds it out on items that were not trained on.
    ///
    /// Where no temperature is best, confidence stays as it is; beside it then stands why, unless no
    /// item is wrong, which is no trouble.
    ///
    /// # Errors
    /// If `target`, an accuracy, is not above 0 and below 1.
    pub fn fit(
        held_out: &Predictions,
        target: Option<f64>,
    ) -> Result<(Self, Option<fashion_eval::Error>), Error> {
        let (temperature, why) = match Temperature::fit(held_out) {
            Err(error @ fashion_eval::Error::NoTemperature { wrong, .. }) => {
                (Temperature::ONE, (wrong > 0).then_some(error))
            }
            fitted => (fitted?, None),
        };
        let calibrated = temperature.apply(held_out);
        let choose = |target| Threshold::for_target(&calibrated, target);
        Ok((Self { temperature, threshold: target.map(choose).transpose()? }, why))
    }
}

impl TryFrom<Calibration> for Calibrator {
    type Error = fashion_eval::Error;

    /// What a weights file says.
    fn try_from(calibration: Calibration) -> Result<Self, Self::Error> {
        let threshold = calibration.target.map(|Target { accuracy, threshold, held_out }| {
            Threshold { value: threshold, target: accuracy, level: LEVEL, held_out }
        });
        Ok(Self { temperature: Temperature::new(calibration.temperature)?, threshold })
    }
}

impl From<Calibrator> for Calibration {
    /// What a weights file is to say.
    fn from(Calibrator { temperature, threshold }: Calibrator) -> Self {
        let target = threshold.map(|threshold| Target {
            accuracy: threshold.target,
            threshold: threshold.value,
            held_out: threshold.held_out,
        });
        Self { temperature: temperature.value(), target }
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
            let (calibrator, why) = Calibrator::fit(&held_out, target).unwrap();
            assert!((calibrator.temperature.value() - 2.0).abs() < 1e-9 && why.is_none());
            assert_eq!(calibrator.threshold.map(|threshold| threshold.target), target);
            assert_eq!(Calibrator::try_from(Calibration::from(calibrator)).unwrap(), calibrator);
        }
    }

    #[test]
    fn nothing_wrong_leaves_the_confidence_as_it_is() {
        let held_out = Predictions::new(array![[0.9, 0.1]], vec![0]).unwrap();
        let (calibrator, why) = Calibrator::fit(&held_out, None).unwrap();
        assert!(calibrator.temperature == Temperature::ONE && why.is_none());
    }

    #[test]
    fn where_no_temperature_is_best_it_says_why() {
        let held_out = Predictions::new(array![[0.9, 0.1]], vec![1]).unwrap();
        let (calibrator, why) = Calibrator::fit(&held_out, None).unwrap();
        assert_eq!(calibrator.temperature, Temperature::ONE);
        assert!(why.unwrap().to_string().starts_with("no temperature from 0.05 to 20 is best"));
    }
}
