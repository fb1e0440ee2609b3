//! What an agent asks, read off its request: `METHOD /targets/NAME/path?query`.
//!
//! # Why
//! The target stands in the path and not in `Host`, so that one base address is all that any
//! client library must be told; everything else below it is the target's own. What could be read
//! in two ways, here and at the target, is refused and not mended.

use hyper::Method;
use hyper::header::{HeaderMap, UPGRADE};
use hyper::http::request::Parts;
use rules::id::TargetName;

use super::bounds::OWN_KEY_BYTES;
use super::refusal::{Code, Refusal};

/// Below this the targets are.
pub(super) const TARGETS: &str = "/targets/";
/// The header with an agent's own name for an effect, and the effect's key at the target.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What is asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) target: TargetName,
    pub(super) method: Method,
    /// Path and query as the target gets them.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    /// What the agent itself calls the effect.
    pub(super) own_key: Option<String>,
}

fn bad<T>(why: &str) -> Result<T, Refusal> {
    Err(Refusal::new(Code::BadRequest, why))
}

/// Reads a request's head.
pub(super) fn read(parts: Parts) -> Result<Asked, Refusal> {
    let Parts {
        method,
        uri,
        headers,
        ..
    } = parts;
    if method == Method::CONNECT {
        return bad("CONNECT opens a way that nobody sees: ask /targets/NAME/path");
    }
    if !method
        .as_str()
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte == b'-')
    {
        return bad("a method is a word in capital letters");
    }
    if uri.scheme().is_some() || uri.authority().is_some() {
        return bad("the gateway is no proxy: ask /targets/NAME/path");
    }
    if headers.contains_key(UPGRADE) {
        return bad("other protocols than HTTP are not carried");
    }
    let Some((name, rest)) = uri.path().strip_prefix(TARGETS).map(split) else {
        return bad("ask /targets/NAME/path");
    };
    let target = TargetName::new(name);
    let target = target.map_err(|why| Refusal::new(Code::BadRequest, format!("target: {why}")))?;
    plain(rest)?;
    let path = match uri.query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    };
    Ok(Asked {
        target,
        method,
        path,
        own_key: own_key(&headers)?,
        headers,
    })
}

/// The target's name, and the path below it.
fn split(below: &str) -> (&str, &str) {
    match below.find('/') {
        Some(at) => below.split_at(at),
        None => (below, "/"),
    }
}

/// Refuses paths that lead up, however they are written.
fn plain(path: &str) -> Result<(), Refusal> {
    if path.contains('\\') {
        return bad("a path has no backslash");
    }
    let is_up = |part: &str| {
        let dots = part.to_ascii_lowercase().replace("%2e", ".");
        dots == "." || dots == ".."
    };
    let lower = path.to_ascii_lowercase();
    if lower.contains("%00") || lower.contains("%5c") {
        return bad("a path has no zero byte and no backslash");
    }
    if lower.replace("%2f", "/").split('/').any(is_up) {
        return bad("a path does not lead up: leave `.` and `..` out");
    }
    Ok(())
}

fn own_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = given.next() else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default();
    let fits = (1..=OWN_KEY_BYTES).contains(&key.len()) && given.next().is_none();
    if !fits {
        return bad("Idempotency-Key is given once, with 1 to 255 visible characters");
    }
    Ok(Some(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &str, uri: &str, key: Option<&str>) -> Result<Asked, Refusal> {
        let mut request = hyper::Request::builder().method(method).uri(uri);
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        read(request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_target_stands_first_and_the_rest_is_its_own() {
        let asked = ask("POST", "/targets/kube/api/v1/pods?limit=5", Some("k")).unwrap();
        assert_eq!(asked.target.as_str(), "kube");
        assert_eq!(asked.path, "/api/v1/pods?limit=5");
        assert_eq!(asked.own_key.as_deref(), Some("k"));
        assert_eq!(ask("GET", "/targets/kube", None).unwrap().path, "/");
        assert_eq!(
            ask("GET", "/targets/kube/a%2Fb", None).unwrap().path,
            "/a%2Fb"
        );
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (method, uri) in [
            ("CONNECT", "mail.example:25"),
            ("GET", "http://mail.example/targets/kube/"),
            ("GET", "/"),
            ("GET", "/kube/api"),
            ("GET", "/targets//api"),
            ("GET", "/targets/KUBE/api"),
            ("GET", "/targets/kube/../mail/"),
            ("GET", "/targets/kube/a/%2e%2E/b"),
            ("GET", "/targets/kube/a%2f..%2fb"),
            ("GET", "/targets/kube/a/./b"),
            ("GET", "/targets/kube/a%5cb"),
            ("GET", "/targets/kube/a%00"),
            ("get", "/targets/kube/"),
        ] {
            let refused = ask(method, uri, None).unwrap_err();
            assert_eq!(refused.code, Code::BadRequest, "{method} {uri}");
        }
        assert!(ask("GET", "/targets/kube/", Some("")).is_err());
        assert!(ask("GET", "/targets/kube/", Some(&"k".repeat(256))).is_err());
    }
}
