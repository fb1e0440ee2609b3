//! `result.json`: what an agent found, as it crosses the border from a stranger's program.
//!
//! # Invariant
//!
//! Whatever the bytes are, [`parse`] answers with a result within the limits or with a sentence
//! that tells the agent's author what to change; it never panics and never uses more memory than
//! a small multiple of [`RESULT_LIMIT_BYTES`].
//!
//! # Why
//!
//! Unknown keys are allowed (an agent may say more than is asked); unknown versions are not,
//! because their known keys may mean something else.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::CONTRACT_VERSION;
use crate::redact::{redact, redacted};

/// Largest `result.json` that is read: a result is text for people, evidence goes to artifacts.
pub const RESULT_LIMIT_BYTES: usize = 256 << 10;
/// Most findings in one result: more than a person reads, less than a flood.
pub const FINDINGS_LIMIT: usize = 200;
/// Most pieces of evidence on one finding.
pub const EVIDENCE_LIMIT: usize = 100;
/// Longest single text in a result.
pub const TEXT_LIMIT_BYTES: usize = 64 << 10;
/// Longest title of a finding: one line.
pub const TITLE_LIMIT_BYTES: usize = 512;

/// An agent's result, version 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ParsedResult {
    /// The contract's version; absent means 1.
    #[serde(default = "current_version")]
    pub version: u32,
    /// The answer in a few sentences; Markdown.
    #[serde(default)]
    pub summary: String,
    /// What was found, each with its evidence.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// What explains the fault, where the agent knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<String>,
    /// Who or what is affected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<String>,
    /// How sure the agent is, in its own words or as a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<serde_json::Value>,
    /// A plan for the case, when the stage was planning; checked by the rules, not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<serde_json::Value>,
}

/// One thing that was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// One line.
    pub title: String,
    /// The rest; Markdown.
    #[serde(default)]
    pub detail: String,
    /// How bad: the agent's own word, `info`, `warning` or `critical` by custom.
    #[serde(default)]
    pub severity: String,
    /// What shows it: quotations, numbers, names of artifacts.
    #[serde(default)]
    pub evidence: Vec<String>,
}

/// What is wrong with a result, said to the author of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadResult {
    /// Not a plain file: a link, a pipe, a folder, or someone else's.
    #[error("{name} is {what}, not a plain file of the agent's own")]
    NotAFile {
        /// Which file.
        name: String,
        /// What it is instead.
        what: String,
    },
    /// Larger than is read.
    #[error("{name} has {bytes} bytes, at most {limit} are read; put evidence into artifacts/")]
    TooLarge {
        /// Which file.
        name: String,
        /// Its size.
        bytes: u64,
        /// [`RESULT_LIMIT_BYTES`].
        limit: usize,
    },
    /// Not text.
    #[error("{name} is not valid UTF-8 at byte {at}")]
    NotUtf8 {
        /// Which file.
        name: String,
        /// The first wrong byte.
        at: usize,
    },
    /// Ends in the middle: the agent was stopped while it wrote, or did not rename.
    #[error("{name} ends in the middle, at line {line} column {column}: {why}")]
    Half {
        /// Which file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The parser's words.
        why: String,
    },
    /// Not the JSON that the contract asks for.
    #[error("{name} is not a result at line {line} column {column}: {why}")]
    Malformed {
        /// Which file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The parser's words.
        why: String,
    },
    /// A version that this release does not speak.
    #[error("{name} says version {version}, this release reads version {CONTRACT_VERSION}")]
    UnknownVersion {
        /// Which file.
        name: String,
        /// The version it says.
        version: u32,
    },
    /// A part is larger than it may be.
    #[error("{name}: {part} is too large: {size}, at most {limit}")]
    PartTooLarge {
        /// Which file.
        name: String,
        /// Which part, as a path in the JSON.
        part: String,
        /// Its length.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Says nothing.
    #[error("{name} says nothing: no summary, no finding, no root cause and no plan")]
    Empty {
        /// Which file.
        name: String,
    },
}

impl ParsedResult {
    /// The same with what looks like a secret taken out of each of its texts.
    #[must_use]
    pub fn redacted(mut self) -> Self {
        self.summary = redacted(self.summary);
        for finding in &mut self.findings {
            for text in [&mut finding.title, &mut finding.detail]
                .into_iter()
                .chain(&mut finding.evidence)
            {
                *text = redacted(std::mem::take(text));
            }
        }
        for text in [
            &mut self.root_cause,
            &mut self.recommendation,
            &mut self.impact,
        ] {
            *text = text.take().map(redacted);
        }
        for document in [&mut self.confidence, &mut self.plan].into_iter().flatten() {
            redact(document);
        }
        self
    }
}

fn current_version() -> u32 {
    CONTRACT_VERSION
}

/// Reads the bytes of the file called `name` as a result.
///
/// # Errors
/// [`BadResult`], each variant a sentence for the agent's author.
pub fn parse(name: &str, bytes: &[u8]) -> Result<ParsedResult, BadResult> {
    let name = || name.to_owned();
    if bytes.len() > RESULT_LIMIT_BYTES {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        return Err(BadResult::TooLarge {
            name: name(),
            bytes: size,
            limit: RESULT_LIMIT_BYTES,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|wrong| BadResult::NotUtf8 {
        name: name(),
        at: wrong.valid_up_to(),
    })?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('[') {
        // The parser would take a list for the object's values in order.
        let why = "a list, not an object".to_owned();
        return Err(BadResult::Malformed {
            name: name(),
            line: 1,
            column: 1,
            why,
        });
    }
    let result: ParsedResult = serde_json::from_str(text).map_err(|wrong| place(name(), &wrong))?;
    if result.version != CONTRACT_VERSION {
        return Err(BadResult::UnknownVersion {
            name: name(),
            version: result.version,
        });
    }
    measure(&name(), &result)?;
    Ok(result)
}

/// A result that is nothing but a text: `result.md`, or standard output.
pub fn from_text(text: &str) -> ParsedResult {
    ParsedResult {
        version: CONTRACT_VERSION,
        summary: text.to_owned(),
        ..ParsedResult::default()
    }
}

fn place(name: String, wrong: &serde_json::Error) -> BadResult {
    let (line, column) = (wrong.line(), wrong.column());
    // The parser's own words without the place, which is said apart.
    let mut why = wrong.to_string();
    if let Some(at) = why.rfind(" at line ") {
        why.truncate(at);
    }
    let why = why.chars().take(200).collect();
    if wrong.is_eof() {
        BadResult::Half {
            name,
            line,
            column,
            why,
        }
    } else {
        BadResult::Malformed {
            name,
            line,
            column,
            why,
        }
    }
}

fn measure(name: &str, result: &ParsedResult) -> Result<(), BadResult> {
    let within = |part: String, size: usize, limit: usize| {
        if size <= limit {
            Ok(())
        } else {
            Err(BadResult::PartTooLarge {
                name: name.to_owned(),
                part,
                size,
                limit,
            })
        }
    };
    within("summary".into(), result.summary.len(), TEXT_LIMIT_BYTES)?;
    let texts = [
        ("root_cause", &result.root_cause),
        ("recommendation", &result.recommendation),
        ("impact", &result.impact),
    ];
    for (part, text) in texts {
        within(
            part.into(),
            text.as_ref().map_or(0, String::len),
            TEXT_LIMIT_BYTES,
        )?;
    }
    within("findings".into(), result.findings.len(), FINDINGS_LIMIT)?;
    for (at, finding) in result.findings.iter().enumerate() {
        within(
            format!("findings[{at}].title"),
            finding.title.len(),
            TITLE_LIMIT_BYTES,
        )?;
        within(
            format!("findings[{at}].severity"),
            finding.severity.len(),
            TITLE_LIMIT_BYTES,
        )?;
        within(
            format!("findings[{at}].detail"),
            finding.detail.len(),
            TEXT_LIMIT_BYTES,
        )?;
        within(
            format!("findings[{at}].evidence"),
            finding.evidence.len(),
            EVIDENCE_LIMIT,
        )?;
        for (piece, text) in finding.evidence.iter().enumerate() {
            let part = format!("findings[{at}].evidence[{piece}]");
            within(part, text.len(), TEXT_LIMIT_BYTES)?;
        }
    }
    let says_something = !result.summary.trim().is_empty()
        || !result.findings.is_empty()
        || result.root_cause.is_some()
        || result.plan.is_some();
    if says_something {
        Ok(())
    } else {
        Err(BadResult::Empty {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(text: &[u8]) -> String {
        parse("result.json", text)
            .expect_err("this is not a result")
            .to_string()
    }

    #[test]
    fn an_agent_may_say_more_than_is_asked() {
        let text = br#"{"summary":"fine","mood":"good","findings":[{"title":"t","more":[1]}]}"#;
        let result = parse("result.json", text).unwrap();
        assert_eq!(result.summary, "fine");
        assert_eq!(result.version, 1);
        assert_eq!(result.findings[0].title, "t");
    }

    #[test]
    fn half_a_result_is_told_from_a_wrong_one() {
        assert!(bad(br#"{"summary":"fi"#).contains("ends in the middle"));
        assert!(bad(br#"{"summary":5}"#).contains("is not a result at line 1"));
        assert!(bad(b"").contains("ends in the middle"));
        assert!(bad(b"null").contains("is not a result"));
    }

    #[test]
    fn wrong_text_and_unknown_versions_are_named() {
        assert!(bad(b"{\"summary\":\"\xff\"}").contains("UTF-8 at byte 12"));
        assert!(bad(br#"{"version":2,"summary":"x"}"#).contains("says version 2"));
        assert!(bad(br#"{"version":1}"#).contains("says nothing"));
    }

    #[test]
    fn a_secret_is_taken_out_of_every_text_of_a_result() {
        let secret = "password=hunter2!";
        let text = serde_json::json!({
            "summary": secret, "root_cause": secret, "recommendation": secret, "impact": secret,
            "confidence": secret, "plan": {"stages": [{"brief": secret}]},
            "findings": [{"title": secret, "detail": secret, "evidence": [secret]}],
        });
        let result = parse("result.json", text.to_string().as_bytes()).unwrap();
        let kept = serde_json::to_string(&result.redacted()).unwrap();
        assert!(!kept.contains("hunter2"), "{kept}");
        assert_eq!(kept.matches("[redacted: password]").count(), 9, "{kept}");
    }

    #[test]
    fn deep_nesting_and_huge_parts_are_refused() {
        let deep = format!(
            "{{\"plan\":{}{}}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(bad(deep.as_bytes()).contains("recursion limit"));
        let long = format!(r#"{{"summary":"{}"}}"#, "x".repeat(TEXT_LIMIT_BYTES + 1));
        assert!(bad(long.as_bytes()).contains("summary is too large"));
        let many = format!(
            r#"{{"findings":[{}]}}"#,
            vec![r#"{"title":"t"}"#; 201].join(",")
        );
        assert!(bad(many.as_bytes()).contains("findings is too large: 201, at most 200"));
        assert!(bad(&vec![b' '; RESULT_LIMIT_BYTES + 1]).contains("at most 262144 are read"));
    }
}
