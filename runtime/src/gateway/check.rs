//! Trying a target: whether it can be reached from this node, step by step.

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::HeaderMap;
use rules::target::{Class, Target};
use tokio::time::timeout;

use super::Gateway;
use super::carry::{self, Sending};

/// What was found at one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The step: `secret`, `connection`, `answer`.
    pub step: &'static str,
    /// Whether it went well.
    pub is_good: bool,
    /// What was seen.
    pub says: String,
}

/// All that was found.
pub type Checked = Vec<Finding>;

impl Gateway {
    /// Tries a target: its secret, its address, and what it answers to `GET path` or `HEAD path`
    /// where that only reads. Stops at the first step that fails.
    pub async fn check(&self, target: &Target, path: &str) -> Checked {
        let mut found = Checked::new();
        let mut say = |step, seen: Result<String, String>| {
            let is_good = seen.is_ok();
            let (Ok(says) | Err(says)) = seen;
            found.push(Finding {
                step,
                is_good,
                says,
            });
            is_good
        };
        let secret = carry::secret(&self.0, target);
        let told = match &secret {
            Ok(Some(secret)) => Ok(format!("this node has it, for header {}", secret.header())),
            Ok(None) => Ok("none is needed".to_owned()),
            Err(refusal) => Err(refusal.message.clone()),
        };
        let (true, Ok(secret)) = (say("secret", told), secret) else {
            return found;
        };
        let limit = self.0.bounds.connect_limit;
        let opened = timeout(limit, self.0.ways.open(&target.address)).await;
        let opened = opened.unwrap_or_else(|_| {
            let limit = limit.as_secs_f64();
            Err(format!("no connection within {limit} s"))
        });
        let told = opened.map(|_| format!("{} is reached", target.address));
        if !say("connection", told) {
            return found;
        }
        let reads = |method: &Method| target.class(method.as_str()) == Class::Read;
        let Some(method) = [Method::GET, Method::HEAD].into_iter().find(reads) else {
            return found;
        };
        let sending = Sending {
            target,
            method: &method,
            path,
            headers: &HeaderMap::new(),
            body: Bytes::new(),
            key: None,
        };
        let told = match carry::send(&self.0, sending, secret.as_ref()).await {
            Ok(arrived) => {
                let status = arrived.response.status();
                let says = format!("{method} {path}: {status}");
                match status.as_u16() {
                    401 | 403 => Err(format!(
                        "{says}: it does not accept the secret, or asks for one"
                    )),
                    500.. => Err(says),
                    _ => Ok(says),
                }
            }
            Err(no_answer) => Err(no_answer.why),
        };
        say("answer", told);
        found
    }
}
