//! Averages of weights that are longer than a run.

use fashion_eval::thousands;
use fashion_train::Settings;

/// Says so where the average of the weights would go over more steps than a run on so many images has.
pub(crate) fn note(settings: &Settings, images: usize) -> Option<String> {
    let window = settings.average_window()?;
    let steps = settings.epochs.saturating_mul(images.div_ceil(settings.batch_size));
    (window > steps as f64).then(|| {
        format!(
            "with --ema-decay {} the average of the weights would go over {} steps, the run has {}: it \
             goes over about a ninth of those done; a smaller decay says so",
            settings.ema_decay,
            thousands(window.round() as usize),
            thousands(steps)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_the_average_is_longer_than_the_run() {
        let all = fashion_sample::generate(0).train;
        let train = all.select(&(0..200).collect::<Vec<_>>());
        let of = |ema_decay, validation: &str| {
            let validation = validation.parse().unwrap();
            let settings =
                Settings { ema_decay, validation, batch_size: 20, ..Settings::default() };
            note(&settings, settings.check_for(&train).unwrap().0)
        };
        // 9 steps an epoch of 180 images, or 10 of 200.
        let note = of(0.99, "0.1").unwrap();
        assert!(
            note.contains("--ema-decay 0.99 the")
                && note.contains("over 100 steps, the run has 90:")
        );
        assert_eq!((of(0.99, "none"), of(0.98, "0.1"), of(0.0, "0.1")), (None, None, None));
    }
}
