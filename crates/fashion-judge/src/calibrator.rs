//! How far a network's confidence can be trusted: found out on images held out, kept with the weights.

use crate::error::Error;
use fashion_eval::calibration::Temperature;
use fashion_eval::interval::LEVEL;
use fashion_eval::selective::Threshold;
use fashion_eval::{Bins, Predictions};
use fashion_model::{Calibration, Target};

/// The temperature of a network, and from which confidence a machine may sort.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibrator {
    /// Of the softmax.
    pub temperature: Temperature,
    /// On the calibrated probabilities, of bins where there are bins; nothing where no target accuracy was
    /// given.
    pub threshold: Option<Threshold>,
}

impl Calibrator {
    /// Finds it out on items that were not trained on: the temperature of the classes, and the threshold of
    /// the `bins` that these go into, if they do.
    ///
    /// Where no temperature is best, confidence stays as it is; beside it then stands why, unless no
    /// item is wrong, which is no trouble.
    ///
    /// # Errors
    /// If `target`, an accuracy, is not above 0 and below 1.
    ///
    /// # Panics
    /// If the bins are of another number of classes.
    pub fn fit(
        held_out: &Predictions,
        target: Option<f64>,
        bins: Option<&Bins>,
    ) -> Result<(Self, Option<fashion_eval::Error>), Error> {
        let (temperature, why) = match Temperature::fit(held_out) {
            Err(error @ fashion_eval::Error::NoTemperature { wrong, .. }) => {
                (Temperature::ONE, (wrong > 0).then_some(error))
            }
            fitted => (fitted?, None),
        };
        let mut calibrated = temperature.apply(held_out);
        if let Some(bins) = bins {
            calibrated = bins.merge(&calibrated);
        }
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
    use ndarray::{Array2, array};

    #[test]
    fn what_is_kept_is_what_was_found_out() {
        let p = array![[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]];
        let held_out = Predictions::new(p, vec![0, 0, 1, 0]).unwrap();
        for target in [None, Some(0.5), Some(0.99)] {
            let (calibrator, why) = Calibrator::fit(&held_out, target, None).unwrap();
            assert!((calibrator.temperature.value() - 2.0).abs() < 1e-9 && why.is_none());
            assert_eq!(calibrator.threshold.map(|threshold| threshold.target), target);
            assert_eq!(Calibrator::try_from(Calibration::from(calibrator)).unwrap(), calibrator);
        }
    }

    #[test]
    fn the_threshold_of_bins_is_on_the_sums_and_the_temperature_of_the_classes() {
        // Of 400 items one in two is taken for the other class of its bin, and none for the third.
        let p = Array2::from_shape_fn((400, 3), |(_, class)| [0.5, 0.4, 0.1][class]);
        let held_out = Predictions::new(p, (0..400).map(|row| row % 2).collect()).unwrap();
        let bins = Bins::of_names(["tops", "tops", "shoes"]).unwrap();
        let fit = |bins| Calibrator::fit(&held_out, Some(0.99), bins).unwrap().0;
        let (alone, of_bins) = (fit(None), fit(Some(&bins)));
        assert_eq!(alone.temperature, of_bins.temperature);
        assert_eq!(alone.threshold.unwrap().value, None);
        let mut row = [0.5, 0.4, 0.1];
        of_bins.temperature.apply_row(&mut row);
        assert_eq!(of_bins.threshold.unwrap().value, Some(row[0] + row[1]));
    }

    #[test]
    fn nothing_wrong_leaves_the_confidence_as_it_is() {
        let held_out = Predictions::new(array![[0.9, 0.1]], vec![0]).unwrap();
        let (calibrator, why) = Calibrator::fit(&held_out, None, None).unwrap();
        assert!(calibrator.temperature == Temperature::ONE && why.is_none());
    }

    #[test]
    fn where_no_temperature_is_best_it_says_why() {
        let held_out = Predictions::new(array![[0.9, 0.1]], vec![1]).unwrap();
        let (calibrator, why) = Calibrator::fit(&held_out, None, None).unwrap();
        assert_eq!(calibrator.temperature, Temperature::ONE);
        assert!(why.unwrap().to_string().starts_with("no temperature from 0.05 to 20 is best"));
    }
}
