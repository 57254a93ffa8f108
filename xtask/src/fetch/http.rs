//! One request for one file, continuing a partial one where the server allows it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::Error;
use ureq::http::{HeaderMap, StatusCode, header};

use super::source::Expected;

/// How long to wait for a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// Finding the host and connecting to it.
    pub(crate) connect: Duration,
    /// Silence, before the answer or in the middle of it.
    pub(crate) silence: Duration,
    /// One whole request. What has arrived by then is kept, and the next request continues there.
    pub(crate) request: Duration,
}

/// Why a request did not bring the file.
pub(crate) enum Failure {
    /// It may be otherwise the next time.
    Passing(Error),
    /// This source does not have the file.
    Lasting(Error),
    /// This machine is at fault: no other source would help.
    Local(Error),
}

/// A client with these timeouts.
pub(crate) fn agent(timeouts: Timeouts) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("fashion-xtask/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(timeouts.connect))
        .timeout_connect(Some(timeouts.connect))
        .timeout_recv_response(Some(timeouts.silence))
        .timeout_per_read(Some(timeouts.silence))
        .timeout_global(Some(timeouts.request))
        .build()
        .into()
}

/// Requests what is missing in `part` and appends it.
///
/// On success `part` has the expected size and the answer tells whether all of it came from this
/// request. `progress` is called with the number of bytes in `part`.
pub(crate) fn request(
    agent: &ureq::Agent,
    url: &str,
    expected: &Expected,
    part: &Path,
    progress: &dyn Fn(u64),
) -> Result<bool, Failure> {
    let have = size_of(part).map_err(|error| local(error, part))?;
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let response = request.call().map_err(|error| {
        Failure::Passing(Error::new(error).context(format!("cannot get {url}")))
    })?;

    let start = match response.status() {
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT if starts_at(response.headers(), have) => have,
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => {
            std::fs::remove_file(part).map_err(|error| local(error, part))?;
            return Err(Failure::Passing(Error::msg(format!(
                "{url} did not continue at byte {have} as asked; starting over"
            ))));
        }
        status => return Err(refused(url, status)),
    };
    let left = expected.size.saturating_sub(start);
    if let Some(length) = content_length(response.headers())
        && length != left
    {
        return Err(Failure::Lasting(Error::msg(format!(
            "{url} has {} bytes, expected {}: it is another file",
            start + length,
            expected.size
        ))));
    }

    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(start == 0)
        .append(start > 0)
        .open(part)
        .map_err(|error| local(error, part))?;
    progress(start);
    let mut body = response.into_body().into_reader();
    let received = copy(&mut body, &mut file, left, &|written| progress(start + written));
    match received {
        Ok(written) if written == left => {
            file.sync_all().map_err(|error| local(error, part))?;
            Ok(start == 0)
        }
        Ok(written) if written > left => Err(Failure::Lasting(Error::msg(format!(
            "{url} has more than the expected {} bytes: it is another file",
            expected.size
        )))),
        Ok(written) => Err(Failure::Passing(Error::msg(format!(
            "{url} ended after {} of {} bytes",
            start + written,
            expected.size
        )))),
        Err(CopyError::Read(error)) => {
            Err(Failure::Passing(Error::new(error).context(format!("reading {url}"))))
        }
        Err(CopyError::Write(error)) => Err(local(error, part)),
    }
}

/// The size of a file, 0 where there is none.
pub(crate) fn size_of(path: &Path) -> io::Result<u64> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// An error of this machine's own about a path.
pub(crate) fn local(error: io::Error, path: &Path) -> Failure {
    Failure::Local(Error::new(error).context(format!("cannot work on {}", path.display())))
}

fn refused(url: &str, status: StatusCode) -> Failure {
    let error = Error::msg(format!("{url} answered {status}"));
    let passing = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    if passing { Failure::Passing(error) } else { Failure::Lasting(error) }
}

/// Whether a 206 answer begins at a byte (RFC 9110, section 14.4).
fn starts_at(headers: &HeaderMap, start: u64) -> bool {
    headers
        .get(header::CONTENT_RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().strip_prefix("bytes"))
        .and_then(|range| range.trim_start().split_once('-'))
        .is_some_and(|(first, _)| first.parse() == Ok(start))
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

/// Copies at most `limit` bytes and tells how many there were; one more than the limit means that
/// the source has more.
fn copy(
    source: &mut impl Read,
    target: &mut File,
    limit: u64,
    progress: &dyn Fn(u64),
) -> Result<u64, CopyError> {
    let mut buffer = vec![0; 64 * 1024];
    let mut written = 0;
    loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => return Ok(written),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        if written + read as u64 > limit {
            return Ok(limit + 1);
        }
        target.write_all(&buffer[..read]).map_err(CopyError::Write)?;
        written += read as u64;
        progress(written);
    }
}

/// Copies a file of a local folder to `part`.
pub(crate) fn copy_local(
    from: &Path,
    expected: &Expected,
    part: &Path,
    progress: &dyn Fn(u64),
) -> Result<(), Failure> {
    let unreadable = |error: io::Error| {
        Failure::Lasting(Error::new(error).context(format!("cannot read {}", from.display())))
    };
    let mut source = File::open(from).map_err(unreadable)?;
    let size = source.metadata().map_err(unreadable)?.len();
    if size != expected.size {
        return Err(Failure::Lasting(Error::msg(format!(
            "{} has {size} bytes, expected {}: it is another file",
            from.display(),
            expected.size
        ))));
    }
    let mut target = File::create(part).map_err(|error| local(error, part))?;
    match copy(&mut source, &mut target, size, progress) {
        Ok(_) => target.sync_all().map_err(|error| local(error, part)),
        Err(CopyError::Read(error)) => Err(unreadable(error)),
        Err(CopyError::Write(error)) => Err(local(error, part)),
    }
}
