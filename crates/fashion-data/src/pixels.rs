use ndarray::Array2;

/// Grey levels 0–255 to 0–1: each is k/255, correctly rounded to f32.
///
/// # Panics
///
/// If the slices differ in length.
///
/// ```
/// let mut x = [0.0; 3];
/// fashion_data::normalise(&[0, 51, 255], &mut x);
/// assert_eq!(x, [0.0, 0.2, 1.0]);
/// ```
pub fn normalise(pixels: &[u8], out: &mut [f32]) {
    assert_eq!(pixels.len(), out.len(), "one output for each pixel");
    for (x, &pixel) in out.iter_mut().zip(pixels) {
        *x = f32::from(pixel) / 255.0;
    }
}

/// Makes 1 white where no pixel is above 1: those are thresholded images (0 and 1, as from
/// `images > 127`), not grey levels that nobody could tell from black.
pub(crate) fn stretch_binary(pixels: &mut [u8]) {
    if pixels.iter().all(|&pixel| pixel <= 1) {
        pixels.iter_mut().for_each(|pixel| *pixel *= 255);
    }
}

/// Labels (N) of so many classes as rows (N, classes) of zeros and a one.
///
/// # Panics
///
/// If a label is that of no class; those of a [`Dataset`](crate::Dataset) never are.
///
/// ```
/// let y = fashion_data::one_hot(&[2, 0], 3);
/// assert_eq!(y.row(0).to_vec(), [0., 0., 1.]);
/// assert_eq!(y[[1, 0]], 1.0);
/// ```
#[must_use]
pub fn one_hot(labels: &[u16], classes: usize) -> Array2<f32> {
    let mut rows = Array2::zeros((labels.len(), classes));
    for (mut row, &label) in rows.rows_mut().into_iter().zip(labels) {
        row[usize::from(label)] = 1.0;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_the_nearest_f32_to_its_255th() {
        let levels: Vec<u8> = (0..=255).collect();
        let mut out = vec![0.0; 256];
        normalise(&levels, &mut out);
        for (&x, k) in out.iter().zip(0u32..) {
            // The f64 quotient is off by at most 2⁻⁵⁴, and no k/255 lies that near to the middle of
            // two f32, so its rounding is the right one.
            assert_eq!(x.to_bits(), ((f64::from(k) / 255.0) as f32).to_bits(), "{k}");
        }
    }
}
