//! To a target and back: what is left out and added on each way.
//!
//! # Invariant
//! An agent's token and this node's secrets go one way each: the token never to a target, a secret
//! never to an agent. A request is framed anew from what was read of it.

use std::sync::atomic::Ordering;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue,
    LOCATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rules::effect::EffectKey;
use rules::target::{Address, Target};
use tokio::time::timeout;

use super::Shared;
use super::asked::{IDEMPOTENCY_KEY, TARGETS};
use super::body::Driven;
use super::refusal::{Code, Refusal};
use super::secrets::Secret;

/// What is sent to a target.
pub(super) struct Sending<'a> {
    pub(super) target: &'a Target,
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: Bytes,
    /// The effect that it is, where the target shall know it by its key.
    pub(super) key: Option<&'a EffectKey>,
}

/// A target's answer, and what drives the line that it comes over.
pub(super) struct Arrived {
    pub(super) response: Response<Incoming>,
    pub(super) driven: Driven,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoAnswer {
    /// Whether a byte of the request may have left.
    pub(super) may_have_left: bool,
    pub(super) why: String,
}

impl NoAnswer {
    fn unsent(why: impl Into<String>) -> Self {
        Self {
            may_have_left: false,
            why: why.into(),
        }
    }

    /// As a refusal.
    pub(super) fn refusal(self) -> Refusal {
        let code = if self.may_have_left {
            Code::Unanswered
        } else {
            Code::Unreached
        };
        Refusal::new(code, self.why)
    }
}

/// The secret of a target, where it needs one.
pub(super) fn secret(shared: &Shared, target: &Target) -> Result<Option<Secret>, Refusal> {
    let name = &target.name;
    match shared.secrets.of(name) {
        Ok(None) if target.needs_secret => {
            let why = format!("this node does not have the secret of target {name}");
            Err(Refusal::new(Code::NoSecret, why))
        }
        Ok(found) => Ok(found),
        Err(why) => Err(Refusal::new(Code::NoSecret, why.to_string())),
    }
}

/// Sends a request and waits for the head of its answer.
pub(super) async fn send(
    shared: &Shared,
    sending: Sending<'_>,
    secret: Option<&Secret>,
) -> Result<Arrived, NoAnswer> {
    let bounds = &shared.bounds;
    let address = &sending.target.address;
    let opened = timeout(bounds.connect_limit, shared.ways.open(address)).await;
    let Ok(line) = opened else {
        let limit = bounds.connect_limit.as_secs_f64();
        let why = format!("no connection to {address} within {limit} s");
        return Err(NoAnswer::unsent(why));
    };
    let line = line.map_err(NoAnswer::unsent)?;
    let is_used = line.is_used();
    let no_answer = |why: String| NoAnswer {
        may_have_left: is_used.load(Ordering::SeqCst),
        why,
    };
    let request = request(sending, secret).map_err(NoAnswer::unsent)?;
    let shaken = http1::handshake(TokioIo::new(line)).await;
    let (mut sender, driving) = shaken.map_err(|error| no_answer(error.to_string()))?;
    let driven = Driven(tokio::spawn(driving).abort_handle());
    let answered = timeout(bounds.answer_limit, sender.send_request(request)).await;
    match answered {
        Ok(Ok(response)) => Ok(Arrived { response, driven }),
        Ok(Err(error)) => Err(no_answer(format!("the target broke off: {error}"))),
        Err(_) => {
            let limit = bounds.answer_limit.as_secs_f64();
            Err(no_answer(format!(
                "the target did not answer within {limit} s"
            )))
        }
    }
}

fn request(sending: Sending<'_>, secret: Option<&Secret>) -> Result<Request<Full<Bytes>>, String> {
    let mut request = Request::new(Full::new(sending.body));
    request.method_mut().clone_from(sending.method);
    *request.uri_mut() = sending.path.parse::<Uri>().map_err(|why| why.to_string())?;
    let headers = request.headers_mut();
    *headers = sending.headers.clone();
    for name in of_the_line(headers) {
        headers.remove(name);
    }
    for name in [AUTHORIZATION, CONTENT_LENGTH, EXPECT, HOST] {
        headers.remove(name);
    }
    headers.remove(IDEMPOTENCY_KEY);
    let host = HeaderValue::from_str(&host(&sending.target.address));
    headers.insert(HOST, host.map_err(|why| why.to_string())?);
    if let Some(key) = sending.key {
        let key = HeaderValue::from_str(key.as_str()).map_err(|why| why.to_string())?;
        headers.insert(HeaderName::from_static(IDEMPOTENCY_KEY), key);
    }
    if let Some(secret) = secret {
        headers.insert(secret.header().clone(), secret.value().clone());
    }
    Ok(request)
}

/// Headers that are about one line and not about what it carries.
fn of_the_line(headers: &HeaderMap) -> Vec<HeaderName> {
    let named = headers.get_all(CONNECTION).iter();
    let named = named.filter_map(|value| value.to_str().ok());
    let named = named.flat_map(|names| names.split(','));
    let named = named.filter_map(|name| name.trim().parse().ok());
    let others = [
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
    ];
    named
        .chain(others.map(HeaderName::from_static))
        .chain([CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE])
        .collect()
}

fn host(address: &Address) -> String {
    let usual = match address.scheme.as_str() {
        "https" => 443,
        _ => 80,
    };
    if address.port == usual {
        return address.host.clone();
    }
    format!("{}:{}", address.host, address.port)
}

/// The head of an answer as the agent gets it: without what is about the line, and leading nowhere
/// but through the gateway.
pub(super) fn head(target: &Target, arrived: &mut Response<Incoming>) -> Result<(), Refusal> {
    let headers = arrived.headers_mut();
    for name in of_the_line(headers) {
        headers.remove(name);
    }
    headers.remove(super::refusal::REFUSAL);
    headers.remove(super::refusal::EFFECT);
    if let Some(leads) = headers.get(LOCATION) {
        let leads = leads.to_str().unwrap_or_default();
        let leads = location(target, leads).ok_or_else(|| {
            let why = format!(
                "target {} leads to somewhere else, which is not followed",
                target.name
            );
            Refusal::new(Code::Elsewhere, why)
        })?;
        if let Ok(leads) = HeaderValue::from_str(&leads) {
            headers.insert(LOCATION, leads);
        }
    }
    Ok(())
}

/// Where a target leads, as a way through the gateway; none where it leads away from itself.
fn location(target: &Target, leads: &str) -> Option<String> {
    let within = |path: &str| Some(format!("{TARGETS}{}{path}", target.name));
    if leads.contains('\\') {
        return None;
    }
    if leads.starts_with('/') {
        return (!leads.starts_with("//")).then(|| within(leads)).flatten();
    }
    let first = leads.split(['/', '?', '#']).next().unwrap_or_default();
    if !first.contains(':') {
        let is_up = leads.split(['/', '?', '#']).any(|part| part == "..");
        return (!is_up).then(|| leads.to_owned());
    }
    let uri: Uri = leads.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let address = &target.address;
    let usual = if scheme == "https" { 443 } else { 80 };
    let is_itself = scheme == address.scheme
        && authority.host().eq_ignore_ascii_case(&address.host)
        && authority.port_u16().unwrap_or(usual) == address.port
        && !authority.as_str().contains('@');
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    is_itself.then(|| within(path)).flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn target() -> Target {
        Target {
            name: rules::id::TargetName::new("kube").unwrap(),
            address: "https://kube.example:6443".parse().unwrap(),
            methods: BTreeMap::new(),
            teams: BTreeSet::new(),
            needs_secret: false,
        }
    }

    #[test]
    fn a_target_leads_through_the_gateway_or_nowhere() {
        for (leads, way) in [
            ("/a?b=1", Some("/targets/kube/a?b=1")),
            ("https://kube.example:6443/a", Some("/targets/kube/a")),
            ("https://KUBE.example:6443", Some("/targets/kube/")),
            ("next", Some("next")),
            ("https://kube.example/a", None),
            ("http://kube.example:6443/a", None),
            ("https://mail.example:6443/a", None),
            ("https://kube.example:6443@mail.example/a", None),
            ("//mail.example/a", None),
            ("../../mail/a", None),
            ("mailto:sam", None),
            ("/\\mail.example", None),
        ] {
            assert_eq!(location(&target(), leads).as_deref(), way, "{leads}");
        }
    }

    #[test]
    fn what_is_sent_has_the_targets_secret_and_nothing_of_the_agents() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer of-the-agent"),
            ("idempotency-key", "own"),
            ("connection", "close, x-private"),
            ("x-private", "1"),
            ("x-api-key", "forged"),
            ("host", "mail.example"),
            ("content-length", "999"),
            ("accept", "*/*"),
        ] {
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        let key: EffectKey = "c-1.fix.k1".parse().unwrap();
        let secret = Secret::new(Some("x-api-key"), "real").unwrap();
        let target = target();
        let sending = Sending {
            target: &target,
            method: &Method::PUT,
            path: "/a?b",
            headers: &headers,
            body: Bytes::new(),
            key: Some(&key),
        };
        let request = request(sending, Some(&secret)).unwrap();
        let mut sent: Vec<String> = request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        sent.sort();
        let wanted = [
            "accept: */*",
            "host: kube.example:6443",
            "idempotency-key: c-1.fix.k1",
            "x-api-key: real",
        ];
        assert_eq!(sent, wanted);
        assert_eq!(request.uri(), "/a?b");
    }
}
