//! Why a verb did not do what was asked: what was wrong, where, and what to do next.
//!
//! ```text
//! 0  done
//! 1  refused: by the node, by a file, or a case that did not succeed
//! 2  wrong usage
//! 3  no daemon
//! 4  timed out, and the outcome is unknown
//! 130  interrupted
//! ```

use std::error::Error as _;
use std::io;

use config::mistake::Mistakes;
use serde::Serialize;
use thiserror::Error;

use super::print::{self, Printer, word};
use crate::admin::client::ClientError;
use crate::admin::wire::{CaseOutcome, Code, LimitReached};

/// Why a verb stopped, named after what to do next.
#[derive(Debug, Error)]
pub(crate) enum Stop {
    /// Do what the node's answer, or its silence, asks for.
    #[error(transparent)]
    Asked(#[from] ClientError),
    /// There is no node there: start one, or name another socket.
    #[error("no daemon answers at {socket}: {why}")]
    StartNode {
        /// Where one was looked for.
        socket: String,
        /// What the system said.
        why: String,
        /// Why there, and what to do.
        hint: String,
    },
    /// Say it otherwise: the command line is wrong.
    #[error("{what}")]
    Rephrase {
        /// What is wrong with it.
        what: String,
        /// What to write instead.
        hint: String,
    },
    /// Mend a file, or what else stands in the way.
    #[error("{what}")]
    Mend {
        /// What is wrong, and where.
        what: String,
        /// What to do; empty where that is plain.
        hint: String,
    },
    /// Mend files that people wrote: each mistake with its place.
    #[error("{what}")]
    MendAll {
        /// What is not done because of them.
        what: String,
        /// The mistakes.
        mistakes: Mistakes,
    },
    /// Make what is handed along smaller.
    #[error("{what} ({name} is {max})")]
    Shrink {
        /// What is too large.
        what: String,
        /// The limit's name.
        name: &'static str,
        /// Its value.
        max: u64,
    },
    /// Read the report: the case is over and did not succeed.
    #[error("case {case} {}", ended(*.outcome, .reason.as_deref()))]
    ReadReport {
        /// The case.
        case: String,
        /// How it ended.
        outcome: CaseOutcome,
        /// Why.
        reason: Option<String>,
    },
    /// Look again later: what was waited for has not come.
    #[error("{what}")]
    LookLater {
        /// What has not come.
        what: String,
        /// How to look again.
        hint: String,
    },
    /// Ask again with the same request id: whether it was done is not known.
    #[error("whether it was done is not known: {why}")]
    Repeat {
        /// The request's id.
        request_id: String,
        /// What happened.
        why: String,
    },
    /// Whoever asked interrupted it.
    #[error("{what}")]
    Interrupted {
        /// What goes on, or not.
        what: String,
    },
    /// The answer cannot be written.
    #[error("the answer cannot be written")]
    Output(#[from] io::Error),
}

fn ended(outcome: CaseOutcome, reason: Option<&str>) -> String {
    let verb = match outcome {
        CaseOutcome::Cancelled => "was cancelled".to_owned(),
        CaseOutcome::Succeeded | CaseOutcome::Failed | CaseOutcome::Unnamed => word(&outcome),
    };
    reason.map_or_else(|| verb.clone(), |reason| format!("{verb}: {reason}"))
}

/// An error as programs read it, the last line of standard error.
#[derive(Debug, Serialize)]
struct Told<'a> {
    exit_code: u8,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'a LimitReached>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl Stop {
    /// Wrong usage.
    pub(crate) fn rephrase(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Rephrase {
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// Something that stands in the way.
    pub(crate) fn mend(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Mend {
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// The process' exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Asked(error) => error.exit_code(),
            Self::StartNode { .. } => 3,
            Self::Rephrase { .. } => 2,
            Self::Mend { .. }
            | Self::MendAll { .. }
            | Self::Shrink { .. }
            | Self::ReadReport { .. }
            | Self::Output(_) => 1,
            Self::LookLater { .. } | Self::Repeat { .. } => 4,
            Self::Interrupted { .. } => 130,
        }
    }

    /// Says it on standard error; answers the exit code.
    pub(crate) fn tell(&self, printer: Printer) -> u8 {
        if self.is_reader_gone() {
            // Whoever reads the answer has enough, as in `domo case list | head`.
            return 0;
        }
        let told = self.told();
        if printer.is_json() {
            let line = serde_json::json!({ "error": told }).to_string();
            print::note(&super::screen::json(&line));
            return told.exit_code;
        }
        let mut text = format!("error: {}", told.message);
        for reason in &told.reasons {
            text.push_str("\n  ");
            text.push_str(reason);
        }
        if let Some(hint) = &told.hint {
            text.push_str("\nhint: ");
            text.push_str(hint);
        }
        print::note(&text);
        told.exit_code
    }

    fn is_reader_gone(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What is wrong; of a question that changes nothing, nothing needs to be known.
    fn message(&self) -> String {
        if let Self::Asked(ClientError::Unknown {
            request_id: None,
            why,
        }) = self
        {
            return format!("the daemon did not answer: {why}");
        }
        self.to_string()
    }

    fn told(&self) -> Told<'_> {
        let mut told = Told {
            exit_code: self.exit_code(),
            message: self.message(),
            code: None,
            hint: self.hint().filter(|hint| !hint.is_empty()),
            limit: None,
            reasons: Vec::new(),
            request_id: None,
        };
        let mut source = self.source();
        while let Some(error) = source {
            told.message.push_str(": ");
            told.message.push_str(&error.to_string());
            source = error.source();
        }
        match self {
            Self::Asked(ClientError::Refused { refusal }) => {
                told.code = Some(refusal.error.code);
                told.limit = refusal.error.limit.as_ref();
                told.reasons.clone_from(&refusal.error.reasons);
                // A refusal for one reason is that reason.
                told.reasons
                    .retain(|reason| *reason != refusal.error.message);
            }
            Self::Asked(ClientError::Unknown { request_id, .. }) => {
                told.request_id = request_id.as_deref();
            }
            Self::Repeat { request_id, .. } => told.request_id = Some(request_id),
            Self::MendAll { mistakes, .. } => {
                told.reasons = mistakes.to_string().lines().map(str::to_owned).collect();
            }
            Self::Asked(_)
            | Self::StartNode { .. }
            | Self::Rephrase { .. }
            | Self::Mend { .. }
            | Self::Shrink { .. }
            | Self::ReadReport { .. }
            | Self::LookLater { .. }
            | Self::Interrupted { .. }
            | Self::Output(_) => {}
        }
        told
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Asked(error) => error.hint(),
            Self::StartNode { hint, .. }
            | Self::Rephrase { hint, .. }
            | Self::Mend { hint, .. }
            | Self::LookLater { hint, .. } => Some(hint.clone()),
            Self::Shrink { name, .. } if name.starts_with("max_") => {
                Some("make it shorter; what is long can be attached as a file".to_owned())
            }
            Self::Shrink {
                name: name @ "brief_bytes",
                ..
            } => Some(format!(
                "attach it as a file with --attach, or raise limits.{name} in the settings of the nodes"
            )),
            Self::Shrink { name, .. } => Some(format!(
                "hand over less, or raise limits.{name} in the settings of the nodes"
            )),
            Self::ReadReport { case, .. } => Some(format!("read `domo case report {case}`")),
            Self::Repeat { request_id, .. } => Some(format!(
                "repeat it with --request-id {request_id}: nothing is done twice"
            )),
            Self::MendAll { .. } | Self::Interrupted { .. } | Self::Output(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Stop;
    use crate::admin::client::{ClientError, Refusal};
    use crate::admin::wire::{CaseOutcome, Code, ErrorShape};

    #[test]
    fn each_way_to_stop_has_its_exit_code() {
        let refusal = Refusal {
            status: 404,
            error: ErrorShape::new(Code::NotFound, "no case c-9"),
        };
        let repeat = Stop::Repeat {
            request_id: "r".into(),
            why: "no answer".into(),
        };
        let unknown = ClientError::Unknown {
            request_id: Some("r".into()),
            why: "lost".into(),
        };
        let cancelled = Stop::ReadReport {
            case: "c-1".into(),
            outcome: CaseOutcome::Cancelled,
            reason: None,
        };
        for (stop, code) in [
            (
                Stop::from(ClientError::Refused {
                    refusal: Box::new(refusal),
                }),
                1,
            ),
            (cancelled, 1),
            (Stop::rephrase("what", "so"), 2),
            (
                Stop::StartNode {
                    socket: "s".into(),
                    why: "w".into(),
                    hint: "h".into(),
                },
                3,
            ),
            (repeat, 4),
            (Stop::from(unknown), 4),
        ] {
            assert_eq!(stop.exit_code(), code, "{stop}");
        }
    }

    #[test]
    fn an_unknown_outcome_says_how_to_repeat() {
        let stop = Stop::Repeat {
            request_id: "abc@7".into(),
            why: "no answer".into(),
        };
        let told = stop.told();
        assert_eq!(told.request_id, Some("abc@7"));
        assert!(told.hint.unwrap().contains("--request-id abc@7"));
    }

    #[test]
    fn a_message_holds_its_causes_once() {
        let source = std::io::Error::other("the disk is on fire");
        let told = Stop::Output(source);
        assert_eq!(
            told.told().message,
            "the answer cannot be written: the disk is on fire"
        );
    }

    #[test]
    fn a_closed_pipe_is_no_failure_of_the_command() {
        let gone = Stop::Output(std::io::ErrorKind::BrokenPipe.into());
        assert!(gone.is_reader_gone());
    }

    #[test]
    fn an_ended_case_says_how() {
        let failed = Stop::ReadReport {
            case: "c-2".into(),
            outcome: CaseOutcome::Failed,
            reason: Some("stage a failed".into()),
        };
        assert_eq!(failed.to_string(), "case c-2 failed: stage a failed");
    }
}
