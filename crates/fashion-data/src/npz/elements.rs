//! The elements of an npy array as grey levels or labels, whatever their type.

use std::io::Read;

use ndarray::{ArrayD, Axis, IxDyn, ShapeBuilder};
use ndarray_npy::{ReadDataError, ReadableElement};

use super::header::{Element, Header};
use crate::pixels::stretch_binary;
use crate::{Error, MAX_CLASSES};

/// How far a float may be from a grey level, in grey levels.
///
/// f32 and f64 hold k/255 far more precisely; resized or filtered images are far less near. (In
/// units of 0–1 nothing is further than 1/510 from some k/255, so that a limit of 0.002 there would
/// accept every image.)
const TOLERANCE: f64 = 0.002;

/// The same for half floats, which hold k/255 only to 255·2⁻¹² grey levels.
const TOLERANCE_F16: f64 = 0.0625;

/// Of what an array of pixels is a part, where it is one.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// The images before it.
    pub(super) first: usize,
    /// Whether no element of the whole is above 1.
    pub(super) unit: bool,
}

/// Pixels in C order from an array of any supported type, or from a part of one.
///
/// They are 0–1 if no element is above 1, otherwise 0–255, whatever their type.
pub(super) fn levels(
    input: &mut dyn Read,
    header: &Header,
    element: Element,
    name: &str,
    part: Option<Part>,
) -> Result<Vec<u8>, Error> {
    if element == Element::U8 {
        let array: ArrayD<u8> = read(input, header, element)?;
        let mut pixels = if array.is_standard_layout() {
            array.into_raw_vec_and_offset().0
        } else {
            array.iter().copied().collect()
        };
        if part.is_none_or(|part| part.unit) {
            stretch_binary(&mut pixels);
        }
        return Ok(pixels);
    }
    let mut levels =
        Levels { name, shape: &header.shape, tolerance: TOLERANCE, part, pixels: Vec::new() };
    if element == Element::F16 {
        levels.tolerance = TOLERANCE_F16;
    }
    visit(input, header, element, &mut levels)?;
    Ok(levels.pixels)
}

/// The largest element; 0 where none is above that.
pub(super) fn largest(
    input: &mut dyn Read,
    header: &Header,
    element: Element,
) -> Result<f64, Error> {
    let mut largest = Largest(0.0);
    visit(input, header, element, &mut largest)?;
    Ok(largest.0)
}

/// Labels from an array (N), (N, 1) or, one-hot, (N, K).
pub(super) fn labels(
    input: &mut dyn Read,
    header: &Header,
    element: Element,
) -> Result<Vec<u16>, Error> {
    let one_hot = header.shape.get(1).is_some_and(|&classes| classes > 1);
    let mut labels = Labels { one_hot, labels: vec![] };
    visit(input, header, element, &mut labels)?;
    Ok(labels.labels)
}

/// Strings, without the zeros at their ends.
pub(super) fn strings(input: &mut dyn Read, header: &Header) -> Result<Vec<String>, Error> {
    let text = header.text.ok_or_else(|| Error::Damaged("holds no strings".into()))?;
    let count = header.shape.iter().product::<usize>();
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
    if bytes.len() as u64 != text.size() * count as u64 || text.size() == 0 {
        return Err(Error::Damaged("ends before the array does".into()));
    }
    let not_text = || Error::Damaged("holds names that are no text".into());
    let string = |bytes: &[u8]| {
        let string = if text.wide {
            let code = |word: &[u8; 4]| match text.big_endian {
                true => u32::from_be_bytes(*word),
                false => u32::from_le_bytes(*word),
            };
            let characters = bytes.as_chunks::<4>().0.iter().map(|word| char::from_u32(code(word)));
            characters.collect::<Option<String>>()
        } else {
            String::from_utf8(bytes.to_vec()).ok()
        };
        string.map(|string| string.trim_end_matches('\0').to_owned()).ok_or_else(not_text)
    };
    bytes.chunks_exact(text.size() as usize).map(string).collect()
}

/// All elements as they are, in their array's shape.
pub(super) fn values(
    input: &mut dyn Read,
    header: &Header,
    element: Element,
) -> Result<ArrayD<f64>, Error> {
    let mut values = Values(ArrayD::zeros(vec![0]));
    visit(input, header, element, &mut values)?;
    Ok(values.0)
}

/// Something done with an array whose element type is known only at run time.
trait Visitor {
    fn array<T: Number>(&mut self, array: &ArrayD<T>) -> Result<(), Error>;
}

fn visit(
    input: &mut dyn Read,
    header: &Header,
    element: Element,
    visitor: &mut impl Visitor,
) -> Result<(), Error> {
    match element {
        Element::Bool => visitor.array::<bool>(&read(input, header, element)?),
        Element::I8 => visitor.array::<i8>(&read(input, header, element)?),
        Element::I16 => visitor.array::<i16>(&read(input, header, element)?),
        Element::I32 => visitor.array::<i32>(&read(input, header, element)?),
        Element::I64 => visitor.array::<i64>(&read(input, header, element)?),
        Element::U8 => visitor.array::<u8>(&read(input, header, element)?),
        Element::U16 => visitor.array::<u16>(&read(input, header, element)?),
        Element::U32 => visitor.array::<u32>(&read(input, header, element)?),
        Element::U64 => visitor.array::<u64>(&read(input, header, element)?),
        Element::F16 => {
            let bits: ArrayD<u16> = read(input, header, element)?;
            visitor.array(&bits.mapv(half_to_f32))
        }
        Element::F32 => visitor.array::<f32>(&read(input, header, element)?),
        Element::F64 => visitor.array::<f64>(&read(input, header, element)?),
    }
}

/// The whole array; the caller has checked that its size is what the header says.
fn read<T: ReadableElement>(
    input: &mut dyn Read,
    header: &Header,
    element: Element,
) -> Result<ArrayD<T>, Error> {
    let descriptor = header.descriptor(element).parse().expect("a Python literal");
    let length = header.shape.iter().product();
    let elements = T::read_to_end_exact_vec(input, &descriptor, length);
    let elements = elements.map_err(|error| match error {
        ReadDataError::Io(error) => damaged(&error),
        ReadDataError::MissingData => Error::Damaged("ends before the array does".into()),
        other => damaged(&other),
    })?;
    let shape = IxDyn(&header.shape).set_f(header.fortran_order);
    ArrayD::from_shape_vec(shape, elements).map_err(|error| damaged(&error))
}

pub(super) fn damaged(problem: &impl std::fmt::Display) -> Error {
    Error::Damaged(format!("is damaged: {problem}; fetch or copy it again"))
}

/// An element as f64: exact for every value that can be a pixel or a label.
trait Number: ReadableElement + Copy {
    fn to_f64(self) -> f64;
}

macro_rules! numbers {
    ($($type:ty => $convert:expr),*) => {$(
        impl Number for $type {
            fn to_f64(self) -> f64 {
                $convert(self)
            }
        }
    )*};
}

numbers!(
    bool => |b| f64::from(u8::from(b)),
    i8 => f64::from, i16 => f64::from, i32 => f64::from, i64 => |i| i as f64,
    u8 => f64::from, u16 => f64::from, u32 => f64::from, u64 => |u| u as f64,
    f32 => f64::from, f64 => |x| x
);

struct Largest(f64);

impl Visitor for Largest {
    fn array<T: Number>(&mut self, array: &ArrayD<T>) -> Result<(), Error> {
        self.0 = array.iter().fold(self.0, |largest, value| largest.max(value.to_f64()));
        Ok(())
    }
}

struct Levels<'a> {
    name: &'a str,
    shape: &'a [usize],
    tolerance: f64,
    part: Option<Part>,
    pixels: Vec<u8>,
}

impl Visitor for Levels<'_> {
    fn array<T: Number>(&mut self, array: &ArrayD<T>) -> Result<(), Error> {
        let unit = match self.part {
            Some(part) => part.unit,
            None => {
                let mut largest = Largest(0.0);
                largest.array(array)?;
                largest.0 <= 1.0
            }
        };
        let scale = if unit { 255.0 } else { 1.0 };
        self.pixels.reserve_exact(array.len());
        for value in array {
            let value = value.to_f64();
            let level = value * scale;
            let nearest = level.round();
            if !((0.0..=255.0).contains(&nearest) && (level - nearest).abs() <= self.tolerance) {
                return Err(self.refuse(value, scale));
            }
            self.pixels.push(nearest as u8);
        }
        Ok(())
    }
}

impl Levels<'_> {
    fn refuse(&self, value: f64, scale: f64) -> Error {
        let of_image: usize = self.shape[1..].iter().product();
        let first = self.part.map_or(0, |part| part.first);
        let (image, pixel) = (first + self.pixels.len() / of_image, self.pixels.len() % of_image);
        let problem = if value.is_nan() {
            "expected a number".into()
        } else if scale > 1.0 && value >= 0.0 {
            "the images are not 8-bit: expected multiples of 1/255 from 0 to 1".to_owned()
        } else if (0.0..=255.0).contains(&value) {
            "the images are not 8-bit: expected whole numbers from 0 to 255".into()
        } else {
            "expected 0 to 255, or 0 to 1".into()
        };
        Error::Pixel {
            what: format!("array `{}`", self.name),
            problem: format!("pixel {pixel} of image {image} is {value}; {problem}"),
        }
    }
}

struct Values(ArrayD<f64>);

impl Visitor for Values {
    fn array<T: Number>(&mut self, array: &ArrayD<T>) -> Result<(), Error> {
        self.0 = array.mapv(Number::to_f64);
        Ok(())
    }
}

struct Labels {
    one_hot: bool,
    labels: Vec<u16>,
}

impl Visitor for Labels {
    fn array<T: Number>(&mut self, array: &ArrayD<T>) -> Result<(), Error> {
        for (index, row) in array.axis_iter(Axis(0)).enumerate() {
            let mut values = row.iter().map(|value| value.to_f64());
            let label = if self.one_hot {
                let ones = values.clone().filter(|&value| value == 1.0).count();
                let zeros = values.clone().filter(|&value| value == 0.0).count();
                if (ones, zeros) != (1, row.len() - 1) {
                    return Err(Error::NotOneHot { index });
                }
                values.position(|value| value == 1.0).unwrap_or_default() as u16
            } else {
                let value = values.next().unwrap_or(f64::NAN);
                let label = value as u16;
                if f64::from(label) != value || usize::from(label) > MAX_CLASSES {
                    return Err(Error::Label {
                        index,
                        value: value.to_string(),
                        most: MAX_CLASSES,
                    });
                }
                label
            };
            self.labels.push(label);
        }
        Ok(())
    }
}

/// IEEE 754 binary16, exactly.
fn half_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let (exponent, fraction) = (u32::from(bits >> 10 & 31), u32::from(bits & 1023));
    let magnitude = match exponent {
        // A subnormal is a multiple of 2⁻²⁴.
        0 => (fraction as f32 * (1.0 / 16_777_216.0)).to_bits(),
        31 => 0x7f80_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_are_converted_exactly() {
        // numpy.array([0x0001, 0x03ff, ...], "u2").view("f2").astype("f4")
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3c00, 1.0),
            (0x3bff, 0.999_511_7),
            (0x5bf8, 255.0),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
            (0xbc00, -1.0),
        ] {
            assert_eq!(half_to_f32(bits), value, "{bits:#06x}");
        }
        assert!(half_to_f32(0x7e00).is_nan());
    }
}
