//! An agent at its socket: it says bytes and reads what comes back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use runtime::spool::{AttemptName, SOCKET, Spool, TOKEN};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::house::PATIENCE;

/// An agent.
#[derive(Clone)]
pub struct Agent {
    socket: PathBuf,
    pub token: String,
}

/// What it was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    pub fn read(bytes: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers = lines.filter_map(|line| line.split_once(": "));
        Answer {
            status: status.and_then(|code| code.parse().ok()).unwrap_or(0),
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    /// By which code it was refused.
    pub fn refused(&self) -> &str {
        self.headers
            .get("majordomo-refusal")
            .map_or("", String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Agent {
    pub fn at(spool: &Spool, name: &AttemptName) -> Agent {
        let token = std::fs::read_to_string(spool.in_folder(name).join(TOKEN));
        Agent {
            socket: spool.gateway_folder(name).join(SOCKET),
            token: token.unwrap(),
        }
    }

    /// A line to the gateway.
    pub async fn line(&self) -> UnixStream {
        UnixStream::connect(&self.socket).await.unwrap()
    }

    /// A request as it goes over the line.
    pub fn request(&self, method: &str, path: &str, more: &str, body: &str) -> String {
        let (token, length) = (&self.token, body.len());
        format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{more}\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    }

    /// Asks target `kube`.
    pub async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, "", body).await
    }

    /// The same under the agent's own key.
    pub async fn ask_as(&self, key: &str, method: &str, path: &str, body: &str) -> Answer {
        let header = format!("idempotency-key: {key}\r\n");
        self.ask_with(method, path, &header, body).await
    }

    async fn ask_with(&self, method: &str, path: &str, more: &str, body: &str) -> Answer {
        let path = format!("/targets/kube{path}");
        let request = self.request(method, &path, more, body);
        self.say(request.as_bytes()).await
    }

    /// Says bytes, and reads until the line is closed.
    pub async fn say(&self, bytes: &[u8]) -> Answer {
        let mut line = self.line().await;
        // Whoever refuses early may close before all is said.
        let _ = line.write_all(bytes).await;
        let mut heard = Vec::new();
        let read = tokio::time::timeout(PATIENCE, line.read_to_end(&mut heard)).await;
        assert!(
            read.is_ok(),
            "no end of {}",
            String::from_utf8_lossy(&heard)
        );
        Answer::read(&heard)
    }
}
