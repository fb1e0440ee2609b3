//! An effect: something that an agent does to the outside, from its intent to what came of it.
//!
//! ```text
//! begin ─► intended ─► done              the gateway heard the target's answer
//!             │   └──► not done          it surely never arrived
//!             └──────► settled           a human says which
//! ```
//!
//! # Invariant
//! An unkeyed effect leaves the gateway once for each time that it is intended, and is intended
//! again only when it is known that it was not done.
//!
//! # Why
//! The intent is in the ledger before the request leaves, so the entry that takes an attempt back
//! knows every effect of it that can still arrive: a keyed one is repeated under the same key, an
//! unkeyed one parks the stage, by that same entry, until a human or a late answer settles it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::id::{CaseId, StageName, TargetName};
use crate::target::Class;

/// Names an effect: the same whichever attempt does it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EffectKey(String);

impl EffectKey {
    /// The key as it is written: visible ASCII, fit for a header.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it can be a key: what comes over a wire was not made by [`key`].
    pub(crate) fn fits(&self) -> bool {
        (1..=crate::limits::MAX_EFFECT_KEY_BYTES).contains(&self.0.len())
            && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl fmt::Display for EffectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for EffectKey {
    type Err = crate::id::BadName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let key = Self(text.to_owned());
        if key.fits() {
            return Ok(key);
        }
        Err(crate::id::BadName {
            name: text.chars().take(crate::limits::MAX_NAME_BYTES).collect(),
            why: "expected an effect's key",
        })
    }
}

/// What tells the effects of one stage apart.
#[derive(Clone, Copy, Debug)]
pub enum Named<'a> {
    /// The agent's own `Idempotency-Key`.
    ByAgent(&'a str),
    /// What is asked, where the agent gives it no name.
    ByRequest {
        /// Of whom.
        target: &'a TargetName,
        /// How.
        method: &'a str,
        /// Path and query.
        path: &'a str,
        /// The SHA-256 of the body.
        body: &'a [u8; 32],
        /// How many like it the same attempt has asked before, from 0.
        ordinal: u32,
    },
}

/// The key of an effect: the same for all attempts of a stage, another for any other stage, case
/// or cluster. `sha256` digests bytes; a digest is the caller's to make.
pub fn key(
    case: &Case,
    stage: &StageName,
    named: Named<'_>,
    sha256: impl FnOnce(&[u8]) -> [u8; 32],
) -> EffectKey {
    let digest = sha256(&spelled(case.opened_wall_ms, named));
    let short = digest.iter().take(KEY_DIGEST_BYTES);
    EffectKey(short.fold(beginning(case.id, stage), |key, byte| {
        key + &format!("{byte:02x}")
    }))
}

/// How the keys of a stage begin.
pub(crate) fn beginning(case: CaseId, stage: &StageName) -> String {
    format!("{case}.{stage}.")
}

/// What is digested: each part with its length before it, so that no two lists of parts read the
/// same. When a case was opened tells it from the case of the same number in another cluster that
/// reaches the same target, and stays with it when it is restored elsewhere.
fn spelled(opened_wall_ms: u64, named: Named<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut add = |part: &[u8]| {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part);
    };
    add(&opened_wall_ms.to_le_bytes());
    match named {
        Named::ByAgent(own) => {
            add(b"agent");
            add(own.as_bytes());
        }
        Named::ByRequest {
            target,
            method,
            path,
            body,
            ordinal,
        } => {
            add(b"request");
            add(target.as_str().as_bytes());
            add(method.as_bytes());
            add(path.as_bytes());
            add(body);
            add(&ordinal.to_le_bytes());
        }
    }
    bytes
}

/// Bytes of the digest in a key: as many as a UUID has, so that no two meet by chance.
const KEY_DIGEST_BYTES: usize = 16;

/// How far an effect is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EffectStatus {
    /// The gateway may send it, or has.
    Intended,
    /// It was done.
    Done {
        /// What the target answered, in a line.
        answer: String,
    },
    /// It was surely not done.
    NotDone {
        /// What was in its way.
        reason: String,
    },
    /// A human says whether it was done.
    Settled {
        /// Whether it was.
        was_done: bool,
        /// Who says so.
        by: String,
        /// How they know.
        reason: String,
    },
}

/// What the gateway knows of an effect that it has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EffectEnd {
    /// The target answered, whatever it answered.
    Done {
        /// The answer in a line, such as `201 Created`.
        answer: String,
    },
    /// Not a byte of it arrived.
    NotDone {
        /// What was in its way.
        reason: String,
    },
}

/// What an effect is, as it is begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its key.
    pub key: EffectKey,
    /// Who is asked.
    pub target: TargetName,
    /// The method, in capital letters.
    pub method: String,
    /// The class that the gateway saw: on an outdated one the intent is refused.
    pub class: Class,
    /// The SHA-256 of what is asked: path and body.
    pub digest: [u8; 32],
    /// How many like it the same attempt has asked before, from 0.
    pub ordinal: u32,
}

/// What the gateway shall do with an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Send it: it is intended now.
    Go,
    /// Send it under the same key: it was intended before, and what came of it is not known.
    Again,
    /// Leave it: it was intended before, what came of it is not known, and it could be done twice.
    Open,
    /// Leave it: it was done.
    Done {
        /// What the target answered, or who says that it was done.
        answer: String,
    },
    /// Leave it: the stage waits for a human, who must say what is so.
    Parked {
        /// Why.
        reason: String,
    },
}

/// An effect of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The stage.
    pub stage: StageName,
    /// The attempt that intended it last.
    pub attempt: u32,
    /// What it is.
    pub intent: Intent,
    /// How far it is.
    pub status: EffectStatus,
}

impl Effect {
    /// Whether it may have been done, could be done twice, and nobody knows.
    pub fn is_open(&self) -> bool {
        self.status == EffectStatus::Intended && self.intent.class == Class::Unkeyed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Named, spelled};
    use crate::id::TargetName;

    #[test]
    fn what_is_digested_is_the_same_each_time_and_another_for_any_other_effect() {
        let target = TargetName::new("kube").expect("it is a name");
        let body = [1; 32];
        let request = |path, ordinal| Named::ByRequest {
            target: &target,
            method: "POST",
            path,
            body: &body,
            ordinal,
        };
        let all = || {
            [
                spelled(5, Named::ByAgent("a")),
                spelled(5, Named::ByAgent("ab")),
                spelled(6, Named::ByAgent("a")),
                spelled(5, request("/a", 0)),
                spelled(5, request("/a", 1)),
                spelled(5, request("/b", 0)),
            ]
        };
        let distinct: BTreeSet<_> = all().into_iter().collect();
        assert_eq!(distinct.len(), all().len());
        assert_eq!(all(), all());
    }

    #[test]
    fn what_is_digested_stays_what_it_is_in_every_release() {
        let golden = [
            &[8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0][..],
            &[5, 0, 0, 0, 0, 0, 0, 0],
            b"agent",
            &[1, 0, 0, 0, 0, 0, 0, 0],
            b"a",
        ];
        assert_eq!(spelled(5, Named::ByAgent("a")), golden.concat());
    }
}
