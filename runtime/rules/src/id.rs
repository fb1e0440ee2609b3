//! Names and numbers by which the rules tell things apart; each is a type of its own.

mod request;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits;
pub use request::RequestId;

/// A number that names something; shown with its prefix.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadName;

            /// Reads the number with or without its prefix.
            fn from_str(text: &str) -> Result<Self, BadName> {
                let digits = text.strip_prefix($prefix).unwrap_or(text);
                digits.parse().map(Self).map_err(|_| BadName {
                    name: shorten(text),
                    why: concat!("expected a number such as ", $prefix, "1"),
                })
            }
        }
    };
}

number!(
    /// A node of the cluster: one daemon on one host.
    NodeId, "n-"
);
number!(
    /// A case, numbered by the ledger in the order of opening.
    CaseId, "c-"
);

/// A word that names something: 1 to 63 of `a-z`, `0-9` and `-`, beginning and ending with a letter or digit.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(String);

        impl $name {
            /// Takes `text` as a name, or says why it is none.
            pub fn new(text: &str) -> Result<Self, BadName> {
                check_word(text)?;
                Ok(Self(text.to_owned()))
            }

            /// The name as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                Self::new(text)
            }
        }
    };
}

word!(
    /// A team.
    TeamName
);
word!(
    /// A worker within its team; the butler's own slot has the butler's name.
    WorkerName
);
word!(
    /// A stage within its case.
    StageName
);
word!(
    /// Something that a worker can do.
    SkillName
);
word!(
    /// A playbook within its team.
    PlaybookName
);
word!(
    /// Something that agents reach through the gateway.
    TargetName
);
word!(
    /// A token: with it a new node may join, or a human is known by it.
    TokenName
);
word!(
    /// A policy of the organisation.
    PolicyName
);

/// A text that names something in the world outside, with its own idea of what a name is.
macro_rules! foreign {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(String);

        impl $name {
            /// Takes `text` as a name, or says why it is none.
            pub fn new(text: &str) -> Result<Self, BadName> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }

            /// The name as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                Self::new(text)
            }
        }
    };
}

foreign!(
    /// A person, as they are called where they log in: a word that may have `.` and `_` inside.
    HumanName,
    check_login
);
foreign!(
    /// A person's number among the organisation's people: 1 to 63 visible characters of ASCII.
    EmployeeId,
    check_employee
);

impl EmployeeId {
    /// The number behind what is written: leading zeros and capitals are a matter of the cell that
    /// it stood in.
    pub(crate) fn significant(&self) -> Self {
        let bare = self.0.trim_start_matches('0');
        let bare = if bare.is_empty() { "0" } else { bare };
        Self(bare.to_ascii_lowercase())
    }
}

/// A text that cannot serve as a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadName {
    /// The text, shortened.
    pub name: String,
    /// What a name must look like.
    pub why: &'static str,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a name: {}", self.name, self.why)
    }
}

impl std::error::Error for BadName {}

/// Whether `text` is a name.
pub(crate) fn check_word(text: &str) -> Result<(), BadName> {
    let bad = |why| {
        Err(BadName {
            name: shorten(text),
            why,
        })
    };
    if text.is_empty() || text.len() > limits::MAX_NAME_BYTES {
        return bad("1 to 63 characters are allowed");
    }
    if !text
        .bytes()
        .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    {
        return bad("only a-z, 0-9 and - are allowed");
    }
    if text.starts_with('-') || text.ends_with('-') {
        return bad("it must begin and end with a letter or a digit");
    }
    Ok(())
}

/// Whether `text` is what a person is called where they log in.
pub(crate) fn check_login(text: &str) -> Result<(), BadName> {
    let is_word = check_word(&text.replace(['.', '_'], "-"));
    is_word.map_err(|bad| BadName {
        name: shorten(text),
        why: if bad.why.starts_with("only") {
            "only a-z, 0-9, -, . and _ are allowed"
        } else {
            bad.why
        },
    })
}

/// Whether `text` can be an employee's number.
pub(crate) fn check_employee(text: &str) -> Result<(), BadName> {
    let is_fit = (1..=limits::MAX_NAME_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_fit {
        return Ok(());
    }
    Err(BadName {
        name: shorten(text),
        why: "1 to 63 visible characters of ASCII are allowed",
    })
}

fn shorten(text: &str) -> String {
    text.chars().take(limits::MAX_NAME_BYTES + 1).collect()
}

/// A worker of a team, written `team/worker`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkerId {
    /// The team it belongs to.
    pub team: TeamName,
    /// Its name there.
    pub name: WorkerName,
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.team, self.name)
    }
}

impl std::str::FromStr for WorkerId {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let (team, name) = text.split_once('/').ok_or(BadName {
            name: shorten(text),
            why: "expected team/worker",
        })?;
        Ok(Self {
            team: TeamName::new(team)?,
            name: WorkerName::new(name)?,
        })
    }
}

/// One run of a stage; numbered within its case, over all stages and generations; written `c-1.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId {
    /// The case.
    pub case: CaseId,
    /// The number within the case, from 1.
    pub number: u32,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.case, self.number)
    }
}

/// The number of a placement of a butler or worker: it rises when it moves or is replaced.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The one after this.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The ledger's own time: milliseconds of boot-clock time that its leaders have counted.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ClockMs(pub u64);

impl ClockMs {
    /// This time and `ms` more.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// Bytes named by their SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// The digest of the bytes.
    pub sha256: [u8; 32],
    /// How many there are.
    pub bytes: u64,
}

impl fmt::Display for BlobRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sha256
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
