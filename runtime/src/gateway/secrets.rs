//! The secrets of this node's targets: files that only the daemon reads, added on the way out.
//!
//! # Invariant
//! A secret is written, read and sent; it is never shown, logged or part of the ledger.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use rules::id::TargetName;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::watch;

use crate::spool::{SpoolError, make_folder, to_json, write_whole};

/// The folder below the data folder.
const FOLDER: &str = "secrets";
/// The longest secret: a signed token with many claims fits.
pub const SECRET_LIMIT_BYTES: usize = 16 << 10;
/// The longest file that is read as one.
const FILE_LIMIT_BYTES: u64 = 128 << 10;

/// Why a secret cannot be kept or used.
#[derive(Debug, Error)]
pub enum SecretError {
    /// It cannot stand in a header: give another.
    #[error("{0}")]
    Unfit(String),
    /// The file cannot be written: make room, or look at the folder.
    #[error(transparent)]
    Unwritten(#[from] SpoolError),
    /// The file cannot be read: set the secret anew.
    #[error("the secret of {target} cannot be read ({why}); set it anew")]
    Unread {
        /// Whose.
        target: TargetName,
        /// What is wrong.
        why: String,
    },
}

/// A header that is added to what is sent to a target; its value is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    header: HeaderName,
    value: HeaderValue,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}: …)", self.header)
    }
}

/// A secret as it lies on the disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    header: String,
    value: String,
}

impl Secret {
    /// A secret for `Authorization: Bearer`, or the whole value of another header.
    pub fn new(header: Option<&str>, secret: &str) -> Result<Self, SecretError> {
        let unfit = |why: &str| SecretError::Unfit(why.to_owned());
        if secret.is_empty() {
            return Err(unfit("the secret is empty"));
        }
        if secret.len() > SECRET_LIMIT_BYTES {
            return Err(unfit(&format!(
                "the secret is longer than {SECRET_LIMIT_BYTES} bytes"
            )));
        }
        let (header, value) = match header {
            None => (AUTHORIZATION, format!("Bearer {secret}")),
            Some(name) => {
                let name = name.parse::<HeaderName>();
                let name = name.map_err(|_| unfit("the header's name is none"))?;
                if is_framing(&name) {
                    return Err(unfit(
                        "that header says how a request is sent, not who sends it",
                    ));
                }
                (name, secret.to_owned())
            }
        };
        if !value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(unfit(
                "the secret has characters that no header can carry, such as an end of line",
            ));
        }
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| unfit("the secret cannot stand in a header"))?;
        value.set_sensitive(true);
        Ok(Self { header, value })
    }

    /// The header's name.
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// Its value, for the target alone.
    pub(super) fn value(&self) -> &HeaderValue {
        &self.value
    }
}

/// Headers by which a request is delimited or led.
fn is_framing(name: &HeaderName) -> bool {
    let framing = [
        "connection",
        "content-length",
        "expect",
        "host",
        "idempotency-key",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    framing.contains(&name.as_str())
}

/// The secrets of this node.
#[derive(Debug)]
pub struct Secrets {
    folder: PathBuf,
    /// Which there are, as that changes: target and header.
    known: watch::Sender<BTreeMap<TargetName, String>>,
}

impl Secrets {
    /// Those below a data folder.
    pub(super) fn open(data: &Path) -> Result<Self, SecretError> {
        let folder = data.join(FOLDER);
        make_folder(&folder, 0o700)?;
        let secrets = Self {
            folder,
            known: watch::Sender::new(BTreeMap::new()),
        };
        secrets.look();
        Ok(secrets)
    }

    /// Keeps a target's secret.
    pub fn set(&self, target: &TargetName, secret: &Secret) -> Result<(), SecretError> {
        let value = secret.value.to_str();
        let value = value.map_err(|_| SecretError::Unfit("it cannot be kept".to_owned()))?;
        let kept = Kept {
            version: 1,
            header: secret.header.to_string(),
            value: value.to_owned(),
        };
        write_whole(&self.folder, target.as_str(), &to_json(&kept), 0o600)?;
        self.look();
        Ok(())
    }

    /// Forgets a target's secret; says whether there was one.
    pub fn remove(&self, target: &TargetName) -> io::Result<bool> {
        let removed = match fs::remove_file(self.folder.join(target.as_str())) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        fs::File::open(&self.folder)?.sync_all()?;
        self.look();
        Ok(removed)
    }

    /// Which there are, with their headers, as that changes.
    pub fn watch(&self) -> watch::Receiver<BTreeMap<TargetName, String>> {
        self.known.subscribe()
    }

    /// A target's secret, where this node has it.
    pub(super) fn of(&self, target: &TargetName) -> Result<Option<Secret>, SecretError> {
        let unread = |why: String| SecretError::Unread {
            target: target.clone(),
            why,
        };
        let path = self.folder.join(target.as_str());
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(seen) if seen.len() > FILE_LIMIT_BYTES => {
                return Err(unread("it is too long".to_owned()));
            }
            Ok(_) | Err(_) => {}
        }
        let bytes = fs::read(&path).map_err(|error| unread(error.kind().to_string()))?;
        // Whatever is wrong with it, its text is not quoted.
        let kept: Kept =
            serde_json::from_slice(&bytes).map_err(|_| unread("it is damaged".to_owned()))?;
        let mut secret = Secret::new(Some(&kept.header), &kept.value)
            .map_err(|_| unread("it is damaged".to_owned()))?;
        secret.value.set_sensitive(true);
        Ok(Some(secret))
    }

    /// Looks which there are.
    fn look(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| {
            let name = entry.file_name();
            TargetName::new(name.to_str()?).ok()
        });
        let found = names.filter_map(|name| {
            let secret = self.of(&name);
            if let Err(why) = &secret {
                tracing::warn!(%why, "a secret is left out");
            }
            Some((name.clone(), secret.ok()??.header.to_string()))
        });
        let found: BTreeMap<TargetName, String> = found.collect();
        self.known.send_if_modified(|known| {
            let is_new = *known != found;
            *known = found;
            is_new
        });
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_kept_closed_and_comes_back_as_its_header() {
        let data = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(data.path()).unwrap();
        let kube = TargetName::new("kube").unwrap();
        assert_eq!(secrets.of(&kube).unwrap(), None);
        let secret = Secret::new(None, "very-secret").unwrap();
        secrets.set(&kube, &secret).unwrap();
        let seen = fs::metadata(data.path().join("secrets/kube")).unwrap();
        assert_eq!(seen.permissions().mode() & 0o777, 0o600);
        let again = Secrets::open(data.path()).unwrap();
        let found = again.of(&kube).unwrap().unwrap();
        assert_eq!(found.value().to_str().unwrap(), "Bearer very-secret");
        assert!(!format!("{found:?}").contains("very-secret"));
        let known = again.watch().borrow().clone();
        assert_eq!(known.get(&kube).map(String::as_str), Some("authorization"));
        assert!(again.remove(&kube).unwrap() && !again.remove(&kube).unwrap());
        assert!(again.watch().borrow().is_empty());
    }

    #[test]
    fn what_no_header_can_carry_is_no_secret() {
        for (header, secret) in [
            (None, ""),
            (None, "two\r\nlines"),
            (None, "ü"),
            (Some("Content-Length"), "5"),
            (Some("a header"), "x"),
        ] {
            assert!(Secret::new(header, secret).is_err(), "{header:?} {secret}");
        }
        let own = Secret::new(Some("X-Api-Key"), "k").unwrap();
        assert_eq!(
            (own.header().as_str(), own.value().as_bytes()),
            ("x-api-key", &b"k"[..])
        );
    }
}
