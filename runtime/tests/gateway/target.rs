//! A target that counts what reaches it, and answers as its paths say.
//!
//! ```text
//! /done    201            /break   closes without an answer        /hold   answers when it is told
//! /fail    503            /stream  a piece, and no end             /to?X   leads to X
//! ```
//! Under one `Idempotency-Key` something is done once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use runtime::clock::Deadline;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use super::house::PATIENCE;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub head: String,
    pub body: String,
}

impl Arrived {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut lines = self.head.lines();
        lines.find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }
}

#[derive(Default)]
struct Seen {
    arrived: Vec<Arrived>,
    keys: BTreeSet<String>,
    done: usize,
    cut: usize,
}

#[derive(Clone)]
pub struct Counting {
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
    changed: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Counting {
    pub async fn open() -> Counting {
        Counting::listening(None).await
    }

    /// One that speaks TLS.
    pub async fn secure(config: Arc<ServerConfig>) -> Counting {
        Counting::listening(Some(TlsAcceptor::from(config))).await
    }

    async fn listening(tls: Option<TlsAcceptor>) -> Counting {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let counting = Counting {
            port: listener.local_addr().unwrap().port(),
            seen: Arc::default(),
            changed: Arc::default(),
            go_on: Arc::default(),
        };
        let serving = counting.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, tls) = (serving.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serving.serve(stream).await,
                        // A client that does not trust the certificate goes away.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serving.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        counting
    }

    /// Whoever is held is answered.
    pub fn go_on(&self) {
        self.go_on.notify_waiters();
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.seen.lock().unwrap().arrived.clone()
    }

    /// How often something was done.
    pub fn done(&self) -> usize {
        self.seen.lock().unwrap().done
    }

    /// Waits until so many requests have arrived.
    pub async fn until_arrived(&self, count: usize) {
        self.until("arrived", |seen| seen.arrived.len() >= count)
            .await;
    }

    /// Waits until so many streams were cut.
    pub async fn until_cut(&self, count: usize) {
        self.until("cut", |seen| seen.cut >= count).await;
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Seen) -> bool) {
        let deadline = Deadline::after(PATIENCE);
        loop {
            let changed = self.changed.notified();
            if is_so(&self.seen.lock().unwrap()) {
                return;
            }
            let waited = tokio::time::timeout(deadline.left(), changed).await;
            assert!(waited.is_ok(), "never so: {what}");
        }
    }

    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap());
        self.changed.notify_waiters();
    }

    async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Some(arrived) = read(&mut stream).await else {
            return;
        };
        let first = arrived.head.lines().next().unwrap_or_default().to_owned();
        let mut words = first.split(' ');
        let (method, path) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let (method, path) = (method.to_owned(), path.to_owned());
        let key = arrived.header("idempotency-key");
        let held = self.go_on.notified();
        self.note(|seen| {
            seen.arrived.push(arrived);
            let is_new = key.is_none_or(|key| seen.keys.insert(key));
            seen.done += usize::from(is_new && method != "GET");
        });
        let plain = |status: &str, more: &str, body: &str| {
            let length = body.len();
            format!("HTTP/1.1 {status}\r\n{more}content-length: {length}\r\n\r\n{body}")
        };
        let answer = match path.split('?').next().unwrap_or_default() {
            "/break" => return,
            "/hold" => {
                held.await;
                plain("200 OK", "", "at last")
            }
            "/fail" => plain("503 Service Unavailable", "", "not now"),
            "/to" => {
                let to = path.split_once('?').map_or("", |(_, to)| to);
                plain("302 Found", &format!("location: {to}\r\n"), "")
            }
            "/stream" => {
                let piece = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
                let _ = stream.write_all(piece.as_bytes()).await;
                // It ends when the other end does.
                let _ = stream.read(&mut [0; 1]).await;
                self.note(|seen| seen.cut += 1);
                return;
            }
            _ => plain("201 Created", "x-own: yes\r\n", "made"),
        };
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Arrived> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let arrived = Arrived {
                head: head.to_owned(),
                body: body.to_owned(),
            };
            let length = arrived.header("content-length");
            let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return Some(arrived);
            }
        }
        let count = stream
            .read(&mut piece)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
    }
}
