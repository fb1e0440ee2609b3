//! Questions to the admin socket that cost the one who asks next to nothing: bytes out, bytes in.
//!
//! # Why
//! The typed client parses what it is answered; on a machine with two cores that would measure the
//! client. Here the length of an answer is all that is read of it.

use std::io;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// The largest answer that is read: a status is a few KiB.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A connection that asks the same question again and again.
pub(super) struct Asker {
    stream: UnixStream,
    question: Vec<u8>,
    answer: Vec<u8>,
}

impl Asker {
    /// Connects; asks nothing yet.
    pub(super) async fn connect(socket: &Path, path: &str) -> io::Result<Self> {
        Ok(Self {
            stream: UnixStream::connect(socket).await?,
            question: format!("GET {path} HTTP/1.1\r\nhost: domo\r\n\r\n").into_bytes(),
            answer: Vec::with_capacity(16 << 10),
        })
    }

    /// Asks once and reads the whole answer; one that is no success is an error.
    pub(super) async fn ask(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.question).await?;
        self.answer.clear();
        let whole = loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(whole) = whole_length(&self.answer)? {
                break whole;
            }
        };
        while self.answer.len() < whole {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}

/// How long an answer is, head and body, once its head is there.
fn whole_length(answer: &[u8]) -> io::Result<Option<usize>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") {
        let first = head.lines().next().unwrap_or_default();
        return Err(io::Error::other(format!("the node answered {first}")));
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    match length.and_then(|length| length.trim().parse::<usize>().ok()) {
        Some(length) if length <= MAX_ANSWER_BYTES => Ok(Some(end + 4 + length)),
        _ => Err(io::Error::other("the node's answer has no length")),
    }
}

#[cfg(test)]
mod tests {
    use super::whole_length;

    #[test]
    fn an_answer_is_as_long_as_its_head_says() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"a\"";
        assert_eq!(whole_length(answer).unwrap(), Some(38 + 5));
        assert_eq!(whole_length(&answer[..20]).unwrap(), None);
        assert!(whole_length(b"HTTP/1.1 503 Full\r\ncontent-length: 0\r\n\r\n").is_err());
    }
}
