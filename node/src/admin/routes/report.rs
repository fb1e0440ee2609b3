//! `GET /v1/cases/{case}/report`: the report of a closed case, as JSON or as Markdown.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use rules::attempt::Body;
use rules::id::CaseId;

use super::case::look;
use super::name;
use crate::admin::convert::case::{document, report as shown, status};
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::PathOf;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{Code, Consistency, ErrorBody, Report};

/// The largest part of a report that is sent whole; longer ones are among the case's files.
const PART_BYTES: u64 = 4 << 20;

/// The report of a closed case: JSON, or Markdown for who sends `Accept: text/markdown`.
#[utoipa::path(get, path = "/v1/cases/{case}/report", tag = "cases",
    params(("case" = String, Path, description = "its number", example = "c-1")),
    responses((status = 200, description = "the report", content(
                   (Report = "application/json"), (String = "text/markdown"))),
              (status = 404, description = "there is no such case", body = ErrorBody),
              (status = 409, description = "the case is not closed yet", body = ErrorBody)))]
pub(super) async fn report(
    State(desk): State<Shared>,
    PathOf(case): PathOf<String>,
    headers: HeaderMap,
) -> Answered<Response> {
    let id: CaseId = name(&case)?;
    desk.fresh(Consistency::Linearizable).await?;
    let (report, status) = look(&desk, id, |case| {
        (case.report.clone(), status(case.status).0)
    })
    .await?;
    let Some(report) = report else {
        let status = format!("{status:?}").to_lowercase();
        let what = format!("case {id} is {status}: it has no report yet");
        let refused = Refused::new(Code::WrongState, what);
        return Err(refused.hint(format!("domo case watch {id} shows how far it is")));
    };
    if wants_markdown(&headers) {
        let text = part(&desk, &report.markdown).await?;
        let kind = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
        return Ok((kind, text).into_response());
    }
    let mut whole = shown(&report);
    whole.document = Some(document(&part(&desk, &report.document).await?));
    whole.markdown = Some(part(&desk, &report.markdown).await?);
    Ok(Json(whole).into_response())
}

fn wants_markdown(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| {
        accept
            .split(',')
            .any(|kind| kind.trim().starts_with("text/markdown"))
    })
}

async fn part(desk: &Desk, body: &Body) -> Answered<String> {
    match body {
        Body::Inline(text) => Ok(text.clone()),
        Body::Blob(blob) => {
            let bytes = desk.blobs.read_limited(blob, PART_BYTES).await?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}
