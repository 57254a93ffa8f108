//! A JPEG at an eighth of its width and height, from the means of its blocks.
//!
//! The first coefficient of a block of 8 × 8 samples is eight times their mean (ITU-T T.81, A.3.3). So the others
//! need not be decoded but only passed over, which a photograph of 12 million pixels that ends as a tile is
//! worth. Read is what cameras write: one scan with Huffman codes of one component or of Y, Cb and Cr. What is of
//! another kind, damaged or cut off is left to the decoder that can read or name it.

use super::huffman::{Bits, Codes};
use crate::picture::{Colour, GREY_WITHIN, Stored};

/// A component, and the means of its blocks.
struct Component {
    id: u8,
    /// Blocks across and down in a unit of the scan.
    across: usize,
    down: usize,
    /// Which tables it takes: for dequantisation, for first coefficients, for others.
    quantisation: usize,
    first: usize,
    others: usize,
    /// The last first coefficient.
    predicted: i32,
    plane: Vec<u8>,
}

/// The picture and its Exif data, unless it is of another kind, or not whole. Three channels are taken for Y,
/// Cb and Cr.
pub(super) fn decode(bytes: &[u8]) -> Option<(Stored, Option<Vec<u8>>)> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    let mut quantisation = [0_i32; 4];
    let mut tables: [[Option<Codes>; 4]; 2] = Default::default();
    let (mut frame, mut exif, mut interval) = (None, None, 0);
    loop {
        let &[0xff, marker, high, low] = rest.first_chunk()? else { return None };
        let (segment, after) =
            rest.split_at_checked(2 + usize::from(u16::from_be_bytes([high, low])))?;
        let segment = segment.get(4..)?;
        rest = after;
        match marker {
            0xc0 | 0xc1 if frame.is_none() => frame = Some(Frame::new(segment)?),
            0xc4 => {
                let mut segment = segment;
                while let Some((&[kind], more)) = segment.split_first_chunk() {
                    let (codes, more) = Codes::new(more)?;
                    *tables.get_mut(usize::from(kind >> 4))?.get_mut(usize::from(kind & 15))? =
                        Some(codes);
                    segment = more;
                }
            }
            0xdb => {
                let mut segment = segment;
                while let Some((&[kind], more)) = segment.split_first_chunk() {
                    let wide = kind >> 4 == 1;
                    let first = if wide {
                        i32::from(u16::from_be_bytes(*more.first_chunk()?))
                    } else {
                        (*more.first()?).into()
                    };
                    *quantisation.get_mut(usize::from(kind & 15))? = first;
                    segment = more.get(if wide { 128 } else { 64 }..)?;
                }
            }
            0xdd => interval = u16::from_be_bytes(*segment.first_chunk()?),
            0xe1 => exif = segment.strip_prefix(b"Exif\0\0").map(<[u8]>::to_vec).or(exif),
            0xda => {
                let mut frame: Frame = frame?;
                frame.begin(segment)?;
                let end = frame.scan(rest, &tables, quantisation, interval)?;
                return end.starts_with(&[0xff, 0xd9]).then(|| (frame.picture(), exif));
            }
            // Comments and what programs put into files.
            0xe0..=0xef | 0xfe => {}
            _ => return None,
        }
    }
}

/// The size of a picture in samples, and its components.
struct Frame {
    width: usize,
    height: usize,
    components: Vec<Component>,
}

impl Frame {
    /// From precision, height, width, number of components, and three bytes for each.
    fn new(segment: &[u8]) -> Option<Self> {
        let (&[8, height, low_height, width, low_width, count], each) =
            segment.split_first_chunk()?
        else {
            return None;
        };
        let size =
            [[width, low_width], [height, low_height]].map(u16::from_be_bytes).map(usize::from);
        let (each, _) = each.as_chunks();
        let component = |&[id, sampling, quantisation]: &[u8; 3]| Component {
            id,
            across: (sampling >> 4).into(),
            down: (sampling & 15).into(),
            quantisation: quantisation.into(),
            first: 0,
            others: 0,
            predicted: 0,
            plane: Vec::new(),
        };
        let mut components: Vec<_> = each.iter().map(component).collect();
        match components.iter().map(|component| component.id).collect::<Vec<_>>()[..] {
            // A scan of one component has one block a unit, whatever its sampling.
            [_] => (components[0].across, components[0].down) = (1, 1),
            [1, 2, 3] => {}
            _ => return None,
        }
        let [across, down] = Self::most(&components);
        let divides = |c: &Component| {
            c.across > 0 && c.down > 0 && across % c.across == 0 && down % c.down == 0
        };
        let is_read = components.len() == usize::from(count) && components.iter().all(divides);
        let [width, height] = size;
        is_read.then_some(Self { width, height, components })
    }

    /// The most blocks of a component across and down in a unit.
    fn most(components: &[Component]) -> [usize; 2] {
        let most =
            |blocks: fn(&Component) -> usize| components.iter().map(blocks).max().unwrap_or(0);
        [most(|c| c.across), most(|c| c.down)]
    }

    /// Units across and down.
    fn units(&self) -> [usize; 2] {
        let [across, down] = Self::most(&self.components);
        [self.width.div_ceil(8 * across), self.height.div_ceil(8 * down)]
    }

    /// Makes ready for a scan: number of components, two bytes for each, first and last coefficient, bits.
    fn begin(&mut self, segment: &[u8]) -> Option<()> {
        let count = self.components.len();
        let [units_across, units_down] = self.units();
        let (&[of], each) = segment.split_first_chunk()?;
        if usize::from(of) != count || each.get(2 * count..)? != [0, 63, 0] {
            return None;
        }
        for (component, pair) in self.components.iter_mut().zip(each.chunks_exact(2)) {
            if component.id != pair[0] {
                return None;
            }
            (component.first, component.others) =
                (usize::from(pair[1] >> 4), usize::from(pair[1] & 15));
            let blocks = units_across * component.across * units_down * component.down;
            component.plane = vec![0; blocks];
        }
        Some(())
    }

    /// Reads a scan; gives what follows it.
    fn scan<'a>(
        &mut self,
        data: &'a [u8],
        tables: &[[Option<Codes>; 4]; 2],
        quantisation: [i32; 4],
        interval: u16,
    ) -> Option<&'a [u8]> {
        let [units_across, units_down] = self.units();
        let mut bits = Bits::new(data);
        let [firsts, others] = tables;
        let of_each = |component: &Component| {
            let first = firsts.get(component.first)?.as_ref()?;
            let others = others.get(component.others)?.as_ref()?;
            Some((first, others, *quantisation.get(component.quantisation)?))
        };
        let of_each: Vec<_> = self.components.iter().map(of_each).collect::<Option<_>>()?;
        let (mut left, mut restarts) = (interval, 0_u8);
        for row in 0..units_down {
            for column in 0..units_across {
                if interval > 0 {
                    if left == 0 {
                        // Restart markers are numbered, from 0 to 7 and again.
                        bits = Bits::new(bits.end()?.strip_prefix(&[0xff, 0xd0 + restarts % 8])?);
                        self.components.iter_mut().for_each(|component| component.predicted = 0);
                        (left, restarts) = (interval, restarts.wrapping_add(1));
                    }
                    left -= 1;
                }
                for (component, &(first, others, step)) in self.components.iter_mut().zip(&of_each)
                {
                    let (across, down) = (component.across, component.down);
                    for below in 0..down {
                        let place = ((row * down + below) * units_across + column) * across;
                        for mean in &mut component.plane[place..][..across] {
                            let off = bits.first(first)?;
                            bits.pass(others)?;
                            component.predicted = component.predicted.wrapping_add(off);
                            let level = component.predicted.wrapping_mul(step) >> 3;
                            *mean = level.saturating_add(128).clamp(0, 255) as u8;
                        }
                    }
                }
            }
            if bits.are_over() {
                return None;
            }
        }
        bits.end()
    }

    /// The planes side by side, in RGB or grey.
    fn picture(self) -> Stored {
        let (width, height) = (self.width.div_ceil(8), self.height.div_ceil(8));
        let [across, down] = Self::most(&self.components);
        let units_across = self.units()[0];
        // A row of a component, each block of it as often as there are others in its place.
        let row_of = |component: &Component, row: usize, to: &mut Vec<u8>| {
            let blocks = units_across * component.across;
            let row = &component.plane[row * component.down / down * blocks..][..blocks];
            let times = across / component.across;
            to.clear();
            to.extend(row.iter().flat_map(|&mean| std::iter::repeat_n(mean, times)).take(width));
        };
        let mut samples = Vec::with_capacity(width * height * self.components.len());
        let mut rows = [const { Vec::new() }; 3];
        for at in 0..height {
            for (component, row) in self.components.iter().zip(&mut rows) {
                row_of(component, at, row);
            }
            match &rows {
                [grey, none, _] if none.is_empty() => samples.extend(grey),
                [y, cb, cr] => {
                    let pixels = y.iter().zip(cb).zip(cr);
                    samples.extend(pixels.flat_map(|((&y, &cb), &cr)| rgb(y, cb, cr)));
                }
            }
        }
        let colour = if self.components.len() == 1 { Colour::Grey } else { Colour::Rgb };
        Stored { samples, colour, width, height, grey_within: GREY_WITHIN }
    }
}

/// A pixel of Y, Cb and Cr (JFIF 1.02), by fractions of 2^-20.
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let fixed = |factor: f64| (factor * f64::from(1 << 20)) as i32;
    let (y, cb, cr) = ((i32::from(y) << 20) + (1 << 19), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + fixed(1.402) * cr;
    let green = y - fixed(0.344_136) * cb - fixed(0.714_136) * cr;
    let blue = y + fixed(1.772) * cb;
    [red, green, blue].map(|level| (level >> 20).clamp(0, 255) as u8)
}
