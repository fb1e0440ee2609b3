//! Connections to the socket: kept alive between questions, replaced when they are lost.
//!
//! # Why
//! A connection that was idle may have been closed by the node at the very moment of the next
//! question. Reads, and commands under their request id, may be said twice: so they are, once, on
//! a new connection, before the loss is told to anyone.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::{ANSWER_LIMIT, ClientError};
use crate::admin::wire::{Code, ErrorBody, ErrorShape, REQUEST_ID};

/// Connections that are kept for the next question: as many as a busy program asks at once.
const MAX_IDLE: usize = 64;
/// The largest answer that is read whole: a case with its full history is some MiB.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// What is sent.
pub(super) type Sent = UnsyncBoxBody<Bytes, io::Error>;

/// A question, so that it can be said twice.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    method: Method,
    path: String,
    accept: Option<&'static str>,
    request_id: Option<String>,
    body: Bytes,
}

impl Asked {
    /// A question without a body.
    pub(super) fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            accept: None,
            request_id: None,
            body: Bytes::new(),
        }
    }

    /// The same with a body.
    pub(super) fn json(mut self, body: &impl Serialize) -> Result<Self, ClientError> {
        let json = serde_json::to_vec(body).map_err(|error| ClientError::NotUnderstood {
            why: error.to_string(),
        })?;
        self.body = json.into();
        Ok(self)
    }

    /// The same as a wish with a name.
    pub(super) fn wish(mut self, request_id: &str) -> Self {
        self.request_id = Some(request_id.to_owned());
        self
    }

    /// The same for an answer of that kind.
    pub(super) fn accept(mut self, kind: &'static str) -> Self {
        self.accept = Some(kind);
        self
    }

    fn request(&self) -> Result<Request<Sent>, ClientError> {
        let body = Full::new(self.body.clone()).map_err(|never| match never {});
        let mut request = Request::builder()
            .method(&self.method)
            .uri(&self.path)
            .header(header::HOST, "domo");
        if !self.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(kind) = self.accept {
            request = request.header(header::ACCEPT, kind);
        }
        if let Some(id) = &self.request_id {
            request = request.header(REQUEST_ID, id);
        }
        request
            .body(body.boxed_unsync())
            .map_err(|error| invalid(&error))
    }
}

/// A question that cannot be put into a request, as the node would have refused it.
pub(super) fn invalid(error: &hyper::http::Error) -> ClientError {
    let shape = ErrorShape::new(Code::Invalid, format!("this cannot be asked: {error}"));
    ClientError::refused(Code::Invalid.status(), shape)
}

/// Connections to one socket.
#[derive(Clone)]
pub(super) struct Connections {
    socket: Arc<PathBuf>,
    /// Who asks, where a token says it: the header's value.
    authorization: Option<Arc<str>>,
    idle: Arc<Mutex<Vec<SendRequest<Sent>>>>,
}

impl std::fmt::Debug for Connections {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

/// An answer whose body is still to be read, and the connection that it comes from.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    sender: SendRequest<Sent>,
}

/// How a question got lost.
enum Lost {
    /// Before it was sent.
    NoDaemon(io::Error),
    /// Afterwards.
    OnTheWay(hyper::Error),
}

impl Connections {
    pub(super) fn new(socket: PathBuf, token: Option<&str>) -> Self {
        let authorization = token.map(|token| format!("Bearer {token}").into());
        Self {
            socket: Arc::new(socket),
            authorization,
            idle: Arc::default(),
        }
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Asks, and reads the whole answer as JSON.
    pub(super) async fn answer<T: DeserializeOwned>(
        &self,
        asked: &Asked,
    ) -> Result<T, ClientError> {
        let bytes = self.bytes(asked).await?;
        understood(&bytes)
    }

    /// Asks, and reads the whole answer.
    pub(super) async fn bytes(&self, asked: &Asked) -> Result<Bytes, ClientError> {
        let whole = async {
            let answer = self.ask(asked).await?;
            self.whole(answer, asked.request_id.as_deref()).await
        };
        match timeout(ANSWER_LIMIT, whole).await {
            Ok(result) => result,
            Err(_) => Err(ClientError::Unknown {
                request_id: asked.request_id.clone(),
                why: format!("no answer within {} s", ANSWER_LIMIT.as_secs()),
            }),
        }
    }

    /// Asks for a stream: the answer's head has come, and it is a success.
    pub(super) async fn stream(&self, asked: &Asked) -> Result<Answer, ClientError> {
        let head = async {
            let answer = self.ask(asked).await?;
            self.success(answer).await
        };
        match timeout(ANSWER_LIMIT, head).await {
            Ok(result) => result,
            Err(_) => Err(self.unknown(asked.request_id.as_deref(), "no answer in time")),
        }
    }

    /// Sends a body that can be sent only once, on a connection of its own.
    pub(super) async fn send(&self, mut request: Request<Sent>) -> Result<Bytes, ClientError> {
        self.say_who(&mut request)?;
        let mut sender = self
            .connect()
            .await
            .map_err(|source| self.no_daemon(source))?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| self.unknown(None, &error.to_string()))?;
        self.whole(Answer { response, sender }, None).await
    }

    fn say_who(&self, request: &mut Request<Sent>) -> Result<(), ClientError> {
        if let Some(authorization) = &self.authorization {
            let value = header::HeaderValue::from_str(authorization);
            let mut value = value.map_err(|error| invalid(&error.into()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        Ok(())
    }

    async fn ask(&self, asked: &Asked) -> Result<Answer, ClientError> {
        let kept = self.take();
        let first = match kept {
            Some(sender) => self.say(sender, asked).await?,
            None => self.anew(asked).await?,
        };
        match first {
            Ok(answer) => return Ok(answer),
            Err(Lost::NoDaemon(source)) => return Err(self.no_daemon(source)),
            Err(Lost::OnTheWay(_)) => {}
        }
        match self.anew(asked).await? {
            Ok(answer) => Ok(answer),
            Err(Lost::NoDaemon(source)) if asked.request_id.is_none() => {
                Err(self.no_daemon(source))
            }
            Err(Lost::NoDaemon(source)) => Err(self.unknown(
                asked.request_id.as_deref(),
                &format!("the daemon is gone: {source}"),
            )),
            Err(Lost::OnTheWay(error)) => Err(self.unknown(
                asked.request_id.as_deref(),
                &format!("connection lost: {error}"),
            )),
        }
    }

    async fn anew(&self, asked: &Asked) -> Result<Result<Answer, Lost>, ClientError> {
        match self.connect().await {
            Ok(sender) => self.say(sender, asked).await,
            Err(error) => Ok(Err(Lost::NoDaemon(error))),
        }
    }

    async fn say(
        &self,
        mut sender: SendRequest<Sent>,
        asked: &Asked,
    ) -> Result<Result<Answer, Lost>, ClientError> {
        let mut request = asked.request()?;
        self.say_who(&mut request)?;
        Ok(match sender.send_request(request).await {
            Ok(response) => Ok(Answer { response, sender }),
            Err(error) => Err(Lost::OnTheWay(error)),
        })
    }

    async fn connect(&self) -> io::Result<SendRequest<Sent>> {
        let stream = UnixStream::connect(&*self.socket).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // It ends with the last of its sender and its answer.
        tokio::spawn(connection);
        Ok(sender)
    }

    /// Lets an answer through that is a success; reads any other.
    async fn success(&self, answer: Answer) -> Result<Answer, ClientError> {
        if answer.response.status().is_success() {
            return Ok(answer);
        }
        let status = answer.response.status().as_u16();
        let bytes = self.rest(answer, None).await?;
        let error = serde_json::from_slice::<ErrorBody>(&bytes)
            .map_or_else(|_| bare(status), |body| body.error);
        Err(ClientError::refused(status, error))
    }

    async fn whole(&self, answer: Answer, request_id: Option<&str>) -> Result<Bytes, ClientError> {
        let answer = self.success(answer).await?;
        self.rest(answer, request_id).await
    }

    /// Reads what is left of an answer and keeps its connection.
    async fn rest(&self, answer: Answer, request_id: Option<&str>) -> Result<Bytes, ClientError> {
        let Answer { response, sender } = answer;
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES);
        let bytes = body
            .collect()
            .await
            .map_err(|error| self.unknown(request_id, &format!("the answer broke off: {error}")))?
            .to_bytes();
        self.keep(sender);
        Ok(bytes)
    }

    fn take(&self) -> Option<SendRequest<Sent>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(sender) = idle.pop() {
            if !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }

    /// Keeps the connection of an answer that was read to its end.
    pub(super) fn keep_of(&self, answer: Option<Answer>) {
        if let Some(answer) = answer {
            self.keep(answer.sender);
        }
    }

    fn keep(&self, sender: SendRequest<Sent>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE && !sender.is_closed() {
            idle.push(sender);
        }
    }

    fn no_daemon(&self, source: io::Error) -> ClientError {
        ClientError::NoDaemon {
            socket: self.socket.to_path_buf(),
            source,
        }
    }

    #[expect(clippy::unused_self, reason = "reads as its siblings do")]
    fn unknown(&self, request_id: Option<&str>, why: &str) -> ClientError {
        ClientError::Unknown {
            request_id: request_id.map(str::to_owned),
            why: why.to_owned(),
        }
    }
}

/// Reads JSON.
pub(super) fn understood<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(bytes).map_err(|error| ClientError::NotUnderstood {
        why: error.to_string(),
    })
}

/// A refusal that came without a body: it was made before the request could be read.
fn bare(status: u16) -> ErrorShape {
    let (code, what) = match status {
        400 => (
            Code::Invalid,
            "the request is no HTTP request that the daemon understands",
        ),
        408 => (Code::TooSlow, "the request came too slowly"),
        414 | 431 => (Code::TooLarge, "the request's head is too large"),
        503 => (Code::Full, "the daemon has no room for the request"),
        _ => (Code::Unnamed, "the daemon refused without a word"),
    };
    ErrorShape::new(code, format!("{what} (HTTP {status})"))
}
