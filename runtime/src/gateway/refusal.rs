//! Why the gateway did not do as it was asked, in a shape that programs can read.
//!
//! # Invariant
//! A refusal is told from a target's own answer by its header `majordomo-refusal`.

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use rules::effect::EffectKey;
use serde_json::json;

use super::body::{Body, whole};

/// The header that says by which code the gateway refused.
pub const REFUSAL: &str = "majordomo-refusal";
/// The header that names the effect.
pub const EFFECT: &str = "majordomo-effect";

/// The kinds of refusals; what to do differs for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// No token, or not this attempt's.
    BadToken,
    /// Not a request that the gateway carries.
    BadRequest,
    /// Larger or more than a limit.
    Limit,
    /// The attempt is not, or no longer, the one that does its stage.
    NotCurrent,
    /// The team may not.
    NotAllowed,
    /// There is no such target.
    NoTarget,
    /// This node has no lease now, or no ledger: nothing may have an effect.
    Isolated,
    /// This node does not have the target's secret.
    NoSecret,
    /// An effect of this key was begun, and nobody knows what came of it.
    Open,
    /// The stage waits for a human.
    Parked,
    /// The target cannot be reached; nothing was sent.
    Unreached,
    /// The target did not answer; what was sent may have been done.
    Unanswered,
    /// The target's answer leads elsewhere.
    Elsewhere,
    /// Nothing confines the agents of this node: they change nothing outside.
    Unconfined,
}

impl Code {
    fn word(self) -> &'static str {
        match self {
            Self::BadToken => "bad_token",
            Self::BadRequest => "bad_request",
            Self::Limit => "limit",
            Self::NotCurrent => "not_current",
            Self::NotAllowed => "not_allowed",
            Self::NoTarget => "no_target",
            Self::Isolated => "isolated",
            Self::NoSecret => "no_secret",
            Self::Open => "effect_open",
            Self::Parked => "effect_parked",
            Self::Unreached => "unreached",
            Self::Unanswered => "unanswered",
            Self::Elsewhere => "elsewhere",
            Self::Unconfined => "unconfined",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::BadToken => StatusCode::UNAUTHORIZED,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Limit => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotCurrent | Self::NotAllowed | Self::Unconfined => StatusCode::FORBIDDEN,
            Self::NoTarget => StatusCode::NOT_FOUND,
            Self::Isolated | Self::NoSecret => StatusCode::SERVICE_UNAVAILABLE,
            Self::Open | Self::Parked => StatusCode::CONFLICT,
            Self::Unreached | Self::Elsewhere => StatusCode::BAD_GATEWAY,
            Self::Unanswered => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Of which kind.
    pub code: Code,
    /// What is so, for people.
    pub message: String,
    /// About which effect.
    pub effect: Option<EffectKey>,
}

impl Refusal {
    /// With a sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            effect: None,
        }
    }

    /// A limit is reached, named as in the settings.
    pub(super) fn limit(name: &str, max: u64) -> Self {
        Self::new(Code::Limit, format!("limit {name} = {max} is reached"))
    }

    /// The same about an effect.
    pub(super) fn of(mut self, effect: &EffectKey) -> Self {
        self.effect = Some(effect.clone());
        self
    }

    /// As an answer.
    pub(super) fn into_response(self) -> Response<Body> {
        let effect = self.effect.as_ref().map(EffectKey::as_str);
        let shape = json!({"error": {
            "code": self.code.word(),
            "message": self.message,
            "effect": effect,
        }});
        let mut response = Response::new(whole(shape.to_string()));
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(REFUSAL, HeaderValue::from_static(self.code.word()));
        if let Some(key) = effect.and_then(|key| HeaderValue::from_str(key).ok()) {
            headers.insert(EFFECT, key);
        }
        response
    }
}
