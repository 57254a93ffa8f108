//! A reader that ends with an error before a file fills the memory, and every line with a newline.

use std::io::{self, Read};

/// The most bytes of a file.
const FILE: u64 = 1 << 30;

/// The most bytes of a line.
const LINE: u64 = 1 << 20;

/// Counts the bytes of the file and of its lines.
pub(super) struct Limited<R> {
    inner: R,
    /// The most bytes of the file that may still come.
    left: u64,
    line: u64,
}

impl<R> Limited<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, left: FILE, line: 0 }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match (self.inner.read(buffer)?, buffer.first_mut()) {
            (0, Some(first)) if self.line > 0 => {
                *first = b'\n';
                self.line = 0;
                return Ok(1);
            }
            (count, _) => count,
        };
        for part in buffer[..count].split_inclusive(|&byte| byte == b'\n') {
            self.line += part.len() as u64;
            if self.line > LINE {
                return Err(io::Error::other("a line is longer than 1 MiB"));
            }
            if part.ends_with(b"\n") {
                self.line = 0;
            }
        }
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other("the file is larger than 1 GiB"))?;
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
        assert_eq!(outcome(&fits[1..]), "1048576");
        assert_eq!(outcome((&fits[..]).chain(&b"\n"[..])), "a line is longer than 1 MiB");
        let two = (&fits[1..]).chain(&b"\n"[..]).chain(&fits[1..]);
        assert_eq!(outcome(two), "2097152");
        assert_eq!(outcome(io::repeat(b',')), "a line is longer than 1 MiB");
    }

    #[test]
    fn the_last_line_gets_its_newline() {
        for (given, wanted) in [("", ""), ("a", "a\n"), ("a\n", "a\n"), ("a\nb", "a\nb\n")] {
            let mut read = String::new();
            Limited::new(given.as_bytes()).read_to_string(&mut read).unwrap();
            assert_eq!(read, wanted);
        }
    }

    #[test]
    fn files_are_limited() {
        let read = |bytes: &[u8]| {
            let mut limited = Limited { left: 4, ..Limited::new(bytes) };
            io::copy(&mut limited, &mut io::sink()).map_err(|error| error.to_string())
        };
        assert_eq!(read(b"1,2\n"), Ok(4));
        assert_eq!(read(b"1,2\n\n"), Err("the file is larger than 1 GiB".to_owned()));
    }
}
