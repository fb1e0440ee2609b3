//! An effect on its way: intended in the ledger, then sent, then told.
//!
//! ```text
//! BeginEffect ─► go, again ─► current still? ─► sent ─► answered ─► EndEffect(done) ─► the agent hears
//!      │                          │ no           └ never left ─► EndEffect(not done)
//!      └► open, done, parked: not sent           └ who knows ──► stays intended
//! ```
//!
//! # Invariant
//! Nothing leaves before its intent is an entry, and the agent hears an answer only after the entry
//! that says that the effect was done.
//!
//! # Why
//! It goes on in a task of its own when the agent is cut off or hangs up: what the target answers
//! must be heard, or nobody will know.

use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use hyper::header::HeaderValue;
use hyper::http::StatusCode;
use rand::RngExt as _;
use rules::command::Progress;
use rules::effect::{EffectEnd, EffectKey, Intent, Named, Standing, key};
use rules::id::RequestId;
use rules::limits::MAX_LINE_BYTES;
use rules::target::Class;
use rules::{Command, Outcome, Principal, Proposal, Rejection, Request, Who};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Shared;
use super::admit::{self, Admitted, Pass};
use super::asked::Asked;
use super::body::{Body, TakenIn, whole};
use super::carry::{self, Arrived, NoAnswer, Sending};
use super::ordinals::{Ordinals, Place};
use super::refusal::{Code, EFFECT, Refusal};
use crate::clock;
use crate::ledger::ProposeError;

/// The header that says that an effect was not sent because it was done before.
pub const DONE_BEFORE: &str = "majordomo-effect-done-before";
/// Waits between tries of telling the ledger what became of an effect.
const TELL_WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// An effect that is to be had.
pub(super) struct Wanted {
    pub(super) pass: Pass,
    pub(super) admitted: Admitted,
    pub(super) asked: Asked,
    pub(super) body: TakenIn,
    /// How many like it the attempt has asked before.
    pub(super) ordinal: u32,
}

/// What came of it.
pub(super) enum Came {
    /// The target answered, and the ledger knows.
    Arrived(Arrived, EffectKey),
    /// It was done before.
    Before(Response<Body>),
}

/// What tells requests that are alike from all others.
pub(super) fn place(ordinals: &Arc<Ordinals>, asked: &Asked, body: &[u8]) -> Place {
    let named = asked.own_key.as_deref().unwrap_or_default();
    let parts = [
        asked.target.as_str().as_bytes(),
        asked.method.as_str().as_bytes(),
        asked.path.as_bytes(),
        named.as_bytes(),
        body,
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    ordinals.take(hash.finalize().into())
}

/// Has the effect, whether anybody still waits for it or not.
pub(super) async fn have(shared: Arc<Shared>, wanted: Wanted) -> Result<Came, Refusal> {
    let intent = intent(&shared, &wanted)?;
    let effect = intent.key.clone();
    let standing = begin(&shared, &wanted, &intent).await;
    let is_first = match standing.map_err(|refusal| refusal.of(&effect))? {
        Standing::Go => true,
        Standing::Again => false,
        Standing::Done { answer } => return Ok(Came::Before(before(&effect, &answer))),
        Standing::Open => {
            let why = "it was begun, and nobody knows what came of it: it is not sent again";
            return Err(Refusal::new(Code::Open, why).of(&effect));
        }
        Standing::Parked { reason } => {
            let why = format!("the stage waits for a human: {reason}");
            return Err(Refusal::new(Code::Parked, why).of(&effect));
        }
    };
    match send(&shared, &wanted, &effect).await {
        Ok(arrived) => {
            let status = arrived.response.status();
            let answer = answer_line(status);
            tell(&shared, &wanted.pass, &effect, EffectEnd::Done { answer }).await;
            Ok(Came::Arrived(arrived, effect))
        }
        Err(failed) => {
            if is_first && !failed.may_have_left {
                let reason = line(&failed.why);
                tell(
                    &shared,
                    &wanted.pass,
                    &effect,
                    EffectEnd::NotDone { reason },
                )
                .await;
            }
            Err(failed.refusal().of(&effect))
        }
    }
}

fn answer_line(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    format!("{} {reason}", status.as_u16())
        .trim_end()
        .to_owned()
}

/// The effect as it is begun; its key is the same for all attempts of the stage.
fn intent(shared: &Shared, wanted: &Wanted) -> Result<Intent, Refusal> {
    let (asked, id) = (&wanted.asked, wanted.pass.attempt);
    let body: [u8; 32] = Sha256::digest(&wanted.body.bytes).into();
    let ordinal = wanted.ordinal;
    let named = match &asked.own_key {
        Some(own) => Named::ByAgent(own),
        None => Named::ByRequest {
            target: &asked.target,
            method: asked.method.as_str(),
            path: &asked.path,
            body: &body,
            ordinal,
        },
    };
    let key = shared.ledger.read(|state| {
        let attempt = admit::current(state, shared.node, &wanted.pass)?;
        let case = state.cases.get(&id.case);
        let sha256 = |bytes: &[u8]| Sha256::digest(bytes).into();
        Ok(case.map(|case| key(case, &attempt.stage, named, sha256)))
    })?;
    let key = key.ok_or_else(|| Refusal::new(Code::NotCurrent, "its case is closed"))?;
    let mut digest = Sha256::new();
    digest.update((asked.path.len() as u64).to_le_bytes());
    digest.update(asked.path.as_bytes());
    digest.update(body);
    Ok(Intent {
        key,
        target: asked.target.clone(),
        method: asked.method.as_str().to_owned(),
        class: wanted.admitted.class,
        digest: digest.finalize().into(),
        ordinal,
    })
}

/// Sends it, if that may still be.
async fn send(shared: &Shared, wanted: &Wanted, effect: &EffectKey) -> Result<Arrived, NoAnswer> {
    let unsent = |refusal: Refusal| NoAnswer {
        may_have_left: false,
        why: refusal.message,
    };
    let secret = carry::secret(shared, &wanted.admitted.target).map_err(unsent)?;
    // The ledger took its time: whoever was isolated or superseded meanwhile sends nothing.
    shared.may_act().map_err(unsent)?;
    let current = shared
        .ledger
        .read(|state| admit::current(state, shared.node, &wanted.pass).map(|_| ()));
    current.map_err(unsent)?;
    let is_keyed = wanted.admitted.class == Class::Keyed;
    let sending = Sending {
        target: &wanted.admitted.target,
        method: &wanted.asked.method,
        path: &wanted.asked.path,
        headers: &wanted.asked.headers,
        body: wanted.body.bytes.clone(),
        key: is_keyed.then_some(effect),
    };
    carry::send(shared, sending, secret.as_ref()).await
}

/// What an agent hears of an effect that was done before.
fn before(effect: &EffectKey, answer: &str) -> Response<Body> {
    let text = json!({"effect": effect.as_str(), "was_done_before": true, "answer": answer});
    let mut response = Response::new(whole(text.to_string()));
    let code = answer.get(..3).and_then(|code| code.parse::<u16>().ok());
    let status = code.and_then(|code| StatusCode::from_u16(code).ok());
    // An answer that may have no body would leave this one out.
    let status = status.filter(|status| {
        !status.is_informational()
            && *status != StatusCode::NO_CONTENT
            && *status != StatusCode::NOT_MODIFIED
    });
    *response.status_mut() = status.unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(DONE_BEFORE, HeaderValue::from_static("true"));
    headers.insert(
        hyper::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    name(&mut response, effect);
    response
}

/// Names the effect in an answer.
pub(super) fn name<B>(response: &mut Response<B>, effect: &EffectKey) {
    if let Ok(value) = HeaderValue::from_str(effect.as_str()) {
        response.headers_mut().insert(EFFECT, value);
    }
}

/// Asks the ledger whether to send it.
async fn begin(
    shared: &Arc<Shared>,
    wanted: &Wanted,
    intent: &Intent,
) -> Result<Standing, Refusal> {
    let (pass, attempt) = (&wanted.pass, wanted.pass.attempt);
    if !wanted.admitted.is_told {
        // Who asks runs: nothing is begun for an attempt of which the ledger does not know that.
        let to = Progress::Running;
        let command = Command::AdvanceAttempt { attempt, to };
        said(shared.propose(proposal(pass, None, command)).await)?;
    }
    let request = request(shared, &intent.key)?;
    let intent = intent.clone();
    let command = Command::BeginEffect { attempt, intent };
    let proposal = proposal(pass, Some(request), command);
    let asked = shared.propose(proposal.clone()).await;
    if matches!(asked, Err(ProposeError::Unknown)) {
        tokio::spawn(take_back(Arc::clone(shared), pass.clone(), proposal));
    }
    match said(asked)? {
        Outcome::Effect(standing) => Ok(standing),
        Outcome::Done
        | Outcome::Opened(_)
        | Outcome::PlanRefused(_)
        | Outcome::Applied { .. }
        | Outcome::Posted { .. }
        | Outcome::Admitted(_) => Err(Refusal::new(
            Code::Isolated,
            "the ledger answered another question",
        )),
    }
}

/// An intent whose fate is unknown was not acted upon: once it is known that it stands, it is said
/// that nothing was sent.
async fn take_back(shared: Arc<Shared>, pass: Pass, proposal: Proposal) {
    let Command::BeginEffect { intent, .. } = &proposal.command else {
        return;
    };
    let mut wait = TELL_WAITS.0;
    loop {
        tokio::time::sleep(wait).await;
        match shared.propose(proposal.clone()).await {
            Ok(Ok(Outcome::Effect(Standing::Go))) => break,
            Ok(Err(Rejection::Undecided | Rejection::Outdated)) => {}
            Ok(_) | Err(ProposeError::Stopped) => return,
            Err(_) => {}
        }
        wait = (wait * 2).min(TELL_WAITS.1);
    }
    let reason = "the ledger did not answer in time, so it was not sent".to_owned();
    tell(&shared, &pass, &intent.key, EffectEnd::NotDone { reason }).await;
}

/// Says what became of an effect, until the ledger has it or refuses it for good.
async fn tell(shared: &Shared, pass: &Pass, effect: &EffectKey, outcome: EffectEnd) {
    let attempt = pass.attempt;
    let command = Command::EndEffect {
        attempt,
        key: effect.clone(),
        outcome,
    };
    let mut wait = TELL_WAITS.0;
    loop {
        match shared.propose(proposal(pass, None, command.clone())).await {
            Ok(Ok(_)) | Err(ProposeError::Stopped) => return,
            Ok(Err(Rejection::Undecided | Rejection::Outdated)) => {}
            Ok(Err(rejection)) => {
                tracing::warn!(%attempt, %effect, %rejection, "nobody wants to know of this effect");
                return;
            }
            Err(error) => tracing::debug!(%attempt, %effect, %error, "it is told again"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(TELL_WAITS.1);
    }
}

fn proposal(pass: &Pass, request: Option<Request>, command: Command) -> Proposal {
    Proposal {
        request,
        principal: Principal::own(Who::Worker {
            worker: pass.bench.worker.clone(),
            epoch: pass.bench.epoch,
        }),
        wall_ms: clock::wall().0,
        command,
        decision: None,
    }
}

/// Names a proposal, so that it is brought forward again when its fate is unknown, and happens once.
fn request(shared: &Shared, effect: &EffectKey) -> Result<Request, Refusal> {
    let word: u128 = rand::rng().random();
    let now = shared.ledger.read(|state| state.clock);
    let id = RequestId::stamped(&format!("{word:032x}"), now);
    let id = id.map_err(|bad| Refusal::new(Code::Isolated, bad.to_string()))?;
    let digest = Sha256::digest(effect.as_str().as_bytes());
    let digest = digest.iter().take(8);
    Ok(Request {
        id,
        digest: digest.fold(0, |number, byte| number << 8 | u64::from(*byte)),
    })
}

/// What the ledger said, as the agent hears it.
fn said(asked: Result<Result<Outcome, Rejection>, ProposeError>) -> Result<Outcome, Refusal> {
    let verdict = asked.map_err(|error| {
        let why = format!("nothing was sent, the ledger takes nothing now: {error}");
        Refusal::new(Code::Isolated, why)
    })?;
    verdict.map_err(|rejection| {
        let code = match &rejection {
            Rejection::NoTarget(_) => Code::NoTarget,
            Rejection::NotYours { .. } | Rejection::Denied { .. } => Code::NotAllowed,
            Rejection::Limit { .. } => Code::Limit,
            Rejection::Invalid(_) => Code::BadRequest,
            // The next leader, or the same one a moment later, decides anew.
            Rejection::Undecided | Rejection::Outdated => Code::Isolated,
            Rejection::Stale { .. }
            | Rejection::Expired
            | Rejection::RequestReused
            | Rejection::NoTeam(_)
            | Rejection::NoWorker(_)
            | Rejection::NoCase(_)
            | Rejection::NoStage(..)
            | Rejection::NoAttempt(_)
            | Rejection::NoDocument(_)
            | Rejection::WrongState { .. }
            | Rejection::NoNode(_)
            | Rejection::NoToken(_)
            | Rejection::NoEffect(_)
            | Rejection::NoHuman(_)
            | Rejection::NoPolicy(_) => Code::NotCurrent,
        };
        Refusal::new(code, rejection.to_string())
    })
}

/// A reason as one line within the limit of the rules.
fn line(reason: &str) -> String {
    let mut end = reason.len().min(MAX_LINE_BYTES);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason[..end].to_owned()
}
