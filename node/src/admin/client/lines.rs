//! A long answer, one JSON object a line, read as it comes.

use std::marker::PhantomData;

use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::{Bytes, Incoming};
use serde::de::DeserializeOwned;

use super::connection::{Answer, Asked, Connections, understood};
use super::{Client, ClientError};

/// The longest line: a closed case with its whole history.
const MAX_LINE_BYTES: usize = 64 << 20;

/// The lines of a long answer. Dropping it ends the stream; whoever reads it to its end gets its
/// connection used again.
pub struct Lines<T> {
    connections: Connections,
    /// None once it has come to its end.
    answer: Option<Answer>,
    unread: Vec<u8>,
    /// How much of `unread` is known to hold no line end.
    searched: usize,
    line: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Lines<T> {
    pub(super) async fn open(client: &Client, path: String) -> Result<Self, ClientError> {
        let connections = client.connections.clone();
        let answer = connections.stream(&Asked::new(Method::GET, path)).await?;
        Ok(Self {
            connections,
            answer: Some(answer),
            unread: Vec::new(),
            searched: 0,
            line: PhantomData,
        })
    }

    /// The next line; `None` at the end. May be dropped while it waits: nothing is lost.
    pub async fn next(&mut self) -> Result<Option<T>, ClientError> {
        loop {
            if let Some(line) = self.take_line() {
                return understood(&line).map(Some);
            }
            let Some(answer) = &mut self.answer else {
                return Ok(None);
            };
            match frame(answer.response.body_mut()).await? {
                Some(bytes) if self.unread.len() + bytes.len() <= MAX_LINE_BYTES => {
                    self.unread.extend_from_slice(&bytes);
                }
                Some(_) => {
                    return Err(ClientError::NotUnderstood {
                        why: format!("a line has more than {MAX_LINE_BYTES} bytes"),
                    });
                }
                None if self.unread.is_empty() => {
                    self.connections.keep_of(self.answer.take());
                }
                None => return Err(broken_off("in the middle of a line")),
            }
        }
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        let end = self.unread[self.searched..]
            .iter()
            .position(|byte| *byte == b'\n');
        let Some(end) = end else {
            self.searched = self.unread.len();
            return None;
        };
        let rest = self.unread.split_off(self.searched + end + 1);
        self.searched = 0;
        Some(std::mem::replace(&mut self.unread, rest))
    }
}

/// The next bytes of a body; `None` at its end.
pub(super) async fn frame(body: &mut Incoming) -> Result<Option<Bytes>, ClientError> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(error)) => return Err(broken_off(&error.to_string())),
            Some(Ok(frame)) => {
                // Trailers say nothing here.
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

fn broken_off(why: &str) -> ClientError {
    ClientError::Unknown {
        request_id: None,
        why: format!("the answer broke off: {why}"),
    }
}
