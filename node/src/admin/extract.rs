//! What a handler is given of a request: parts of the path, the query, the body; each refused in
//! the one shape when it is wrong.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use runtime::clock::{self, BootMs};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::desk::{Desk, Shared};
use super::limits;
use super::refused::{Answered, Refused};
use super::wire::Code;

/// The parts of the path that stand for names.
pub(super) struct PathOf<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Shared> for PathOf<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, desk: &Shared) -> Answered<Self> {
        let read = Path::from_request_parts(parts, desk).await;
        let Path(value) = read.map_err(|why| {
            Refused::new(
                Code::Invalid,
                format!("the path is not understood: {}", why.body_text()),
            )
        })?;
        Ok(Self(value))
    }
}

/// The query.
pub(super) struct QueryOf<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for QueryOf<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, desk: &Shared) -> Answered<Self> {
        let read = Query::from_request_parts(parts, desk).await;
        let Query(value) = read.map_err(|why| {
            let text = why.body_text();
            let text = text.trim_start_matches("Failed to deserialize query string: ");
            refused_field(&format!("the query is not understood: {text}"))
        })?;
        Ok(Self(value))
    }
}

/// The body as JSON; an empty one is `{}`.
pub(super) struct JsonOf<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Shared> for JsonOf<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, desk: &Shared) -> Answered<Self> {
        plain(request.headers())?;
        let limit = desk.limits.body_bytes;
        let too_large = || Refused::too_large("the body", "max_body_bytes", limit);
        let length = length(request.headers());
        let mut body = Paced::new(desk, request.into_body());
        if length.is_some_and(|length| length > limit) {
            body.drain().await;
            return Err(too_large());
        }
        let (mut bytes, mut room) = (Vec::new(), Vec::new());
        while let Some(piece) = body.next().await? {
            if (bytes.len() + piece.len()) as u64 > limit {
                body.drain().await;
                return Err(too_large());
            }
            match desk.body_room(piece.len() as u64) {
                Ok(place) => room.push(place),
                Err(refused) => {
                    body.drain().await;
                    return Err(refused);
                }
            }
            bytes.extend_from_slice(&piece);
        }
        parse(&bytes).map(Self)
    }
}

/// How many bytes the client announces.
pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Refuses bodies that are packed: what they grow to is not known before.
pub(super) fn plain(headers: &HeaderMap) -> Answered<()> {
    let packed = headers.get(header::CONTENT_ENCODING);
    if packed.is_none_or(|packing| packing == "identity") {
        return Ok(());
    }
    let refused = Refused::new(Code::WrongMedia, "packed bodies are not taken");
    Err(refused.hint("send it without Content-Encoding"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Answered<T> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    if let Err(error) = std::str::from_utf8(bytes) {
        let at = error.valid_up_to();
        let what =
            format!("the body is not UTF-8: the byte at offset {at} belongs to no character");
        return Err(Refused::new(Code::Invalid, what));
    }
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Data => refused_field(&format!("the body is not understood: {error}")),
        Category::Syntax | Category::Eof | Category::Io => {
            let refused = Refused::new(Code::Invalid, format!("the body is not JSON: {error}"));
            // The reader has no kind of error of its own for it.
            if error.to_string().starts_with("recursion limit") {
                return refused.limit("json_depth", limits::JSON_DEPTH);
            }
            refused
        }
    })
}

/// A refusal that says which known field was probably meant.
fn refused_field(message: &str) -> Refused {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let hint = match (message.contains("unknown field"), quoted.next()) {
        (true, Some(field)) => {
            config::near::nearest(field, quoted).map(|name| format!("did you mean `{name}`?"))
        }
        (_, _) => None,
    };
    let refused = Refused::new(Code::Invalid, message);
    match hint {
        Some(hint) => refused.hint(hint),
        None => refused,
    }
}

/// A body that must come on: each piece, and all of them on the whole.
pub(super) struct Paced {
    body: Body,
    standstill: Duration,
    has_failed: bool,
    begun: BootMs,
    bytes: u64,
}

impl Paced {
    pub(super) fn new(desk: &Desk, body: Body) -> Self {
        Self {
            body,
            standstill: desk.limits.body_standstill,
            has_failed: false,
            begun: clock::boot(),
            bytes: 0,
        }
    }

    /// The next piece; none at the end.
    pub(super) async fn next(&mut self) -> Answered<Option<axum::body::Bytes>> {
        let piece = self.piece().await;
        self.has_failed |= piece.is_err();
        piece
    }

    async fn piece(&mut self) -> Answered<Option<axum::body::Bytes>> {
        loop {
            let frame = tokio::time::timeout(self.standstill, self.body.frame()).await;
            let frame = match frame {
                Err(_) => return Err(self.too_slow()),
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => {
                    let what = format!("the body broke off: {error}");
                    return Err(Refused::new(Code::Invalid, what));
                }
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(piece) = frame.into_data() else {
                continue;
            };
            self.bytes += piece.len() as u64;
            let spent = clock::boot().since(self.begun);
            let patience =
                self.standstill + Duration::from_secs(self.bytes / limits::SLOWEST_BODY_BYTES);
            if spent > patience {
                return Err(self.too_slow());
            }
            return Ok(Some(piece));
        }
    }

    fn too_slow(&self) -> Refused {
        let ms = self.standstill.as_millis();
        let what = format!("the body stood still or crept for {ms} ms");
        Refused::new(Code::TooSlow, what)
            .hint("send it without pauses; write what comes slowly to a file first")
    }

    /// Takes the rest off the line, within bounds, so that the client comes to reading the refusal.
    pub(super) async fn drain(&mut self) {
        if self.has_failed {
            return;
        }
        let drained = async {
            let mut bytes = 0;
            while let Some(Ok(frame)) = self.body.frame().await {
                bytes += frame.data_ref().map_or(0, |piece| piece.len() as u64);
                if bytes > limits::DRAIN_BYTES {
                    return;
                }
            }
        };
        if tokio::time::timeout(limits::DRAIN_TIME, drained)
            .await
            .is_err()
        {
            tracing::debug!("a refused body went on for too long");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::OpenCase;
    use super::{Code, parse};

    #[test]
    fn an_unknown_field_is_refused_and_the_nearest_known_one_named() {
        let refused = parse::<OpenCase>(br#"{"brief": "x", "tema": "sre"}"#).unwrap_err();
        assert_eq!(refused.0.code, Code::Invalid);
        assert_eq!(refused.0.hint.as_deref(), Some("did you mean `team`?"));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for (body, wanted) in [
            (&b"{\"brief\": \"\xff\"}"[..], "byte at offset 11"),
            (b"{\"brief\": 1}", "expected a string"),
            (b"{\"brief\": \"x\"", "EOF"),
            (b"", "missing field `brief`"),
        ] {
            let refused = parse::<OpenCase>(body).unwrap_err();
            assert!(refused.0.message.contains(wanted), "{}", refused.0.message);
        }
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        let refused = parse::<serde_json::Value>(&deep).unwrap_err();
        assert!(
            refused.0.message.contains("recursion limit"),
            "{}",
            refused.0.message
        );
    }
}
