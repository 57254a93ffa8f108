use super::item::{Image, Item};

/// An image unlike the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odd {
    /// Which.
    pub item: Item,
    /// In what way: the first that fits.
    pub oddity: Oddity,
}

/// In what way an image is unlike the others. Images are 0 where there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oddity {
    /// All pixels are 0.
    Blank,
    /// All pixels have the same grey level, which is not 0.
    Constant,
    /// Fewer than [`FEW_PIXELS`] of 28 × 28 pixels, or the same share of others, are [`VISIBLE`] or
    /// brighter.
    NearlyBlank,
    /// The pixels along the edge are brighter on average than the others, and than the middle grey,
    /// 127.5: a photograph with a background, or an inverted image. Not said of pictures in colour,
    /// which are photographs.
    BrightBorder,
    /// The mean grey level is far below that of its class: more than
    /// three interquartile ranges under the lower quartile, "far out" in Tukey's terms (Exploratory
    /// Data Analysis, 1977).
    Dark,
    /// It is as far above the upper quartile.
    Bright,
}

/// Fewer visible pixels than these, 5% of an image of 28 × 28, make it nearly blank.
pub const FEW_PIXELS: usize = 40;

/// A pixel of this grey level or a higher one, of 255, is visible.
pub const VISIBLE: u8 = 32;

impl Oddity {
    /// All, in the order in which they are looked for.
    pub const ALL: [Self; 6] = [
        Self::Blank,
        Self::Constant,
        Self::NearlyBlank,
        Self::BrightBorder,
        Self::Dark,
        Self::Bright,
    ];

    /// What is odd about an image, row by row, channels last, whatever others look like: all but
    /// [`Dark`](Self::Dark) and [`Bright`](Self::Bright). The first that applies.
    ///
    /// ```
    /// use fashion_data::audit::Oddity;
    /// assert_eq!(Oddity::of(&[0; 28 * 28], [28, 1]), Some(Oddity::Blank));
    /// ```
    ///
    /// # Panics
    ///
    /// If there are not as many pixels as the side and channels say.
    #[must_use]
    pub fn of(pixels: &[u8], [side, channels]: [usize; 2]) -> Option<Self> {
        assert_eq!(pixels.len(), side * side * channels, "pixels of the image");
        if pixels.iter().all(|&pixel| pixel == pixels[0]) {
            return Some(if pixels[0] == 0 { Self::Blank } else { Self::Constant });
        }
        let visible = match channels {
            1 => pixels.iter().filter(|&&level| level >= VISIBLE).count(),
            _ => pixels
                .chunks_exact(channels)
                .filter(|pixel| pixel.iter().any(|&level| level >= VISIBLE))
                .count(),
        };
        if visible * 28 * 28 < FEW_PIXELS * side * side {
            return Some(Self::NearlyBlank);
        }
        if channels > 1 {
            return None;
        }
        let row = |at: usize| &pixels[at * side..][..side];
        let ends = |at: usize| u32::from(row(at)[0]) + u32::from(row(at)[side - 1]);
        let border = ink(row(0)) + ink(row(side - 1)) + (1..side - 1).map(ends).sum::<u32>();
        let border_mean = f64::from(border) / (4 * side - 4) as f64;
        let inner_mean = f64::from(ink(pixels) - border) / ((side - 2) * (side - 2)) as f64;
        (border_mean > 127.5 && border_mean > inner_mean).then_some(Self::BrightBorder)
    }

    /// In words: `blank`, `constant`, `nearly blank`, `bright border`, `dark`, `bright`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Constant => "constant",
            Self::NearlyBlank => "nearly blank",
            Self::BrightBorder => "bright border",
            Self::Dark => "dark",
            Self::Bright => "bright",
        }
    }
}

/// The odd ones of these images, by their kind and then in order.
pub(super) fn odd(images: &[Image], shape: [usize; 2], classes: usize) -> Vec<Odd> {
    let inks: Vec<u32> = images.iter().map(|&(_, pixels)| ink(pixels)).collect();
    let mut of_class = vec![Vec::new(); classes];
    for ((item, _), &ink) in images.iter().zip(&inks) {
        of_class[usize::from(item.label)].push(ink);
    }
    let fences: Vec<Fences> = of_class.into_iter().map(Fences::of).collect();
    let judged = images.iter().zip(inks).filter_map(|(&(item, pixels), ink)| {
        let oddity =
            Oddity::of(pixels, shape).or_else(|| fences[usize::from(item.label)].judge(ink))?;
        Some(Odd { item, oddity })
    });
    let mut odd: Vec<Odd> = judged.collect();
    odd.sort_by_key(|odd| (odd.oddity, odd.item));
    odd
}

/// The sum of the grey levels.
fn ink(pixels: &[u8]) -> u32 {
    pixels.iter().map(|&pixel| u32::from(pixel)).sum()
}

/// Tukey's outer fences.
#[derive(Clone, Copy)]
struct Fences {
    lower: f64,
    upper: f64,
}

impl Fences {
    fn of(mut values: Vec<u32>) -> Self {
        values.sort_unstable();
        let (first, third) = (quantile(&values, 0.25), quantile(&values, 0.75));
        let reach = 3.0 * (third - first);
        Self { lower: first - reach, upper: third + reach }
    }

    fn judge(self, value: u32) -> Option<Oddity> {
        if f64::from(value) < self.lower {
            Some(Oddity::Dark)
        } else if f64::from(value) > self.upper {
            Some(Oddity::Bright)
        } else {
            None
        }
    }
}

/// The quantile of sorted values, linear between neighbours (NumPy's default); 0 of none.
fn quantile(sorted: &[u32], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let position = share * last as f64;
    let below = position.floor() as usize;
    let [low, high] = [below, (below + 1).min(last)].map(|index| f64::from(sorted[index]));
    low + (high - low) * (position - below as f64)
}
