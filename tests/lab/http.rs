//! HTTP over the admin socket by hand: so that a test can also send what no client would.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

/// No answer takes longer; a stream that never ends is cut here.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code; 0 when there was none.
    pub status: u16,
    /// The head, as it came.
    pub head: String,
    /// The body, chunks put together.
    pub body: String,
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("no JSON: {why}: {self:?}"))
    }
}

/// Sends a request with a JSON body (an empty one is none) and reads the whole answer.
pub fn request(socket: &Path, method: &str, path: &str, body: &str) -> std::io::Result<Reply> {
    raw(socket, &written(method, path, None, body))
}

/// The same by a wish's name, and for so long.
///
/// A daemon that is not there is told apart: nothing was sent then.
pub fn wish(
    socket: &Path,
    (method, path): (&str, &str),
    request_id: Option<&str>,
    body: &str,
    limit: Duration,
) -> Result<Reply, Unanswered> {
    let stream = UnixStream::connect(socket).map_err(|_| Unanswered::NobodyThere)?;
    let bytes = written(method, path, request_id, body);
    let reply = talk(stream, &bytes, limit).map_err(|_| Unanswered::Unknown)?;
    let is_whole = reply.status != 0 && is_whole(&reply);
    is_whole.then_some(reply).ok_or(Unanswered::Unknown)
}

/// Sends so many hundredths of a wish, all of it from 100 on, and waits for nothing.
///
/// # Errors
/// When nobody listens: nothing was sent.
pub(crate) fn leave(
    socket: &Path,
    (method, path): (&str, &str),
    request_id: &str,
    body: &str,
    hundredths: usize,
) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    let bytes = written(method, path, Some(request_id), body);
    let said = (bytes.len() * hundredths / 100).min(bytes.len());
    // Whether it was heard is what nobody knows.
    stream.set_write_timeout(Some(ANSWER_LIMIT))?;
    stream.write_all(&bytes[..said]).ok();
    Ok(())
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Nobody listens: nothing was sent.
    NobodyThere,
    /// It was sent, and nobody knows what came of it.
    Unknown,
}

fn written(method: &str, path: &str, request_id: Option<&str>, body: &str) -> Vec<u8> {
    let id = request_id.map_or_else(String::new, |id| format!("request-id: {id}\r\n"));
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: domo\r\nconnection: close\r\n{id}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

/// Is the body as long as its head says, where it says so?
fn is_whole(reply: &Reply) -> bool {
    let head = reply.head.to_ascii_lowercase();
    let mut lines = head.lines();
    let said = lines.find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    said.is_none_or(|bytes: usize| reply.body.len() >= bytes)
}

/// Sends bytes as they are and reads until the other side has said everything.
pub fn raw(socket: &Path, bytes: &[u8]) -> std::io::Result<Reply> {
    talk(UnixStream::connect(socket)?, bytes, ANSWER_LIMIT)
}

fn talk(mut stream: UnixStream, bytes: &[u8], limit: Duration) -> std::io::Result<Reply> {
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    // A server that refuses early closes before everything is written; its answer counts.
    let written = stream.write_all(bytes);
    let mut said = Vec::new();
    let read = stream.read_to_end(&mut said);
    if said.is_empty() {
        written?;
        read?;
    }
    Ok(take_apart(&String::from_utf8_lossy(&said)))
}

fn take_apart(said: &str) -> Reply {
    let (head, body) = said.split_once("\r\n\r\n").unwrap_or((said, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let is_chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    Reply {
        status: status.unwrap_or(0),
        head: head.to_owned(),
        body: if is_chunked {
            put_together(body)
        } else {
            body.to_owned()
        },
    }
}

fn put_together(mut chunks: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some(chunk) = rest.get(..size).filter(|_| size > 0) else {
            break;
        };
        whole.push_str(chunk);
        chunks = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together() {
        let said =
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let reply = take_apart(said);
        assert_eq!((reply.status, reply.body.as_str()), (200, "abcde"));
    }
}
