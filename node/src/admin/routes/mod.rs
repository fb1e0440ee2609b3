//! All routes in one table; each group has its file.
//!
//! # Invariant
//! Every route is described in `/openapi.json`, and nothing is described that is not a route.
//! Every GET names what it reads, and so the right that it takes.

mod apply;
mod audit;
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
mod room_past;
mod room_watch;
mod rooms;
mod secrets;
mod stages;
mod status;
mod targets;
mod teams;
mod tokens;
mod unread;
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

/// A route: its path, what answers there, and where it is judged.
type Route = (&'static str, MethodRouter<Shared>, Judged);

/// A route whose commands the leader judges.
fn proposed(path: &'static str, methods: MethodRouter<Shared>) -> Route {
    (path, methods, Judged::Proposed)
}

/// A route whose GET reads something.
fn reads(path: &'static str, methods: MethodRouter<Shared>, read: Read) -> Route {
    (path, methods, Judged::Reads(read))
}

/// A route to what only this node knows of, such as its secrets.
fn on_this_node(path: &'static str, methods: MethodRouter<Shared>) -> Route {
    (path, methods, Judged::Does(Right::ManageCluster))
}

/// Every route.
fn table() -> Vec<Route> {
    let mut all = of_the_cluster();
    all.extend(of_rooms());
    all.extend(of_teams());
    all
}

/// Nodes, people, targets: what belongs to no team.
fn of_the_cluster() -> Vec<Route> {
    vec![
        reads("/openapi.json", get(openapi::openapi), Read::Interface),
        reads("/v1/status", get(status::status), Read::Status),
        reads("/v1/clock", get(status::clock), Read::Clock),
        reads("/v1/limits", get(status::limits), Read::Limits),
        proposed("/v1/apply", post(apply::apply)),
        reads("/v1/audit", get(audit::show), Read::Audit),
        reads("/v1/audit/head", get(audit::head), Read::WholeAudit),
        reads("/v1/audit/verify", get(audit::verify), Read::WholeAudit),
        reads("/v1/audit/export", get(audit::export), Read::WholeAudit),
        reads("/v1/nodes", get(nodes::list), Read::Nodes),
        reads("/v1/nodes/{node}", get(nodes::show), Read::Nodes),
        proposed("/v1/nodes/{node}/drain", post(nodes::drain)),
        proposed("/v1/nodes/{node}/remove", post(nodes::remove)),
        proposed("/v1/nodes/{node}/role", post(nodes::set_role)),
        reads(
            "/v1/tokens",
            get(tokens::list).post(tokens::mint),
            Read::JoinTokens,
        ),
        proposed("/v1/tokens/{token}/revoke", post(tokens::revoke)),
        reads("/v1/backup", get(backup::backup), Read::Backup),
        reads(
            "/v1/chaos",
            get(chaos::show).post(chaos::begin),
            Read::Chaos,
        ),
        proposed("/v1/chaos/runs/{run}/end", post(chaos::end)),
        on_this_node("/v1/chaos/crash", post(chaos::crash)),
        on_this_node("/v1/chaos/manager", post(chaos::hold)),
        on_this_node("/v1/chaos/clock", post(chaos::set_clock)),
        reads(
            "/v1/targets",
            get(targets::list).post(targets::put),
            Read::Targets,
        ),
        proposed("/v1/targets/{target}/remove", post(targets::remove)),
        on_this_node("/v1/targets/{target}/check", post(targets::check)),
        reads("/v1/secrets", get(secrets::list), Read::Secrets),
        on_this_node("/v1/secrets/{target}", post(secrets::set)),
        on_this_node("/v1/secrets/{target}/remove", post(secrets::remove)),
        reads(
            "/v1/humans",
            get(humans::list).post(humans::put),
            Read::Humans,
        ),
        reads("/v1/humans/{human}", get(humans::show), Read::Human),
        proposed("/v1/humans/{human}/remove", post(humans::remove)),
        proposed("/v1/humans/{human}/role", post(humans::set_role)),
        proposed("/v1/humans/{human}/tokens", post(human_tokens::mint)),
        proposed(
            "/v1/humans/{human}/tokens/{token}/revoke",
            post(human_tokens::revoke),
        ),
        reads(
            "/v1/policies",
            get(policies::list).post(policies::put),
            Read::Policies,
        ),
        proposed("/v1/policies/check", post(policies::check)),
        proposed("/v1/policies/{policy}/remove", post(policies::remove)),
        proposed("/v1/blobs", post(blobs::upload)),
        reads("/v1/blobs/{sha256}", get(blobs::download), Read::Blob),
    ]
}

/// Where people and personas talk.
fn of_rooms() -> Vec<Route> {
    vec![
        reads("/v1/rooms", get(rooms::list), Read::Rooms),
        reads("/v1/rooms/{room}", get(rooms::read), Read::Room),
        reads(
            "/v1/rooms/{room}/watch",
            get(room_watch::watch),
            Read::WatchRoom,
        ),
        proposed("/v1/rooms/{room}/posts", post(rooms::post)),
        proposed("/v1/rooms/{room}/read", post(rooms::mark)),
    ]
}

/// Teams, their workers and their cases.
fn of_teams() -> Vec<Route> {
    vec![
        reads("/v1/teams", get(teams::list), Read::Teams),
        reads("/v1/teams/{team}", get(teams::show), Read::Team),
        reads("/v1/teams/{team}/explain", get(teams::explain), Read::Team),
        reads("/v1/workers", get(workers::list), Read::Workers),
        reads(
            "/v1/workers/{team}/{worker}",
            get(workers::show),
            Read::Worker,
        ),
        reads(
            "/v1/workers/{team}/{worker}/explain",
            get(workers::explain),
            Read::Worker,
        ),
        proposed(
            "/v1/workers/{team}/{worker}/replace",
            post(workers::replace),
        ),
        reads(
            "/v1/workers/{team}/{worker}/logs",
            get(logs::of_worker),
            Read::WorkerLogs,
        ),
        reads(
            "/v1/cases",
            get(cases::list).post(change_case::open),
            Read::Cases,
        ),
        reads("/v1/cases/{case}", get(case::show), Read::Case),
        reads("/v1/cases/{case}/watch", get(watch::watch), Read::Watch),
        reads("/v1/cases/{case}/logs", get(logs::of_case), Read::CaseLogs),
        reads("/v1/cases/{case}/files", get(files::list), Read::Files),
        reads(
            "/v1/cases/{case}/files/{*path}",
            get(files::download),
            Read::File,
        ),
        reads("/v1/cases/{case}/report", get(report::report), Read::Report),
        proposed("/v1/cases/{case}/cancel", post(change_case::cancel)),
        proposed("/v1/cases/{case}/erase", post(audit::erase)),
        proposed("/v1/cases/{case}/route", post(change_case::route)),
        proposed("/v1/cases/{case}/pause", post(change_case::pause)),
        proposed("/v1/cases/{case}/resume", post(change_case::resume)),
        proposed("/v1/cases/{case}/amend", post(change_case::amend)),
        proposed(
            "/v1/cases/{case}/stages/{stage}/answer",
            post(stages::answer),
        ),
        proposed(
            "/v1/cases/{case}/stages/{stage}/approve",
            post(stages::approve),
        ),
        proposed(
            "/v1/cases/{case}/stages/{stage}/reject",
            post(stages::reject),
        ),
        proposed(
            "/v1/cases/{case}/stages/{stage}/settle",
            post(stages::settle),
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
