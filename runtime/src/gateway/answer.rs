//! One request of an attempt's agent, from its head to its answer.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response};
use rules::target::Class;
use tokio::time::timeout;

use super::Shared;
use super::admit::{self, Admitted};
use super::asked::{self, Asked};
use super::body::{Body, Passed, TakenIn, take_in};
use super::carry::{self, NoAnswer, Sending};
use super::effect::{self, Came, Wanted};
use super::flushed::Flush;
use super::porch::Guest;
use super::refusal::{Code, Refusal};

/// How long an effect whose line was cut is waited for: what the ledger has said is on its way.
const LAST_WORD: Duration = Duration::from_millis(500);

/// Answers a request.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    guest: &Arc<Guest>,
    flush: &Flush,
    request: Request<Incoming>,
) -> Response<Body> {
    let answered = carried(shared, guest, flush, request).await;
    answered.unwrap_or_else(|refusal| {
        let attempt = guest.pass.attempt;
        tracing::debug!(%attempt, code = ?refusal.code, why = refusal.message, "refused");
        refusal.into_response()
    })
}

async fn carried(
    shared: &Arc<Shared>,
    guest: &Guest,
    flush: &Flush,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    let (parts, body) = request.into_parts();
    if !guest.token.is_shown_in(&parts.headers) {
        let why = "show the token of MAJORDOMO_TOKEN_FILE as Authorization: Bearer";
        return Err(Refusal::new(Code::BadToken, why));
    }
    let asked = asked::read(parts)?;
    shared.come_back().await;
    let admit = || {
        shared.may_act()?;
        let (target, method) = (&asked.target, asked.method.as_str());
        shared
            .ledger
            .read(|state| admit::admit(state, shared.node, &guest.pass, target, method))
    };
    admit()?;
    let body = take_in(body, &shared.bounds, &shared.bodies).await?;
    // Once more: a body may take its time.
    let admitted = admit()?;
    if admitted.class == Class::Read {
        read(shared, guest, &admitted, &asked, body).await
    } else {
        shared.may_change()?;
        change(shared, guest, flush, admitted, asked, body).await
    }
}

/// What changes nothing passes through.
async fn read(
    shared: &Shared,
    guest: &Guest,
    admitted: &Admitted,
    asked: &Asked,
    body: TakenIn,
) -> Result<Response<Body>, Refusal> {
    let target = &admitted.target;
    let secret = carry::secret(shared, target)?;
    let sending = Sending {
        target,
        method: &asked.method,
        path: &asked.path,
        headers: &asked.headers,
        body: body.bytes.clone(),
        key: None,
    };
    let mut cut = guest.cut();
    let sent = tokio::select! {
        sent = carry::send(shared, sending, secret.as_ref()) => sent,
        () = &mut cut => return Err(shared.why_cut(&guest.pass)),
    };
    let mut arrived = sent.map_err(NoAnswer::refusal)?;
    carry::head(target, &mut arrived.response)?;
    let (head, body) = arrived.response.into_parts();
    let passed = Passed::on(body, arrived.driven, shared.bounds.standstill, cut, None);
    Ok(Response::from_parts(head, passed))
}

/// What changes something goes the way of an effect.
async fn change(
    shared: &Arc<Shared>,
    guest: &Guest,
    flush: &Flush,
    admitted: Admitted,
    asked: Asked,
    body: TakenIn,
) -> Result<Response<Body>, Refusal> {
    let target = admitted.target.clone();
    // Before its intent: what cannot be sent is not begun.
    carry::secret(shared, &target)?;
    let mut cut = guest.cut();
    let place = effect::place(&guest.ordinals, &asked, &body.bytes);
    let wanted = Wanted {
        pass: guest.pass.clone(),
        admitted,
        asked,
        body,
        ordinal: place.ordinal,
    };
    let mut having = tokio::spawn(effect::have(Arc::clone(shared), wanted));
    let had = tokio::select! {
        had = &mut having => had,
        // The very entry that ended the attempt may be this effect's own.
        () = &mut cut => match timeout(LAST_WORD, &mut having).await {
            Ok(had) => had,
            Err(_) => return Err(shared.why_cut(&guest.pass)),
        },
    };
    let had = had.map_err(|error| Refusal::new(Code::Unanswered, error.to_string()))?;
    let (mut arrived, effect) = match had? {
        Came::Arrived(arrived, effect) => (arrived, effect),
        Came::Before(response) => {
            flush.handed_on(place);
            return Ok(response);
        }
    };
    carry::head(&target, &mut arrived.response).map_err(|refusal| refusal.of(&effect))?;
    effect::name(&mut arrived.response, &effect);
    let flush = flush.clone();
    let at_end = Box::new(move || flush.handed_on(place));
    let (head, body) = arrived.response.into_parts();
    let standstill = shared.bounds.standstill;
    let passed = Passed::on(body, arrived.driven, standstill, cut, Some(at_end));
    Ok(Response::from_parts(head, passed))
}
