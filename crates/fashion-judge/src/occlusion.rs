//! Why a class: what its probability loses where a part of the picture is covered.

use crate::error::Error;
use fashion_eval::argmax;
use fashion_eval::calibration::Temperature;
use fashion_model::{Classifier, ImageShape};
use std::ops::Range;

/// Middles of patches in a row, and in a column: every third pixel of 28.
const MIDDLES: usize = 10;

/// Which parts of a picture speak for the class that it was taken for: an occlusion map.
///
/// Square patches, about a quarter of the picture wide, cover it one after the other with its ground, and
/// the classifier answers for each of the 101 pictures, so that the map is what the classifier does, and
/// no estimate. Of 28 × 28 pixels a patch has 7 × 7, and its middle is on every third pixel in each
/// direction; a patch over the edge is cut off there. The ground of grey pictures is 0, that of pictures
/// in colour the median of their outermost pixels.
///
/// Source: M. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", ECCV 2014
/// (arXiv 1311.2901), section 4.2. A pixel here has the mean over the patches that cover it.
///
/// ```
/// use fashion_eval::calibration::Temperature;
/// use fashion_judge::Occlusion;
/// use fashion_model::{Architecture, weights};
///
/// let data = fashion_sample::generate(0).test;
/// let network = Architecture::ReportCnn.build(10, 0);
/// let classifier = weights::to_classifier(&network, data.classes())?;
/// let occlusion = Occlusion::of(&classifier, Temperature::ONE, data.pixels(0))?;
/// assert_eq!(occlusion.map.len(), 28 * 28);
/// // Before it is trained, a network hardly cares.
/// assert!(occlusion.map.iter().all(|lost| lost.abs() < 0.1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Occlusion {
    /// The class that the picture was taken for.
    pub predicted: usize,
    /// Its calibrated probability.
    pub probability: f64,
    /// What of that is lost where the picture is covered, row by row (side, side), from −1 to 1: above 0
    /// speaks for the class, below against it.
    pub map: Vec<f32>,
}

impl Occlusion {
    /// That of an image, given as its pixels, 0–255, row by row, channels last; `temperature` is what the
    /// classifier is calibrated by.
    ///
    /// # Errors
    /// If it is not one image of the classifier's, or an answer is no number.
    pub fn of(
        classifier: &Classifier,
        temperature: Temperature,
        image: &[u8],
    ) -> Result<Self, Error> {
        let shape @ ImageShape { side, channels } = classifier.input();
        if image.len() != shape.values() {
            let (found, expected) = (image.len(), shape.values());
            return Err(fashion_model::Error::Images { found, expected }.into());
        }
        let ground = ground(image, shape);
        let spans = spans(side);
        let places = spans.iter().flat_map(|rows| spans.iter().map(move |columns| (rows, columns)));
        let mut images = image.to_vec();
        let mut covering = Vec::with_capacity(MIDDLES * MIDDLES);
        for (rows, columns) in places {
            let mut covered = image.to_vec();
            for row in rows.clone() {
                let part = &mut covered[row * side * channels..][..side * channels];
                let part = &mut part[columns.start * channels..columns.end * channels];
                part.chunks_exact_mut(channels).for_each(|pixel| pixel.copy_from_slice(&ground));
            }
            // Where there is nothing but ground already, nothing is lost.
            let changed = covered != image;
            if changed {
                images.extend(covered);
            }
            covering.push((rows, columns, changed));
        }
        let classes = classifier.classes().len();
        let answers = classifier.plain_probabilities(&images)?;
        let mut rows = answers.chunks_exact(classes).map(|row| {
            let mut row: Vec<f64> = row.iter().map(|&p| p.into()).collect();
            temperature.apply_row(&mut row);
            row
        });
        let whole = rows.next().unwrap_or_default();
        let predicted = argmax(&whole);
        let probability = whole[predicted];
        let (mut sums, mut counts) = (vec![0.0; side * side], vec![0_u32; side * side]);
        for (rows_of, columns, changed) in covering {
            let lost = match changed {
                true => rows.next().map_or(0.0, |row| probability - row[predicted]),
                false => 0.0,
            };
            for at in rows_of.clone().flat_map(|row| columns.clone().map(move |x| row * side + x)) {
                sums[at] += lost;
                counts[at] += 1;
            }
        }
        let mean = |(sum, count): (f64, u32)| (sum / f64::from(count.max(1))) as f32;
        let map = sums.into_iter().zip(counts).map(mean).collect();
        Ok(Self { predicted, probability, map })
    }
}

/// The rows, and likewise the columns, that patches cover.
fn spans(side: usize) -> Vec<Range<usize>> {
    // As wide to either side of the middle.
    let reach = side / 4 / 2;
    let last = MIDDLES - 1;
    let middle = |place: usize| (place * (side - 1) + last / 2) / last;
    let span = |middle: usize| middle.saturating_sub(reach)..(middle + reach + 1).min(side);
    (0..MIDDLES).map(|place| span(middle(place))).collect()
}

/// What a pixel of the ground is.
fn ground(image: &[u8], ImageShape { side, channels }: ImageShape) -> Vec<u8> {
    if channels == 1 {
        return vec![0];
    }
    let edge = |at: &usize| {
        let (y, x) = (at / side, at % side);
        y == 0 || x == 0 || y + 1 == side || x + 1 == side
    };
    let median = |channel: usize| {
        let pixels = (0..side * side).filter(edge);
        let mut levels: Vec<u8> = pixels.map(|at| image[at * channels + channel]).collect();
        levels.sort_unstable();
        levels[levels.len() / 2]
    };
    (0..channels).map(median).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fashion_data::Classes;
    use fashion_model::{Architecture, weights};

    #[test]
    fn patches_are_spread_evenly_and_cover_all() {
        let of_28 = spans(28);
        assert_eq!((&of_28[0], &of_28[1], &of_28[9]), (&(0..4), &(0..7), &(24..28)));
        for side in [16, 28, 32, 64, 128] {
            let spans = spans(side);
            let mirrored: Vec<_> =
                spans.iter().rev().map(|s| side - s.end..side - s.start).collect();
            assert_eq!(spans, mirrored, "{side}");
            assert!((0..side).all(|at| spans.iter().any(|span| span.contains(&at))), "{side}");
        }
    }

    #[test]
    fn a_pixel_has_the_mean_of_what_the_patches_over_it_cost() {
        let data = fashion_sample::generate(0).test;
        let network = Architecture::ReportCnn.build(10, 3);
        let classifier = weights::to_classifier(&network, &Classes::garments()).unwrap();
        // As sure as it can be made, so that something is lost.
        let temperature = Temperature::new(0.05).unwrap();
        let probability = |image: &[u8], class: usize| {
            let plain = classifier.plain_probabilities(image).unwrap();
            let mut row: Vec<f64> = plain.into_iter().map(f64::from).collect();
            temperature.apply_row(&mut row);
            row[class]
        };
        for image in [data.pixels(0), data.pixels(7)] {
            let occlusion = Occlusion::of(&classifier, temperature, image).unwrap();
            let Occlusion { predicted, probability: p, map } = &occlusion;
            assert!((p - probability(image, *predicted)).abs() < 1e-6);
            // Middles at 12 and 15 reach the pixel in row 14 and those at 6 and 9 the one in column 8.
            let mut lost = 0.0;
            for (y, x) in [(12, 6), (12, 9), (15, 6), (15, 9)] {
                let covered = |at: usize| (at / 28).abs_diff(y) <= 3 && (at % 28).abs_diff(x) <= 3;
                let image: Vec<u8> =
                    (0..784).map(|at| if covered(at) { 0 } else { image[at] }).collect();
                lost += (p - probability(&image, *predicted)) / 4.0;
            }
            assert!((f64::from(map[14 * 28 + 8]) - lost).abs() < 1e-6 && lost != 0.0);
            assert_eq!(Occlusion::of(&classifier, temperature, image).unwrap(), occlusion);
        }
        assert!(Occlusion::of(&classifier, temperature, &[0; 9]).is_err());
    }

    #[test]
    fn the_ground_is_what_most_of_the_edge_is() {
        let shape = ImageShape { channels: 3, side: 16 };
        let inside = |at: usize| (4..12).contains(&(at / 16)) && at % 16 > 3;
        let image: Vec<u8> =
            (0..256).flat_map(|at| if inside(at) { [200, 10, 10] } else { [90, 80, 70] }).collect();
        assert_eq!(ground(&image, shape), [90, 80, 70]);
    }
}
