//! All routes in one table; each group has its file.
//!
//! # Invariant
//! Every route is described in `/openapi.json`, and nothing is described that is not a route.

mod apply;
mod backup;
mod blobs;
mod case;
mod cases;
mod change_case;
mod chaos;
mod files;
mod logs;
mod nodes;
mod openapi;
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
use axum::routing::{MethodRouter, get, post};

use super::desk::Shared;
use super::refused::Refused;
use super::wire::Code;

/// Every path and what answers there.
fn table() -> Vec<(&'static str, MethodRouter<Shared>)> {
    vec![
        ("/openapi.json", get(openapi::openapi)),
        ("/v1/status", get(status::status)),
        ("/v1/clock", get(status::clock)),
        ("/v1/limits", get(status::limits)),
        ("/v1/apply", post(apply::apply)),
        ("/v1/backup", get(backup::backup)),
        ("/v1/nodes", get(nodes::list)),
        ("/v1/nodes/{node}", get(nodes::show)),
        ("/v1/nodes/{node}/drain", post(nodes::drain)),
        ("/v1/nodes/{node}/remove", post(nodes::remove)),
        ("/v1/nodes/{node}/role", post(nodes::set_role)),
        ("/v1/tokens", get(tokens::list).post(tokens::mint)),
        ("/v1/tokens/{token}/revoke", post(tokens::revoke)),
        ("/v1/chaos/crash", post(chaos::crash)),
        ("/v1/chaos/manager", post(chaos::hold)),
        ("/v1/targets", get(targets::list).post(targets::put)),
        ("/v1/targets/{target}/remove", post(targets::remove)),
        ("/v1/targets/{target}/check", post(targets::check)),
        ("/v1/secrets", get(secrets::list)),
        ("/v1/secrets/{target}", post(secrets::set)),
        ("/v1/secrets/{target}/remove", post(secrets::remove)),
        ("/v1/teams", get(teams::list)),
        ("/v1/teams/{team}", get(teams::show)),
        ("/v1/teams/{team}/explain", get(teams::explain)),
        ("/v1/workers", get(workers::list)),
        ("/v1/workers/{team}/{worker}", get(workers::show)),
        ("/v1/workers/{team}/{worker}/explain", get(workers::explain)),
        (
            "/v1/workers/{team}/{worker}/replace",
            post(workers::replace),
        ),
        ("/v1/workers/{team}/{worker}/logs", get(logs::of_worker)),
        ("/v1/blobs", post(blobs::upload)),
        ("/v1/blobs/{sha256}", get(blobs::download)),
        ("/v1/cases", get(cases::list).post(change_case::open)),
        ("/v1/cases/{case}", get(case::show)),
        ("/v1/cases/{case}/watch", get(watch::watch)),
        ("/v1/cases/{case}/logs", get(logs::of_case)),
        ("/v1/cases/{case}/files", get(files::list)),
        ("/v1/cases/{case}/files/{*path}", get(files::download)),
        ("/v1/cases/{case}/report", get(report::report)),
        ("/v1/cases/{case}/cancel", post(change_case::cancel)),
        ("/v1/cases/{case}/route", post(change_case::route)),
        ("/v1/cases/{case}/pause", post(change_case::pause)),
        ("/v1/cases/{case}/resume", post(change_case::resume)),
        ("/v1/cases/{case}/amend", post(change_case::amend)),
        (
            "/v1/cases/{case}/stages/{stage}/answer",
            post(stages::answer),
        ),
        (
            "/v1/cases/{case}/stages/{stage}/approve",
            post(stages::approve),
        ),
        (
            "/v1/cases/{case}/stages/{stage}/reject",
            post(stages::reject),
        ),
        (
            "/v1/cases/{case}/stages/{stage}/settle",
            post(stages::settle),
        ),
    ]
}

/// Every path.
pub(super) fn paths() -> Vec<&'static str> {
    table().into_iter().map(|(path, _)| path).collect()
}

/// The router of a node.
pub(super) fn router(desk: Shared) -> Router {
    let routes = table().into_iter();
    routes
        .fold(Router::new(), |router, (path, methods)| {
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
fn name<T: std::str::FromStr<Err = rules::id::BadName>>(text: &str) -> Result<T, Refused> {
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
async fn blocking<T: Send + 'static>(
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
