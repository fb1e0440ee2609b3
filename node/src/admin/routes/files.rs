//! `GET /v1/cases/{case}/files…`: what was handed along with a case, found, and left.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use rules::attempt::Body;
use rules::case::Case;
use rules::id::{BlobRef, CaseId};

use super::case::look;
use super::name;
use crate::admin::desk::Shared;
use crate::admin::extract::PathOf;
use crate::admin::pieces::send;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{CaseFile, CaseFiles, Code, Consistency, ErrorBody, FileKind};

/// A file of a case and where its bytes are.
struct Found {
    kind: FileKind,
    path: String,
    body: Body,
}

/// The files of a case. Linearizable.
#[utoipa::path(get, path = "/v1/cases/{case}/files", tag = "files",
    params(("case" = String, Path, description = "its number", example = "c-1")),
    responses((status = 200, description = "its files", body = CaseFiles),
              (status = 404, description = "there is no such case", body = ErrorBody)))]
pub(super) async fn list(
    State(desk): State<Shared>,
    PathOf(case): PathOf<String>,
) -> Answered<Json<CaseFiles>> {
    let id: CaseId = name(&case)?;
    let freshness = desk.fresh(Consistency::Linearizable).await?;
    let files = look(&desk, id, |case| {
        files(case).iter().map(Found::shown).collect()
    })
    .await?;
    Ok(Json(CaseFiles {
        case: id.to_string(),
        files,
        freshness,
    }))
}

/// The bytes of one file of a case.
#[utoipa::path(get, path = "/v1/cases/{case}/files/{path}", tag = "files",
    params(("case" = String, Path, description = "its number", example = "c-1"),
           ("path" = String, Path, description = "the path that the list of files gave")),
    responses((status = 200, description = "its bytes",
               body = Vec<u8>, content_type = "application/octet-stream"),
              (status = 404, description = "there is no such case or file", body = ErrorBody)))]
pub(super) async fn download(
    State(desk): State<Shared>,
    PathOf((case, path)): PathOf<(String, String)>,
) -> Answered<Response> {
    let id: CaseId = name(&case)?;
    desk.fresh(Consistency::Linearizable).await?;
    let wanted = path.clone();
    let found = look(&desk, id, move |case| {
        files(case)
            .into_iter()
            .find(|file| file.path == wanted)
            .map(|file| file.body)
    });
    match found.await? {
        Some(Body::Inline(text)) => {
            let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
            Ok((kind, text).into_response())
        }
        Some(Body::Blob(blob)) => send(&desk, &blob).await,
        None => {
            let path = config::mistake::shown(&path);
            let refused = Refused::new(Code::NotFound, format!("case {id} has no file {path}"));
            Err(refused.hint(format!("domo case files {id} lists them")))
        }
    }
}

/// Everything that a case holds, in its order.
fn files(case: &Case) -> Vec<Found> {
    let mut files = Vec::new();
    let mut add = |kind, path: String, body: &Body| {
        files.push(Found {
            kind,
            path,
            body: body.clone(),
        });
    };
    let blob = |blob: &BlobRef| Body::Blob(*blob);
    for (at, brief) in case.briefs.iter().enumerate() {
        add(
            FileKind::Brief,
            format!("briefs/{}.md", at + 1),
            &brief.text,
        );
    }
    for file in &case.attachments {
        add(
            FileKind::Attachment,
            format!("attachments/{}", file.path),
            &blob(&file.blob),
        );
    }
    for stage in case.all_stages() {
        let (name, Some(result)) = (&stage.spec.name, &stage.result) else {
            continue;
        };
        add(
            FileKind::Result,
            format!("results/{name}.json"),
            &result.document,
        );
        for artifact in &result.artifacts {
            let path = format!("artifacts/{name}/{}", artifact.name);
            add(FileKind::Artifact, path, &blob(&artifact.blob));
        }
    }
    if let Some(report) = &case.report {
        add(FileKind::Report, "report.md".to_owned(), &report.markdown);
        add(FileKind::Report, "report.json".to_owned(), &report.document);
    }
    files
}

impl Found {
    fn shown(&self) -> CaseFile {
        let (bytes, sha256) = match &self.body {
            Body::Inline(text) => (text.len() as u64, None),
            Body::Blob(blob) => (blob.bytes, Some(blob.to_string())),
        };
        CaseFile {
            kind: self.kind,
            path: self.path.clone(),
            bytes,
            sha256,
        }
    }
}
