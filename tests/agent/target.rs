//! A target of agents: writes down, durably, all that reaches it before it answers.
//!
//! ```text
//! FOLDER/port       where it listens
//! FOLDER/requests   a line for each request: method, path, Idempotency-Key, Authorization, body
//! FOLDER/go         whoever asks /hold is answered once it is there; whoever asks /tell, a moment later
//! ```

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

/// The argument that makes this program a target.
pub const TARGET: &str = "--target";
/// How often it is looked whether a held request may go on.
const HOLD_STEP: Duration = Duration::from_millis(20);

/// How long whoever tells something waits for the answer.
const TELL_DELAY: Duration = Duration::from_millis(60);

/// Serves for ever, at a free port of an address.
pub fn serve(folder: &Path, address: &str) -> io::Result<()> {
    let listener = TcpListener::bind((address, 0))?;
    let port = listener.local_addr()?.port();
    fs::write(folder.join("port.new"), port.to_string())?;
    fs::rename(folder.join("port.new"), folder.join("port"))?;
    loop {
        let (stream, _) = listener.accept()?;
        let folder = folder.to_owned();
        std::thread::spawn(move || answer(stream, &folder));
    }
}

fn answer(mut stream: TcpStream, folder: &Path) -> io::Result<()> {
    let (head, body) = read(&mut stream)?;
    let first = head.lines().next().unwrap_or_default();
    let mut words = first.split(' ').map(str::to_owned);
    let method = words.next().unwrap_or_default();
    let path = words.next().unwrap_or_default();
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("-", |(_, value)| value).to_owned()
    };
    let (key, who) = (header("idempotency-key"), header("authorization"));
    let mut requests = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("requests"))?;
    let line = format!("{method}\t{path}\t{key}\t{who}\t{body}\n");
    requests.write_all(line.as_bytes())?;
    requests.sync_all()?;
    while path.starts_with("/hold") && !folder.join("go").exists() {
        std::thread::sleep(HOLD_STEP);
    }
    if path.starts_with("/tell") {
        // Between what happened and its answer there is time for something to break.
        std::thread::sleep(TELL_DELAY);
    }
    let stream_on = path.starts_with("/stream");
    if stream_on {
        let piece = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
        stream.write_all(piece.as_bytes())?;
        // It ends when the other end does.
        let _ = stream.read(&mut [0; 1]);
        return fs::write(folder.join("cut"), "");
    }
    stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\nmade")
}

fn read(stream: &mut TcpStream) -> io::Result<(String, String)> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase();
            let length = length
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Ok((head.to_owned(), body.to_owned()));
            }
        }
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}
