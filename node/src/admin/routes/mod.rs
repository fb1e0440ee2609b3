//! All routes in one table; each group has its file.
//!
//! # Invariant
//! Every route is described in `/openapi.json`, and nothing is described that is not a route.
//! Every GET names what it reads, and so the right that it takes.

mod apply;
mod backup;
mod blobs;
mod case;
mod cases;
mod change_case;
mod chaos;
mod files;
mod human_tokens;
mod humans;
mod logs;
mod nodes;
mod openapi;
mod policies;
mod report;
mod secrets;
mod stages;
mod status;
mod targets;
mod teams;
mod tokens;
mod watch;
mod workers;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use rules::read::Read;
use rules::right::Right;

use super::desk::Shared;
use super::refused::Refused;
use super::standing::{guard, guard_deed};
use super::wire::Code;

/// Where it is judged whether an asker may do what a route does.
enum Judged {
    /// The leader judges the command that is proposed.
    Proposed,
    /// Its GET is a read; what else it takes is proposed.
    Reads(Read),
    /// It does something to this node alone, which no leader hears of.
    Does(Right),
}

/// What only this node knows of, such as its secrets.
const CLUSTER: Judged = Judged::Does(Right::ManageCluster);

/// Every path, what answers there, and what its GET reads; a command is judged where it is proposed.
fn table() -> Vec<(&'static str, MethodRouter<Shared>, Judged)> {
    vec![
        (
            "/openapi.json",
            get(openapi::openapi),
            Judged::Reads(Read::Interface),
        ),
        (
            "/v1/status",
            get(status::status),
            Judged::Reads(Read::Status),
        ),
        ("/v1/clock", get(status::clock), Judged::Reads(Read::Clock)),
        (
            "/v1/limits",
            get(status::limits),
            Judged::Reads(Read::Limits),
        ),
        ("/v1/apply", post(apply::apply), Judged::Proposed),
        ("/v1/nodes", get(nodes::list), Judged::Reads(Read::Nodes)),
        (
            "/v1/nodes/{node}",
            get(nodes::show),
            Judged::Reads(Read::Nodes),
        ),
        (
            "/v1/nodes/{node}/drain",
            post(nodes::drain),
            Judged::Proposed,
        ),
        (
            "/v1/nodes/{node}/remove",
            post(nodes::remove),
            Judged::Proposed,
        ),
        (
            "/v1/nodes/{node}/role",
            post(nodes::set_role),
            Judged::Proposed,
        ),
        (
            "/v1/tokens",
            get(tokens::list).post(tokens::mint),
            Judged::Reads(Read::JoinTokens),
        ),
        (
            "/v1/tokens/{token}/revoke",
            post(tokens::revoke),
            Judged::Proposed,
        ),
        (
            "/v1/backup",
            get(backup::backup),
            Judged::Reads(Read::Backup),
        ),
        ("/v1/chaos/crash", post(chaos::crash), CLUSTER),
        ("/v1/chaos/manager", post(chaos::hold), CLUSTER),
        (
            "/v1/targets",
            get(targets::list).post(targets::put),
            Judged::Reads(Read::Targets),
        ),
        (
            "/v1/targets/{target}/remove",
            post(targets::remove),
            Judged::Proposed,
        ),
        ("/v1/targets/{target}/check", post(targets::check), CLUSTER),
        (
            "/v1/secrets",
            get(secrets::list),
            Judged::Reads(Read::Secrets),
        ),
        ("/v1/secrets/{target}", post(secrets::set), CLUSTER),
        (
            "/v1/secrets/{target}/remove",
            post(secrets::remove),
            CLUSTER,
        ),
        ("/v1/teams", get(teams::list), Judged::Reads(Read::Teams)),
        (
            "/v1/teams/{team}",
            get(teams::show),
            Judged::Reads(Read::Team),
        ),
        (
            "/v1/teams/{team}/explain",
            get(teams::explain),
            Judged::Reads(Read::Team),
        ),
        (
            "/v1/workers",
            get(workers::list),
            Judged::Reads(Read::Workers),
        ),
        (
            "/v1/workers/{team}/{worker}",
            get(workers::show),
            Judged::Reads(Read::Worker),
        ),
        (
            "/v1/workers/{team}/{worker}/explain",
            get(workers::explain),
            Judged::Reads(Read::Worker),
        ),
        (
            "/v1/workers/{team}/{worker}/replace",
            post(workers::replace),
            Judged::Proposed,
        ),
        (
            "/v1/workers/{team}/{worker}/logs",
            get(logs::of_worker),
            Judged::Reads(Read::WorkerLogs),
        ),
        (
            "/v1/humans",
            get(humans::list).post(humans::put),
            Judged::Reads(Read::Humans),
        ),
        (
            "/v1/humans/{human}",
            get(humans::show),
            Judged::Reads(Read::Human),
        ),
        (
            "/v1/humans/{human}/remove",
            post(humans::remove),
            Judged::Proposed,
        ),
        (
            "/v1/humans/{human}/role",
            post(humans::set_role),
            Judged::Proposed,
        ),
        (
            "/v1/humans/{human}/tokens",
            post(human_tokens::mint),
            Judged::Proposed,
        ),
        (
            "/v1/humans/{human}/tokens/{token}/revoke",
            post(human_tokens::revoke),
            Judged::Proposed,
        ),
        (
            "/v1/policies",
            get(policies::list).post(policies::put),
            Judged::Reads(Read::Policies),
        ),
        (
            "/v1/policies/check",
            post(policies::check),
            Judged::Proposed,
        ),
        (
            "/v1/policies/{policy}/remove",
            post(policies::remove),
            Judged::Proposed,
        ),
        ("/v1/blobs", post(blobs::upload), Judged::Proposed),
        (
            "/v1/blobs/{sha256}",
            get(blobs::download),
            Judged::Reads(Read::Blob),
        ),
        (
            "/v1/cases",
            get(cases::list).post(change_case::open),
            Judged::Reads(Read::Cases),
        ),
        (
            "/v1/cases/{case}",
            get(case::show),
            Judged::Reads(Read::Case),
        ),
        (
            "/v1/cases/{case}/watch",
            get(watch::watch),
            Judged::Reads(Read::Watch),
        ),
        (
            "/v1/cases/{case}/logs",
            get(logs::of_case),
            Judged::Reads(Read::CaseLogs),
        ),
        (
            "/v1/cases/{case}/files",
            get(files::list),
            Judged::Reads(Read::Files),
        ),
        (
            "/v1/cases/{case}/files/{*path}",
            get(files::download),
            Judged::Reads(Read::File),
        ),
        (
            "/v1/cases/{case}/report",
            get(report::report),
            Judged::Reads(Read::Report),
        ),
        (
            "/v1/cases/{case}/cancel",
            post(change_case::cancel),
            Judged::Proposed,
        ),
        (
            "/v1/cases/{case}/route",
            post(change_case::route),
            Judged::Proposed,
        ),
        (
            "/v1/cases/{case}/pause",
            post(change_case::pause),
            Judged::Proposed,
        ),
        (
            "/v1/cases/{case}/resume",
            post(change_case::resume),
            Judged::Proposed,
        ),
        (
            "/v1/cases/{case}/amend",
            post(change_case::amend),
            Judged::Proposed,
        ),
        (
            "/v1/cases/{case}/stages/{stage}/answer",
            post(stages::answer),
            Judged::Proposed,
        ),
        (
            "/v1/cases/{case}/stages/{stage}/approve",
            post(stages::approve),
            Judged::Proposed,
        ),
        (
            "/v1/cases/{case}/stages/{stage}/reject",
            post(stages::reject),
            Judged::Proposed,
        ),
        (
            "/v1/cases/{case}/stages/{stage}/settle",
            post(stages::settle),
            Judged::Proposed,
        ),
    ]
}

/// Every path.
pub(super) fn paths() -> Vec<&'static str> {
    table().into_iter().map(|(path, ..)| path).collect()
}

/// The router of a node.
pub(super) fn router(desk: Shared) -> Router {
    let routes = table().into_iter();
    routes
        .fold(Router::new(), |router, (path, methods, judged)| {
            let desk = desk.clone();
            let methods = match judged {
                Judged::Proposed => methods,
                Judged::Reads(read) => methods.route_layer(from_fn_with_state((desk, read), guard)),
                Judged::Does(right) => {
                    methods.route_layer(from_fn_with_state((desk, right), guard_deed))
                }
            };
            router.route(path, methods)
        })
        .fallback(no_path)
        .method_not_allowed_fallback(no_method)
        .with_state(desk)
}

async fn no_path(request: Request) -> Refused {
    let path = config::mistake::shown(request.uri().path());
    Refused::new(Code::NotFound, format!("there is no path {path}"))
        .hint("GET /openapi.json describes every path")
}

async fn no_method(request: Request) -> Refused {
    let path = config::mistake::shown(request.uri().path());
    Refused::new(
        Code::NotAllowed,
        format!("{path} does not take {}", request.method()),
    )
    .hint("GET /openapi.json describes every path and its methods")
}

/// Reads a name out of a path.
pub(super) fn name<T: std::str::FromStr<Err = rules::id::BadName>>(
    text: &str,
) -> Result<T, Refused> {
    text.parse().map_err(Refused::from)
}

/// Rows of a page.
fn page(limit: Option<u32>) -> Result<usize, Refused> {
    let limit = limit.unwrap_or(super::wire::DEFAULT_PAGE);
    if (1..=super::wire::MAX_PAGE).contains(&limit) {
        return Ok(limit as usize);
    }
    let what = format!(
        "limit is {limit}; a page has 1 to {} rows",
        super::wire::MAX_PAGE
    );
    Err(Refused::new(Code::Invalid, what))
}

/// Does what blocks on the disk beside the other requests.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Refused::new(
            Code::Failed,
            format!("the work broke off: {error}"),
        )),
    }
}
