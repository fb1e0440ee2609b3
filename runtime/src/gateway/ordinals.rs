//! Which of several like requests of an attempt one is: what tells a second effect from the first
//! one asked again.
//!
//! ```text
//! take ─► waiting ─► the whole answer went out to the agent ─► answered, in a file
//!            └──► the agent was not answered: the next like request is the same one again
//! ```
//!
//! # Invariant
//! A request that gets an ordinal which was taken before is the same effect, asked again.
//!
//! # Why
//! An agent that was answered and asks the same once more wants it a second time; one that was not
//! answered wants to know. The file lets a daemon that was started again tell them apart. It is not
//! forced to the disk: what loses it ends the attempt as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The digest of what is asked: target, method, path and body.
pub(super) type Like = [u8; 32];

/// The file's name in the attempt's folder.
const FILE: &str = "answered";
/// More lines than an attempt has effects say nothing.
const FILE_LIMIT_BYTES: u64 = 1 << 20;

/// The ordinals of one attempt.
#[derive(Debug)]
pub(super) struct Ordinals {
    file: PathBuf,
    kept: Mutex<BTreeMap<Like, Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    answered: BTreeSet<u32>,
    waiting: BTreeSet<u32>,
}

impl Kept {
    fn next(&self) -> u32 {
        let is_free = |at: &u32| !self.answered.contains(at) && !self.waiting.contains(at);
        (0..u32::MAX).find(is_free).unwrap_or(u32::MAX)
    }
}

/// A request's ordinal, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    ordinals: Arc<Ordinals>,
    like: Like,
    /// The ordinal, from 0.
    pub(super) ordinal: u32,
}

impl Ordinals {
    /// Those of the attempt whose folder this is.
    pub(super) fn open(folder: &Path) -> io::Result<Arc<Self>> {
        let file = folder.join(FILE);
        let text = match fs::metadata(&file) {
            Ok(seen) if seen.len() <= FILE_LIMIT_BYTES => fs::read_to_string(&file)?,
            Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut kept: BTreeMap<Like, Kept> = BTreeMap::new();
        for (like, ordinal) in text.lines().filter_map(read) {
            kept.entry(like).or_default().answered.insert(ordinal);
        }
        Ok(Arc::new(Self {
            file,
            kept: Mutex::new(kept),
        }))
    }

    /// The first ordinal of such a request that was not answered and that nobody waits for.
    pub(super) fn take(self: &Arc<Self>, like: Like) -> Place {
        let ordinal = self.with(|all| {
            let kept = all.entry(like).or_default();
            let ordinal = kept.next();
            kept.waiting.insert(ordinal);
            ordinal
        });
        Place {
            ordinals: Arc::clone(self),
            like,
            ordinal,
        }
    }

    fn with<R>(&self, change: impl FnOnce(&mut BTreeMap<Like, Kept>) -> R) -> R {
        change(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, like: &Like, ordinal: u32) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.file)?;
        file.write_all(line(like, ordinal).as_bytes())
    }
}

impl Place {
    /// The agent has its answer: a like request from now on is another one.
    pub(super) fn answered(self) {
        if let Err(error) = self.ordinals.write(&self.like, self.ordinal) {
            tracing::warn!(%error, "that an agent was answered cannot be noted");
        }
        self.ordinals.with(|all| {
            let kept = all.entry(self.like).or_default();
            kept.answered.insert(self.ordinal);
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.ordinals.with(|all| {
            if let Some(kept) = all.get_mut(&self.like) {
                kept.waiting.remove(&self.ordinal);
            }
        });
    }
}

fn line(like: &Like, ordinal: u32) -> String {
    let hex = like
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    format!("{hex} {ordinal}\n")
}

fn read(line: &str) -> Option<(Like, u32)> {
    let (hex, ordinal) = line.split_once(' ')?;
    let mut like = Like::default();
    if hex.len() != 2 * like.len() || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in like.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some((like, ordinal.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_answered_and_asks_again_asks_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let like = [7; 32];
        let ordinals = Ordinals::open(folder.path()).unwrap();
        let (first, second) = (ordinals.take(like), ordinals.take(like));
        assert_eq!(
            (first.ordinal, second.ordinal),
            (0, 1),
            "both are waited for"
        );
        drop(first);
        assert_eq!(ordinals.take(like).ordinal, 0, "nobody was answered");
        second.answered();
        ordinals.take(like).answered();
        assert_eq!(ordinals.take(like).ordinal, 2);
        assert_eq!(ordinals.take([8; 32]).ordinal, 0, "of another kind");

        let again = Ordinals::open(folder.path()).unwrap();
        assert_eq!(again.take(like).ordinal, 2, "a later daemon knows it too");
    }
}
