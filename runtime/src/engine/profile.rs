//! What is asked of a container engine, and what it answers, in words of our own.

use std::collections::HashMap;
use std::path::PathBuf;

use super::BoxLimits;
use crate::spool::Owner;

/// What the engine says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    pub(super) version: String,
    /// What has no effect in it, each a sentence.
    pub(super) weaknesses: Vec<String>,
}

impl About {
    pub(super) fn new(version: Option<String>, has: &[(&str, bool)]) -> About {
        let lacks = has.iter().filter(|(_, is_there)| !is_there);
        let weaknesses = lacks
            .map(|(what, _)| format!("the engine has no {what}"))
            .collect();
        About {
            version: version.unwrap_or_default(),
            weaknesses,
        }
    }
}

/// A container to be made; the rest of its profile is the same for all.
pub(super) struct Profile<'a> {
    pub(super) image: &'a str,
    pub(super) user: Owner,
    pub(super) limits: &'a BoxLimits,
    /// From the host, to the box, whether read-only.
    pub(super) mounts: Vec<(PathBuf, String, bool)>,
    pub(super) entrypoint: Vec<String>,
    pub(super) labels: HashMap<String, String>,
}

/// What became of the wish for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    Created,
    /// There is one of this name.
    NameTaken,
    /// The engine has no such image.
    NoImage,
}

/// A container's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    Running,
    Paused,
    /// Created or ended: it can be started.
    Still,
    /// Half removed, or dead.
    Broken,
}

/// A container that is there.
#[derive(Debug)]
pub(super) struct Seen {
    /// Its id, which its groups have in their names.
    pub(super) container: String,
    pub(super) stands: Stands,
    pub(super) labels: HashMap<String, String>,
    /// Did the kernel kill something in it for memory?
    pub(super) is_out_of_memory: bool,
}

/// News of a container's end.
#[derive(Debug)]
pub(super) struct Died {
    pub(super) container: String,
    pub(super) labels: HashMap<String, String>,
}
