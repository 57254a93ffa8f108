//! Huffman codes of a JPEG's scan (ITU-T T.81, annexes C and F), of which most values are passed over.

/// Codes up to this length are looked up at once.
const QUICK: u32 = 11;

/// So many bits are passed over at once: a table of more of them would leave the fastest memory.
const AHEAD: u32 = 12;

/// A table of codes.
pub(super) struct Codes {
    /// By the first bits of what follows: the length of a code and its value, or a length of 0 where it is
    /// longer.
    quick: [(u8, u8); 1 << QUICK],
    /// By length, of 1 to 16 bits: the first code that is longer, filled to 16 bits, and the difference of
    /// places of values and codes.
    longer: [(u32, i32); 16],
    values: Vec<u8>,
    /// By the first bits of what follows.
    passed: [Passed; 1 << AHEAD],
}

/// Coefficients of a block that stand in some bits whole: how many they are, 128 more where the others of the
/// block are zero, times 16, and the bits that they take, 0 where there is none.
#[derive(Clone, Copy, Default)]
struct Passed(u16);

impl Passed {
    fn new(bits: u8, coefficients: u8) -> Self {
        Self(u16::from(coefficients) << 4 | u16::from(bits))
    }

    fn bits(self) -> u8 {
        self.0 as u8 & 15
    }

    fn coefficients(self) -> u8 {
        (self.0 >> 4) as u8
    }
}

impl Codes {
    /// From the number of codes of 1 to 16 bits, and what they stand for; and what follows.
    pub(super) fn new(segment: &[u8]) -> Option<(Self, &[u8])> {
        let (counts, rest) = segment.split_first_chunk::<16>()?;
        let (values, rest) =
            rest.split_at_checked(counts.iter().map(|&count| usize::from(count)).sum())?;
        let mut codes = Self {
            quick: [(0, 0); 1 << QUICK],
            longer: [(0, 0); 16],
            values: values.to_vec(),
            passed: [Passed::default(); 1 << AHEAD],
        };
        let (mut code, mut place) = (0_u32, 0_usize);
        for (length, &count) in (1..).zip(counts) {
            codes.longer[length as usize - 1].1 = place as i32 - code as i32;
            for _ in 0..count {
                if code >= 1 << length {
                    return None;
                }
                if length <= QUICK {
                    let first = (code << (QUICK - length)) as usize;
                    codes.quick[first..][..1 << (QUICK - length)]
                        .fill((length as u8, values[place]));
                }
                (code, place) = (code + 1, place + 1);
            }
            codes.longer[length as usize - 1].0 = code << (16 - length);
            code <<= 1;
        }
        for first in 0..1 << AHEAD {
            codes.passed[first] = codes.passed(first);
        }
        Some((codes, rest))
    }

    /// The coefficients that stand in the first bits of what follows.
    fn passed(&self, first: usize) -> Passed {
        let (mut bits, mut passed) = (0, 0);
        while passed < 64 {
            let rest = first << bits & ((1 << AHEAD) - 1);
            let (length, value) = self.quick[rest >> (AHEAD - QUICK)];
            let more = bits + length + (value & 15);
            if length == 0 || u32::from(more) > AHEAD {
                break;
            }
            match coefficients(value) {
                Some(coefficients) if passed + coefficients < 64 => passed += coefficients,
                Some(_) => break,
                None => passed += 128,
            }
            bits = more;
        }
        Passed::new(bits, passed)
    }

    /// The length of the code that some bits begin with, and its value.
    fn find(&self, bits: u64) -> Option<(u8, u8)> {
        match self.quick[(bits >> (64 - QUICK)) as usize] {
            (0, _) => {
                let next = (bits >> 48) as u32;
                let length =
                    (QUICK + 1..=16).find(|&length| next < self.longer[length as usize - 1].0)?;
                let place = (next >> (16 - length)) as i32 + self.longer[length as usize - 1].1;
                Some((length as u8, *self.values.get(place as usize)?))
            }
            found => Some(found),
        }
    }
}

/// The bits of a scan, up to the next marker.
pub(super) struct Bits<'a> {
    /// What is not in the buffer yet.
    rest: &'a [u8],
    /// The next bits, from the highest on.
    buffer: u64,
    /// How many of them are from the file; below 0 where more have been taken than there were.
    count: i32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest, buffer: 0, count: 0 }
    }

    /// Whether more bits have been taken than there are.
    pub(super) fn are_over(&self) -> bool {
        self.count < 0
    }

    /// What follows the bits, if the last byte of them has been begun.
    pub(super) fn end(mut self) -> Option<&'a [u8]> {
        self.fill();
        (0..8).contains(&self.count).then_some(self.rest)
    }

    /// Makes the buffer hold 56 bits or more, where there are so many.
    #[inline]
    fn fill(&mut self) {
        // As long as there is no stuffing, eight bytes at once: those that do not fit are put in again later.
        if self.count >= 0
            && let Some(&next) = self.rest.first_chunk()
            && let next = u64::from_be_bytes(next)
            && !has_byte_of_ones(next)
        {
            self.buffer |= next >> self.count;
            let bytes = (63 - self.count) / 8;
            self.rest = &self.rest[bytes as usize..];
            self.count += 8 * bytes;
        } else {
            self.fill_by_bytes();
        }
    }

    #[cold]
    fn fill_by_bytes(&mut self) {
        while self.count < 56 {
            let (byte, length) = match *self.rest {
                [0xff, 0, ..] => (0xff, 2),
                [0xff, ..] | [] => return,
                [byte, ..] => (byte, 1),
            };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
            self.rest = &self.rest[length..];
        }
    }

    fn take(&mut self, bits: u8) {
        self.buffer <<= bits;
        self.count -= i32::from(bits);
    }

    /// The difference of a first coefficient from that before (F.2.2.1).
    pub(super) fn first(&mut self, codes: &Codes) -> Option<i32> {
        self.fill();
        let (length, size) = codes.find(self.buffer)?;
        self.take(length);
        match size {
            0 => Some(0),
            // As many as samples of 8 bits need.
            1..=11 => {
                let value = (self.buffer >> (64 - size)) as i32;
                self.take(size);
                // Of negative ones the highest bit is 0.
                Some(if value >> (size - 1) == 0 { value - (1 << size) + 1 } else { value })
            }
            _ => None,
        }
    }

    /// Passes over the other 63 coefficients of a block (F.2.2.2).
    pub(super) fn pass(&mut self, codes: &Codes) -> Option<()> {
        let mut index = 1;
        while index < 64 {
            // A code and its bits are 31 at most.
            if self.count < 32 {
                self.fill();
            }
            let passed = codes.passed[(self.buffer >> (64 - AHEAD)) as usize];
            let to = index + passed.coefficients();
            // What follows the last coefficient is of the next block.
            if passed.bits() > 0 && to & 64 == 0 {
                self.take(passed.bits());
                index = to;
            } else {
                let (length, value) = codes.find(self.buffer)?;
                self.take(length + (value & 15));
                index += coefficients(value).unwrap_or(64);
            }
        }
        Some(())
    }
}

/// How many coefficients the value of a code stands for, with the zeros before; none for all that are left.
fn coefficients(value: u8) -> Option<u8> {
    let (zeros, size) = (value >> 4, value & 15);
    (size > 0 || zeros == 15).then_some(zeros + 1)
}

/// Whether one of eight bytes is all ones.
fn has_byte_of_ones(bytes: u64) -> bool {
    // That of a byte's bits whose complement is 0, by the borrow of a subtraction.
    let zeros = !bytes;
    zeros.wrapping_sub(0x0101_0101_0101_0101) & !zeros & 0x8080_8080_8080_8080 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes over them a code at a time.
    fn pass_by_codes(bits: &mut Bits<'_>, codes: &Codes) -> Option<()> {
        let mut index = 1;
        while index < 64 {
            bits.fill();
            let (length, value) = codes.find(bits.buffer)?;
            bits.take(length + (value & 15));
            index += coefficients(value).unwrap_or(64);
        }
        Some(())
    }

    #[test]
    fn many_are_passed_over_as_one_by_one() {
        // Numbers of codes of each length, and their values: short and long ones; without an end; zeros only, which
        // would go beyond the block; few codes, so that most bits are none.
        let tables: [(&[u8], &[u8]); 4] = [
            (
                &[0, 2, 1, 2, 2, 1, 0, 0, 0, 1, 1, 2, 2],
                &[1, 0, 2, 0x11, 3, 0x21, 0xf0, 0x32, 4, 0x53, 6, 0xa1, 9, 0x71],
            ),
            (&[0, 2, 2, 3, 1], &[1, 2, 0x11, 3, 0x51, 0xf0, 5, 0x22]),
            (&[1, 1, 1], &[0xf0, 0xe0, 0xf1]),
            (&[0, 1, 0, 1], &[1, 0]),
        ];
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Ones would be a marker.
            (state >> 33) as u8 & 0xfe
        };
        for (counts, values) in tables {
            let mut segment = counts.to_vec();
            segment.resize(16, 0);
            segment.extend(values);
            let (codes, _) = Codes::new(&segment).unwrap();
            for _ in 0..200 {
                let data: Vec<u8> = (0..60).map(|_| random()).collect();
                let [mut quick, mut slow] = [Bits::new(&data), Bits::new(&data)];
                while !slow.are_over() {
                    let [a, b] = [quick.pass(&codes), pass_by_codes(&mut slow, &codes)];
                    let left = |bits: &Bits<'_>| 8 * bits.rest.len() as i32 + bits.count;
                    assert_eq!((a, left(&quick)), (b, left(&slow)));
                    if b.is_none() {
                        break;
                    }
                }
            }
        }
    }
}
