//! An HTTP server on loopback that behaves as badly as a test asks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// A request as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The path with its first `/`.
    pub(crate) path: String,
    /// The first byte asked for by a `Range` header.
    pub(crate) from: Option<usize>,
}

/// How to answer.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// These bytes, from the one asked for.
    Well(Vec<u8>),
    /// As `Well`, but the connection ends after so many bytes of body.
    Cut(Vec<u8>, usize),
    /// As `Well`, but the server falls silent after so many bytes of body.
    Stall(Vec<u8>, usize),
    /// These bytes from the first on, whatever was asked for; the connection ends after so many.
    IgnoreRange(Vec<u8>, usize),
    /// A 206 that begins elsewhere than asked.
    WrongRange(Vec<u8>),
    /// These bytes without saying how many they are.
    Unannounced(Vec<u8>),
    /// An error status.
    Status(u16),
    /// Another place.
    Redirect(String),
    /// Nothing, with the connection kept open.
    Silence,
}

type Script = dyn Fn(usize, &Request) -> Answer + Send + Sync;

/// The server. It stops when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server whose script gets the number of earlier requests and the request.
    pub(crate) fn start(
        script: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let script: Arc<Script> = Arc::new(script);
        let (log, stopped) = (Arc::clone(&requests), Arc::clone(&stop));
        let listener = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (log, script) = (Arc::clone(&log), Arc::clone(&script));
                thread::spawn(move || serve(&stream.unwrap(), &log, script.as_ref()));
            }
        });
        Self { address, requests, stop, listener: Some(listener) }
    }

    /// The address of its root folder.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

fn serve(mut stream: &TcpStream, log: &Mutex<Vec<Request>>, script: &Script) {
    let Some(request) = read_request(stream) else { return };
    let answer = {
        let mut log = log.lock().unwrap();
        let answer = script(log.len(), &request);
        log.push(request.clone());
        answer
    };
    let from = request.from.unwrap_or(0);
    // A client that has seen enough hangs up, which is no fault of the server's.
    let _ = match answer {
        Answer::Well(bytes) => send(stream, &bytes, from, usize::MAX),
        Answer::Cut(bytes, after) => send(stream, &bytes, from, after),
        Answer::Stall(bytes, after) => {
            send(stream, &bytes, from, after).and_then(|()| wait_for_hangup(stream))
        }
        Answer::IgnoreRange(bytes, after) => send(stream, &bytes, 0, after),
        Answer::WrongRange(bytes) => send(stream, &bytes, from + 1, usize::MAX),
        Answer::Unannounced(bytes) => stream
            .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            .and_then(|()| stream.write_all(&bytes)),
        Answer::Status(status) => write!(
            stream,
            "HTTP/1.1 {status} No\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
        ),
        Answer::Redirect(to) => write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
        Answer::Silence => wait_for_hangup(stream),
    };
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let mut from = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some(range) = line.to_lowercase().strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok();
        }
    }
    Some(Request { path, from })
}

fn send(mut stream: &TcpStream, bytes: &[u8], from: usize, cut: usize) -> std::io::Result<()> {
    if from >= bytes.len() && from > 0 {
        return stream
            .write_all(b"HTTP/1.1 416 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let body = &bytes[from..];
    let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len())?;
    if from > 0 {
        write!(stream, "Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len())?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&body[..cut.min(body.len())])
}

fn wait_for_hangup(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.read_to_end(&mut Vec::new()).map(|_| ())
}
