//! What a reader may see: checked before a read, and again whenever people or policies change.
//!
//! # Invariant
//! No route reads without a row of the matrix: it stands beside the route. A stream ends when the
//! right to it ends. An answer shows nothing that is younger than the state on which its asker last
//! had the right: a route may wait for this node to catch up, and whoever asked is looked at again
//! after that.

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use rules::id::{CaseId, TeamName};
use rules::read::{About, Read};
use rules::right::{Demand, Right};
use rules::{Principal, demand};

use super::desk::{Desk, Shared};
use super::people::Asker;
use super::refused::{Answered, Refused};
use super::room_name::resolve;
use super::routes::{blocking, name};
use super::wire::{Code, Consistency};

/// The right on which a read stands.
#[derive(Clone)]
pub(super) struct Standing {
    desk: Shared,
    asker: Principal,
    read: Read,
    demand: Demand,
    /// The changes of people and policies that it was checked on.
    seen: u64,
}

/// Lets a read through that its asker has the right to.
pub(super) async fn guard(
    State((desk, read)): State<(Shared, Read)>,
    asker: Asker,
    parts: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Answered<Response> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Ok(next.run(request).await);
    }
    let parts = parts.map_err(|why| {
        let what = format!("the path is not understood: {}", why.body_text());
        Refused::new(Code::Invalid, what)
    })?;
    let part = |wanted: &str| {
        let found = parts.iter().find(|(key, _)| *key == wanted);
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let demand = match read.about() {
        About::Cluster => demand::cluster(read.right()),
        About::Rows => demand::cluster(Right::LookAround),
        About::Team => demand::in_team(read.right(), &name::<TeamName>(&part("team"))?),
        About::Room => demand::talk::read(&asker.principal(), &resolve(&asker, &part("room"))?),
        About::Case => {
            let case = name::<CaseId>(&part("case"))?;
            of_case(&desk, case, read.right()).await?
        }
    };
    let standing = Standing {
        seen: changes(&desk),
        asker: asker.principal(),
        read,
        demand,
        desk,
    };
    standing.check()?;
    request.extensions_mut().insert(standing.clone());
    let response = next.run(request).await;
    if changes(&standing.desk) != standing.seen {
        standing.check()?;
    }
    Ok(response)
}

/// Lets through what is done to this node alone, where its asker has the right to it.
pub(super) async fn guard_deed(
    State((desk, right)): State<(Shared, Right)>,
    asker: Asker,
    request: Request,
    next: Next,
) -> Answered<Response> {
    let demands = vec![demand::cluster(right)];
    let allowed = desk.ledger.allows(&asker.principal(), demands);
    allowed.map_err(|rejection| Refused::from(&rejection))?;
    Ok(next.run(request).await)
}

fn changes(desk: &Desk) -> u64 {
    *desk.ledger.people().borrow()
}

/// What is demanded of whoever reads a case; one that is not known here may be known elsewhere.
async fn of_case(desk: &Shared, case: CaseId, right: Right) -> Answered<Demand> {
    let mut team = team_of(desk, case).await?;
    if team.is_none() {
        desk.fresh(Consistency::Linearizable).await?;
        team = team_of(desk, case).await?;
    }
    let Some(team) = team else {
        return Err(Refused::new(
            Code::NotFound,
            format!("there is no case {case}"),
        ));
    };
    Ok(match team {
        Some(team) => demand::in_team(right, &team),
        None => demand::cluster(right),
    })
}

/// The team of a case, where there is such a case.
async fn team_of(desk: &Shared, case: CaseId) -> Answered<Option<Option<TeamName>>> {
    let open = desk
        .ledger
        .read(|state| state.cases.get(&case).map(|case| case.team.clone()));
    if open.is_some() {
        return Ok(open);
    }
    let desk = desk.clone();
    blocking(move || {
        let found = desk.ledger.archive().summary(case)?;
        Ok(found.map(|found| found.team))
    })
    .await
}

impl Standing {
    /// Refuses when the right is gone.
    pub(super) fn check(&self) -> Answered<()> {
        let (ledger, demand) = (&self.desk.ledger, self.demand.clone());
        // A wish to take a policy back begins with the clock, and may need the policy's name.
        let allowed = if matches!(self.read, Read::Policies | Read::Clock) {
            ledger.allows_policies(&self.asker, demand)
        } else {
            ledger.allows(&self.asker, vec![demand])
        };
        allowed.map_err(|rejection| Refused::from(&rejection))
    }

    /// Looks again if people or policies changed; says why it is over when it is.
    pub(super) fn look_again(&mut self) -> Result<(), String> {
        let now = changes(&self.desk);
        if now == self.seen {
            return Ok(());
        }
        self.seen = now;
        self.check().map_err(|refused| refused.0.message)
    }

    /// Returns when people or policies have changed.
    pub(super) async fn changed(&self) {
        let mut people = self.desk.ledger.people();
        let is_closed = {
            let changed = people.wait_for(|changes| *changes != self.seen).await;
            changed.is_err()
        };
        if is_closed {
            // The ledger is closed: nothing changes any more.
            std::future::pending::<()>().await;
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Standing {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answered<Self> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Refused::new(Code::NotYours, "nobody checked this read"))
    }
}
