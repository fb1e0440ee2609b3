//! `GET /openapi.json`: the description of this interface, made from the routes' own words.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::OpenApi;

use super::{
    apply, audit, backup, blobs, case, cases, change_case, chaos, files, human_tokens, humans,
    logs, nodes, policies, report, room_watch, rooms, secrets, stages, status, targets, teams,
    tokens, watch, workers,
};

/// Everything that the admin socket answers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Majordomo's admin socket",
        description = "HTTP over a Unix socket: `curl --unix-socket DIR/admin.sock http://domo/v1/status`. \
                       The kernel says who asks, or a header `Authorization: Bearer TOKEN`. A header `Request-Id` makes a repetition of a POST safe: \
                       what was done once is answered again, not done again. Every refusal has the shape \
                       of `ErrorBody`. Long answers are one JSON object a line.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        openapi,
        status::status,
        status::clock,
        status::limits,
        apply::apply,
        audit::show,
        audit::head,
        audit::verify,
        audit::export,
        audit::erase,
        backup::backup,
        nodes::list,
        nodes::show,
        nodes::drain,
        nodes::remove,
        nodes::set_role,
        tokens::list,
        tokens::mint,
        tokens::revoke,
        teams::list,
        teams::show,
        teams::explain,
        workers::list,
        workers::show,
        workers::explain,
        workers::replace,
        logs::of_worker,
        humans::list,
        humans::put,
        humans::show,
        humans::remove,
        humans::set_role,
        human_tokens::mint,
        human_tokens::revoke,
        policies::list,
        policies::put,
        policies::check,
        policies::remove,
        rooms::list,
        rooms::read,
        room_watch::watch,
        rooms::post,
        rooms::mark,
        blobs::upload,
        blobs::download,
        cases::list,
        change_case::open,
        case::show,
        watch::watch,
        logs::of_case,
        files::list,
        files::download,
        report::report,
        change_case::cancel,
        change_case::route,
        change_case::pause,
        change_case::resume,
        change_case::amend,
        stages::answer,
        stages::approve,
        stages::reject,
        stages::settle,
        targets::list,
        targets::put,
        targets::remove,
        targets::check,
        secrets::list,
        secrets::set,
        secrets::remove,
        chaos::crash,
        chaos::hold,
        chaos::set_clock,
        chaos::show,
        chaos::begin,
        chaos::end,
    )
)]
struct Described;

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "node",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn openapi() -> impl IntoResponse {
    static DESCRIPTION: OnceLock<Bytes> = OnceLock::new();
    // The description is made of texts: it always has its JSON.
    let body =
        DESCRIPTION.get_or_init(|| Described::openapi().to_json().unwrap_or_default().into());
    ([(header::CONTENT_TYPE, "application/json")], body.clone())
}
