//! A reader that ends with an error before a file fills the memory.

use std::io::{self, Read};

/// The most bytes of a file.
const FILE: u64 = 1 << 30;

/// The most bytes of a line.
const LINE: u64 = 1 << 20;

/// Counts the bytes of the file and of its lines.
pub(super) struct Limited<R> {
    inner: R,
    file: u64,
    line: u64,
}

impl<R> Limited<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, file: 0, line: 0 }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.file += count as u64;
        for part in buffer[..count].split_inclusive(|&byte| byte == b'\n') {
            self.line += part.len() as u64;
            if self.line > LINE {
                return Err(io::Error::other("a line is longer than 1 MiB"));
            }
            if part.ends_with(b"\n") {
                self.line = 0;
            }
        }
        if self.file > FILE {
            return Err(io::Error::other("the file is larger than 1 GiB"));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(input: impl Read) -> String {
        match io::copy(&mut Limited::new(input), &mut io::sink()) {
            Ok(count) => count.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn lines_are_limited() {
        let fits = vec![b'x'; 1 << 20];
        assert_eq!(outcome(&fits[..]), "1048576");
        assert_eq!(outcome((&fits[..]).chain(&b"\n"[..])), "a line is longer than 1 MiB");
        let two = (&fits[1..]).chain(&b"\n"[..]).chain(&fits[1..]);
        assert_eq!(outcome(two), "2097151");
        assert_eq!(outcome(io::repeat(b',')), "a line is longer than 1 MiB");
    }

    #[test]
    fn files_are_limited() {
        assert_eq!(outcome(io::repeat(b'\n')), "the file is larger than 1 GiB");
    }
}
