//! Checkpoints: heads of the chain that a node signed, kept beside the records.
//!
//! ```text
//! checkpoints.jsonl   {"node":"n-1","count":40,"index":57,"head":"…","wall_ms":…,"certificate":"…","signature":"…"}
//! ```
//!
//! # Invariant
//! A checkpoint is on the disk after the records that it speaks of. What is signed is [`words`], so
//! that whoever holds the line and the cluster's authority can check it without a node.
//!
//! # Why
//! Whoever rewrites all records so that they fit each other again cannot sign the heads that follow.
//! A node alone signs with keys of its own, which nobody else vouches for: a copy of its authority's
//! certificate that is kept elsewhere shows that they were not replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rules::id::NodeId;
use serde::{Deserialize, Serialize};

use super::line::{Head, hex, unhex};
use super::verify::{Fault, Known};
use crate::clock::WallMs;
use crate::disk;
use crate::links::{Keys, Signature, Signers};

const FILE: &str = "checkpoints.jsonl";
/// How a file begins whose signers sign no more.
const RETIRED: &str = "checkpoints-retired-";

/// What is wrong with a checkpoint whose signature is not good.
pub(super) const UNSIGNED: &str = "a checkpoint is not what its node signed, or who signs was \
    changed since: a cluster that was founded anew has another authority";

/// A head, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The node.
    pub node: String,
    /// Records until there.
    pub count: u64,
    /// The entry of the last one.
    pub index: u64,
    /// The head with it, in hexadecimal digits.
    pub head: String,
    /// When, by that node's clock.
    pub wall_ms: u64,
    /// The node's certificate, in hexadecimal digits; none of a node without a cluster.
    pub certificate: Option<String>,
    /// Its signature of [`words`], in hexadecimal digits.
    pub signature: Option<String>,
}

/// What is signed.
pub fn words(checkpoint: &Checkpoint) -> String {
    let Checkpoint {
        node,
        count,
        index,
        head,
        wall_ms,
        ..
    } = checkpoint;
    format!("domo-audit-1 checkpoint {node} {count} {index} {head} {wall_ms}")
}

impl Checkpoint {
    /// A node's word for a head.
    pub fn new(
        node: NodeId,
        (count, index, head): (u64, u64, Head),
        at: WallMs,
        keys: Option<&Keys>,
    ) -> Self {
        let mut checkpoint = Self {
            node: node.to_string(),
            count,
            index,
            head: hex(&head),
            wall_ms: at.0,
            certificate: None,
            signature: None,
        };
        match keys.map(|keys| keys.sign_text(words(&checkpoint).as_bytes())) {
            Some(Ok(signed)) => {
                checkpoint.certificate = Some(hex(&signed.certificate));
                checkpoint.signature = Some(hex(&signed.signature));
            }
            Some(Err(error)) => tracing::warn!("a checkpoint is not signed: {error}"),
            None => {}
        }
        checkpoint
    }

    /// The head that it tells, if it can be read.
    pub fn known(&self) -> Option<Known> {
        Some(Known {
            count: self.count,
            head: unhex(&self.head)?,
            whose: format!("the checkpoint of {} after entry {}", self.node, self.index),
        })
    }

    /// Whether the node that it names signed it, as one of these clusters' authorities says.
    pub fn is_signed(&self, signers: &[Signers]) -> bool {
        let bytes = |text: &Option<String>| text.as_deref().and_then(unhex_all);
        let (Some(certificate), Some(signature)) =
            (bytes(&self.certificate), bytes(&self.signature))
        else {
            return false;
        };
        let Ok(node) = self.node.parse() else {
            return false;
        };
        let signed = Signature {
            certificate,
            signature,
        };
        let (text, at) = (words(self), WallMs(self.wall_ms));
        let mut signers = signers.iter();
        signers.any(|who| who.has_signed(node, text.as_bytes(), &signed, at))
    }
}

/// Adds a checkpoint to a folder of records; it is durable when this returns.
pub fn add(dir: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
    add_all(dir, std::slice::from_ref(checkpoint))
}

/// Adds checkpoints to a folder of records; they are durable when this returns.
pub(super) fn add_all(dir: &Path, checkpoints: &[Checkpoint]) -> io::Result<()> {
    let path = dir.join(FILE);
    let mut lines = String::new();
    for checkpoint in checkpoints {
        lines += &serde_json::to_string(checkpoint).map_err(io::Error::other)?;
        lines.push('\n');
    }
    let is_new = !path.exists();
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)?;
    mend(&path, &file)?;
    file.write_all(lines.as_bytes())?;
    file.sync_all()?;
    if is_new {
        disk::sync_folder(dir)?;
    }
    Ok(())
}

/// Puts the checkpoints of a folder aside, because who signed them signs no more: the authority was
/// founded anew. Whoever kept its certificate can still check them.
pub fn retire(dir: &Path) -> io::Result<()> {
    let path = dir.join(FILE);
    let Ok(bytes) = fs::metadata(&path).map(|meta| meta.len()) else {
        return Ok(());
    };
    // Two that are put aside never have one length, unless they are the same.
    let aside = dir.join(format!("{RETIRED}{bytes}.jsonl"));
    fs::rename(&path, aside)?;
    disk::sync_folder(dir)
}

/// Cuts off half a line that a death has left.
fn mend(path: &Path, file: &File) -> io::Result<()> {
    let text = fs::read(path)?;
    let whole = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    if whole < text.len() {
        file.set_len(whole as u64)?;
    }
    Ok(())
}

/// The checkpoints of a folder in their order, up to half a line that a death has left; and the first
/// one that is not what its node signed, where it can be told who signs.
pub fn read(dir: &Path, signers: &[Signers]) -> io::Result<(Vec<Checkpoint>, Option<Fault>)> {
    let path = dir.join(FILE);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), None)),
        text => text?,
    };
    let (mut read, mut offset) = (Vec::new(), 0);
    for line in text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
    {
        let checkpoint = serde_json::from_str::<Checkpoint>(line).ok();
        let checkpoint = checkpoint.filter(|checkpoint| checkpoint.known().is_some());
        let is_good = |told: &Checkpoint| signers.is_empty() || told.is_signed(signers);
        match checkpoint.filter(is_good) {
            Some(checkpoint) => read.push(checkpoint),
            None => return Ok((read, Some(fault(path, offset)))),
        }
        offset += line.len() as u64;
    }
    Ok((read, None))
}

fn fault(file: PathBuf, offset: u64) -> Fault {
    Fault {
        record: 0,
        index: 0,
        file,
        offset,
        what: UNSIGNED.to_owned(),
    }
}

pub(super) fn unhex_all(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| Some(unhex::<1>(std::str::from_utf8(pair).ok()?)?[0]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::links::ClusterName;

    #[test]
    fn a_checkpoint_that_was_altered_is_found_at_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let cluster = ClusterName::new("c-1").unwrap();
        let keys = Keys::found(&dir.path().join("keys"), &cluster, NodeId(1)).unwrap();
        let signers = [keys.signers()];
        for count in 1..=3 {
            let end = (count, 2 * count, [u8::try_from(count).unwrap(); 32]);
            let checkpoint = Checkpoint::new(NodeId(1), end, clock::wall(), Some(&keys));
            add(dir.path(), &checkpoint).unwrap();
        }
        let (kept, fault) = read(dir.path(), &signers).unwrap();
        assert_eq!((kept.len(), fault), (3, None));
        let path = dir.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        for (from, to) in [
            ("\"count\":2", "\"count\":7"),
            (&*"02".repeat(32), &*"0a".repeat(32)),
        ] {
            fs::write(&path, text.replacen(from, to, 1)).unwrap();
            let (kept, fault) = read(dir.path(), &signers).unwrap();
            let place = text.find('\n').unwrap() as u64 + 1;
            assert_eq!(
                (kept.len(), fault.map(|fault| fault.offset)),
                (1, Some(place))
            );
        }
        fs::write(&path, &text).unwrap();
        let other = Keys::found(&dir.path().join("other"), &cluster, NodeId(1)).unwrap();
        let others = [other.signers()];
        assert!(read(dir.path(), &others).unwrap().1.is_some());
        retire(dir.path()).unwrap();
        retire(dir.path()).unwrap();
        assert_eq!(read(dir.path(), &others).unwrap(), (Vec::new(), None));
        fs::write(&path, &text[..text.len() - 9]).unwrap();
        assert_eq!(read(dir.path(), &signers).unwrap().0.len(), 2);
        let end = (4, 8, [4; 32]);
        let unsigned = Checkpoint::new(NodeId(1), end, clock::wall(), None);
        add(dir.path(), &unsigned).unwrap();
        assert_eq!(read(dir.path(), &[]).unwrap().0.len(), 3);
        assert!(read(dir.path(), &signers).unwrap().1.is_some());
    }
}
