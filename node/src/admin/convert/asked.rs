//! What a person asks, as the rules understand it.

use rules::attempt::Artifact;
use rules::case::Attachment;
use rules::id::BlobRef;
use rules::right::Right;
use rules::{Command, Principal, Rejection};
use sha2::{Digest as _, Sha256};

use super::document::FindBlob;
use crate::admin::wire::{self, Code, ErrorShape};

/// The most letters of a title that is taken from a brief.
const TITLE_CHARS: usize = 120;

/// Attachments with their blobs, or what is missing, a sentence each.
pub(in crate::admin) fn attachments(
    asked: &[wire::Attachment],
    blobs: &dyn FindBlob,
) -> Result<Vec<Attachment>, Vec<String>> {
    found(asked, blobs, |path, blob| Attachment { path, blob })
}

/// Artifacts with their blobs, or what is missing, a sentence each.
pub(in crate::admin) fn artifacts(
    asked: &[wire::Attachment],
    blobs: &dyn FindBlob,
) -> Result<Vec<Artifact>, Vec<String>> {
    found(asked, blobs, |name, blob| Artifact { name, blob })
}

fn found<T>(
    asked: &[wire::Attachment],
    blobs: &dyn FindBlob,
    take: impl Fn(String, BlobRef) -> T,
) -> Result<Vec<T>, Vec<String>> {
    let (mut taken, mut missing) = (Vec::new(), Vec::new());
    for file in asked {
        match blobs.find(&file.sha256) {
            Ok(blob) => taken.push(take(file.path.clone(), blob)),
            Err(why) => missing.push(format!("{}: {why}", file.path)),
        }
    }
    if missing.is_empty() {
        Ok(taken)
    } else {
        Err(missing)
    }
}

/// The title of a case that has none: the first line of its brief that says something.
pub(in crate::admin) fn title(brief: &str) -> String {
    let line = brief.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or_default().trim_start_matches(['#', ' ']);
    let mut title: String = line.chars().take(TITLE_CHARS).collect();
    if line.chars().nth(TITLE_CHARS).is_some() {
        title.push('…');
    }
    title
}

/// A SHA-256 in hexadecimal.
pub(in crate::admin) fn sha256(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// Tells wishes apart under one request id: the same wish of the same asker gives the same number on
/// every node. Another's under that id is refused, and does not learn what was answered.
///
/// `beside` is what belongs to the wish and not to the command that it became.
pub(in crate::admin) fn digest(asker: &Principal, command: &Command, beside: &str) -> u64 {
    // Both are plain ordered data: they always have their JSON.
    let json = serde_json::to_vec(&(asker, command)).unwrap_or_default();
    let digest = Sha256::new()
        .chain_update(json)
        .chain_update(beside)
        .finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A refusal of the rules as it is shown.
pub(in crate::admin) fn refusal(rejection: &Rejection) -> ErrorShape {
    let shape = |code| ErrorShape::new(code, rejection.to_string());
    match rejection {
        Rejection::Denied {
            right: Right::CreateCase,
            team: None,
            ..
        } => shape(Code::NotYours).hint("name one of your teams: only an admin leaves it open"),
        Rejection::NotYours { .. } | Rejection::Denied { .. } | Rejection::Undecided => {
            shape(Code::NotYours)
        }
        Rejection::Outdated => shape(Code::Stale).hint("ask again"),
        Rejection::Stale { .. } => shape(Code::Stale).hint("look how it is now, then ask again"),
        Rejection::Expired => shape(Code::Expired)
            .hint("look whether it was done; if not, ask again with a new request id"),
        Rejection::RequestReused => shape(Code::RequestReused),
        Rejection::NoTeam(_)
        | Rejection::NoWorker(_)
        | Rejection::NoCase(_)
        | Rejection::NoStage(..)
        | Rejection::NoAttempt(_)
        | Rejection::NoDocument(_)
        | Rejection::NoNode(_)
        | Rejection::NoToken(_)
        | Rejection::NoTarget(_)
        | Rejection::NoEffect(_)
        | Rejection::NoHuman(_)
        | Rejection::NoPolicy(_) => shape(Code::NotFound),
        Rejection::WrongState { .. } => shape(Code::WrongState),
        Rejection::Limit { limit, max } => shape(Code::Limit).limit(limit.clone(), *max),
        Rejection::Invalid(reasons) => {
            let mut shape = shape(Code::Invalid);
            shape.reasons.clone_from(reasons);
            shape
        }
    }
}

#[cfg(test)]
mod tests {
    use rules::id::{CaseId, HumanName};

    use super::{Command, Principal, digest, sha256, title};

    #[test]
    fn another_asker_or_another_wish_has_another_digest() {
        let human = |name| Principal::human(HumanName::new(name).unwrap());
        let resume = |case| Command::ResumeCase { case: CaseId(case) };
        let own = digest(&human("sam"), &resume(1), "");
        assert_eq!(own, digest(&human("sam"), &resume(1), ""));
        assert_ne!(own, digest(&human("ann"), &resume(1), ""));
        assert_ne!(own, digest(&human("sam"), &resume(2), ""));
        assert_ne!(own, digest(&human("sam"), &resume(1), "beside"));
    }

    #[test]
    fn a_title_is_the_first_line_that_says_something() {
        assert_eq!(title("\n  \n## pod is Pending\nmore"), "pod is Pending");
        assert_eq!(title(&"ü".repeat(500)).chars().count(), 121);
        assert_eq!(title(""), "");
    }

    #[test]
    fn only_sixty_four_hexadecimal_digits_are_a_digest() {
        assert_eq!(sha256(&"0f".repeat(32)), Some([15; 32]));
        for text in [
            "",
            "0f",
            &"0g".repeat(32),
            &"+f".repeat(32),
            &"ü".repeat(32),
        ] {
            assert_eq!(sha256(text), None, "{text}");
        }
    }
}
