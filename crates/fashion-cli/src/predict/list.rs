//! A list of paths, as another program writes it.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

/// The longest path that is read, in bytes; systems have far lower limits.
const MAX_BYTES: u64 = 1 << 16;

/// The paths of a list, a line each; or each with a NUL behind it (as of `find -print0`), where there is
/// one in what can be read at first: a path has none in it, but may have a newline. Empty ones are passed
/// over, and a carriage return before the newline is none of a path's.
pub(super) struct Paths<R> {
    input: BufReader<R>,
    /// What ends a path, once something was read.
    end: Option<u8>,
}

impl<R: Read> Paths<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(1 << 16, input), end: None }
    }

    /// Whether the next path can be read without waiting for whoever writes the list.
    pub(super) fn at_hand(&self) -> bool {
        self.end.is_some_and(|end| self.input.buffer().contains(&end))
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        let begun = self.input.fill_buf()?.contains(&0);
        let end = *self.end.get_or_insert(if begun { 0 } else { b'\n' });
        let mut path = Vec::new();
        self.input.by_ref().take(MAX_BYTES).read_until(end, &mut path)?;
        if path.len() as u64 == MAX_BYTES {
            let problem = format!("a path has {MAX_BYTES} bytes or more; expected a path a line");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        Ok(path)
    }
}

impl<R: Read> Iterator for Paths<R> {
    type Item = io::Result<PathBuf>;

    fn next(&mut self) -> Option<io::Result<PathBuf>> {
        loop {
            let mut path = match self.read() {
                Ok(path) if path.is_empty() => return None,
                Ok(path) => path,
                Err(error) => return Some(Err(error)),
            };
            if path.last() == self.end.as_ref() {
                path.pop();
                if self.end == Some(b'\n') && path.last() == Some(&b'\r') {
                    path.pop();
                }
            }
            if !path.is_empty() {
                return Some(path_of(path));
            }
        }
    }
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> io::Result<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Ok(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> io::Result<PathBuf> {
    let text = String::from_utf8(bytes);
    text.map(PathBuf::from).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(list: &[u8]) -> Vec<String> {
        Paths::new(list).map(|path| path.unwrap().display().to_string()).collect()
    }

    #[test]
    fn paths_end_with_newlines_or_with_nul() {
        assert_eq!(paths(b"a.png\n\nb c.png\r\nd.png"), ["a.png", "b c.png", "d.png"]);
        assert_eq!(paths(b"a\nb.png\0c.png\r\0\0d.png"), ["a\nb.png", "c.png\r", "d.png"]);
        assert_eq!(paths(b""), [""; 0]);
        assert_eq!(paths(b"\n\n"), [""; 0]);
        let long = vec![b'a'; 1 << 17];
        assert!(Paths::new(&long[..]).next().unwrap().unwrap_err().to_string().contains("a line"));
    }

    #[test]
    fn what_is_not_there_yet_is_not_at_hand() {
        let list: [&[u8]; 3] = [b"a.png\nb.p", b"ng\n", b"c.png\n"];
        let mut paths = Paths::new(list[0].chain(list[1]).chain(list[2]));
        let mut at_hand = Vec::new();
        loop {
            at_hand.push(paths.at_hand());
            if paths.next().is_none() {
                break;
            }
        }
        assert_eq!(at_hand, [false, false, false, false]);
        let mut paths = Paths::new(&b"a.png\nb.png\nc"[..]);
        assert!(!paths.at_hand());
        paths.next();
        assert!(paths.at_hand());
        paths.next();
        assert!(!paths.at_hand());
    }
}
