//! Averages of weights that are longer than a run.

use fashion_eval::thousands;
use fashion_train::Settings;

/// Says so where the average of the weights would go over more steps than a run has, and of how many
/// runs; each has its settings and trains on so many images.
pub(crate) fn note<'a>(
    runs: impl IntoIterator<Item = (&'a Settings, usize)>,
) -> Option<(usize, String)> {
    let long = runs.into_iter().filter_map(|(settings, images)| {
        let window = settings.average_window()?;
        let steps = settings.images(images).in_steps(settings.batch_size);
        let steps = steps.total(settings.epochs) as f64;
        (window > steps).then_some([settings.ema_decay, window.round(), steps])
    });
    let long: Vec<[f64; 3]> = long.collect();
    let over = |at: usize, text: fn(f64) -> String| {
        let numbers = || long.iter().map(|run| run[at]);
        let ends = [numbers().fold(f64::INFINITY, f64::min), numbers().fold(0.0, f64::max)];
        let [least, most] = ends.map(text);
        if least == most { least } else { format!("{least} to {most}") }
    };
    let steps = |number| thousands(number as usize);
    (!long.is_empty()).then(|| {
        let note = format!(
            "with --ema-decay {} the average of the weights would go over {} steps, the run has {}: it \
             goes over about a ninth of those done; a smaller decay says so",
            over(0, |decay| decay.to_string()),
            over(1, steps),
            over(2, steps)
        );
        (long.len(), note)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fashion_data::Splits;

    #[test]
    fn says_where_the_average_is_longer_than_the_run() {
        let all = fashion_sample::generate(0);
        let train = all.train.select(&(0..200).collect::<Vec<_>>());
        let splits = Splits { train, ..all };
        let of = |ema_decay, validation: &str| {
            let validation = validation.parse().unwrap();
            let settings =
                Settings { ema_decay, validation, batch_size: 20, ..Settings::default() };
            let images = settings.check_for(&splits).unwrap().0;
            (settings, images)
        };
        let note_of = |runs: &[(Settings, usize)]| note(runs.iter().map(|(run, n)| (run, *n)));
        // 9 steps an epoch of 180 images, or 10 of 200.
        let (long, note) = note_of(&[of(0.99, "0.1")]).unwrap();
        assert_eq!(long, 1);
        assert!(
            note.contains("--ema-decay 0.99 the")
                && note.contains("over 100 steps, the run has 90:")
        );
        let short = [of(0.99, "none"), of(0.98, "0.1"), of(0.0, "0.1")];
        assert_eq!(note_of(&short), None);
        // Of many runs it has the numbers of all that it is about.
        let more = [of(0.999, "none"), of(0.99, "0.2"), of(0.99, "0.1")];
        let (long, note) = note_of(&[&short[..], &more].concat()).unwrap();
        assert_eq!(long, 3);
        for part in ["--ema-decay 0.99 to 0.999 the", "over 100 to 1,000 steps", "has 80 to 100:"] {
            assert!(note.contains(part), "{note} lacks {part}");
        }
    }
}
