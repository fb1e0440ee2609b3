//! What a node proves itself with, as it lies in its folder, and as it is now.
//!
//! # Invariant
//! The one file is written whole or not at all, under mode 0600 in a folder of mode 0700. What is
//! in use is what is in the file; a renewed certificate counts from the next handshake on.
//!
//! # Why
//! One sealed file and not one for each key: a node that joined by half cannot exist, and no
//! renewal can leave a certificate beside another one's key.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rules::id::NodeId;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::certs::{Authority, NODE_LIFE, NodeKeys, PublicKey, Validity};
use super::join::Admission;
use super::names::{ClusterName, Fingerprint};
use super::tls;
use super::wire::KEYS;
use crate::codec::{self, CodecError};
use crate::{clock, disk};

/// The file in the folder.
const FILE: &str = "node.keys";
/// As it is called while it is written.
const FRESH: &str = ".node.keys.new";
/// 256 bits that nobody guesses.
const COOKIE_BYTES: usize = 32;
/// A file of keys is about two kilobytes; what is larger is none.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Why there are no keys.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The node belongs to no cluster yet: found one, or join one.
    #[error("there are no keys in {0}")]
    None(PathBuf),
    /// The node belongs to a cluster already: take another folder.
    #[error("there are keys in {0} already")]
    Taken(PathBuf),
    /// The file was changed: bring it back, or join again under a new number.
    #[error("the keys in {path} are damaged")]
    Damaged {
        /// Where.
        path: PathBuf,
        /// How.
        source: CodecError,
    },
    /// A key or certificate cannot be made or used.
    #[error("a key cannot be used: {0}")]
    Unusable(String),
    /// The file system said no.
    #[error("cannot use {path}")]
    Failed {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

#[derive(Serialize, Deserialize)]
struct KeptV1 {
    cluster: ClusterName,
    node: NodeId,
    authority: Vec<u8>,
    authority_key: Vec<u8>,
    certificate: Vec<u8>,
    key: Vec<u8>,
    validity: Validity,
    cookie: String,
}

/// The keys of a node.
pub struct Keys {
    dir: PathBuf,
    cluster: ClusterName,
    node: NodeId,
    authority: Authority,
    cookie: String,
    current: RwLock<Current>,
}

struct Current {
    certified: Arc<CertifiedKey>,
    kept: NodeKeys,
}

impl Keys {
    /// Founds a cluster whose first node is `node`: an authority, and the node's own keys.
    pub fn found(dir: &Path, cluster: &ClusterName, node: NodeId) -> Result<Keys, KeysError> {
        if dir.join(FILE).exists() {
            return Err(KeysError::Taken(dir.to_owned()));
        }
        let now = clock::wall();
        let authority = Authority::found(cluster, now).map_err(unusable)?;
        let kept = authority.keys_for(node, Validity::starting(now, NODE_LIFE));
        let keys = Keys::of(
            dir,
            node,
            cluster,
            authority,
            new_cookie(),
            kept.map_err(unusable)?,
        )?;
        keys.write()?;
        Ok(keys)
    }

    /// Keeps what a cluster gave to a newcomer.
    pub fn keep(dir: &Path, admission: &Admission) -> Result<Keys, KeysError> {
        if dir.join(FILE).exists() {
            return Err(KeysError::Taken(dir.to_owned()));
        }
        let kept = KeptV1 {
            cluster: admission.cluster.clone(),
            node: admission.node,
            authority: admission.authority.clone(),
            authority_key: admission.authority_key.clone(),
            certificate: admission.certificate.clone(),
            key: admission.key.clone(),
            validity: admission.validity,
            cookie: admission.cookie.clone(),
        };
        let keys = Keys::of_kept(dir, kept)?;
        keys.write()?;
        Ok(keys)
    }

    /// Makes the keys of another node of the same cluster, in a folder of this host: for nodes that
    /// are started by one hand.
    pub fn for_node(&self, dir: &Path, node: NodeId) -> Result<Keys, KeysError> {
        if dir.join(FILE).exists() {
            return Err(KeysError::Taken(dir.to_owned()));
        }
        let (certificate, key) = (self.authority.certificate(), self.authority.key());
        let authority = Authority::again(&self.cluster, certificate, key).map_err(unusable)?;
        let own = authority.keys_for(node, Validity::starting(clock::wall(), NODE_LIFE));
        let (own, cookie) = (own.map_err(unusable)?, self.cookie.clone());
        let keys = Keys::of(dir, node, &self.cluster, authority, cookie, own)?;
        keys.write()?;
        Ok(keys)
    }

    /// Founds the node's cluster again: with another authority and another cookie, so that no other
    /// node of it can prove itself any more.
    pub fn found_again(self) -> Result<Keys, KeysError> {
        let now = clock::wall();
        let authority = Authority::found(&self.cluster, now).map_err(unusable)?;
        let own = authority.keys_for(self.node, Validity::starting(now, NODE_LIFE));
        let own = own.map_err(unusable)?;
        let keys = Keys::of(
            &self.dir,
            self.node,
            &self.cluster,
            authority,
            new_cookie(),
            own,
        )?;
        keys.write()?;
        Ok(keys)
    }

    /// Reads the keys of a folder.
    pub fn open(dir: &Path) -> Result<Keys, KeysError> {
        let path = dir.join(FILE);
        let read = || -> io::Result<Vec<u8>> {
            let size = fs::metadata(&path)?.len();
            if size > MAX_FILE_BYTES {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            fs::read(&path)
        };
        let bytes = read().map_err(|source| {
            if source.kind() == io::ErrorKind::NotFound {
                KeysError::None(dir.to_owned())
            } else {
                failed(&path, source)
            }
        })?;
        let kept: KeptV1 =
            codec::decode(KEYS, &bytes).map_err(|source| KeysError::Damaged { path, source })?;
        Keys::of_kept(dir, kept)
    }

    /// Makes a new certificate if less than a third of the present one's life is left.
    ///
    /// Says whether it did. It counts from the next handshake on; open connections stay.
    pub fn renew_if_due(&self) -> Result<bool, KeysError> {
        let now = clock::wall();
        if !self.validity().is_due(now) {
            return Ok(false);
        }
        self.renew(Validity::starting(now, NODE_LIFE))?;
        Ok(true)
    }

    /// Makes a new certificate that is good for as long as is said.
    pub fn renew(&self, validity: Validity) -> Result<(), KeysError> {
        let fresh = self.authority.keys_for(self.node, validity);
        let fresh = current(&self.authority, fresh.map_err(unusable)?)?;
        let before = {
            let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, fresh)
        };
        self.write().inspect_err(|_| {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = before;
        })
    }

    /// Whose cluster it is.
    pub fn cluster(&self) -> &ClusterName {
        &self.cluster
    }

    /// Whose keys they are.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// What the cluster is told by, in tokens.
    pub fn fingerprint(&self) -> Fingerprint {
        self.authority.fingerprint()
    }

    /// How long the node's certificate is good.
    pub fn validity(&self) -> Validity {
        self.look(|current| current.kept.validity)
    }

    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        self.look(|current| Arc::clone(&current.certified))
    }

    /// Signs a newcomer's key.
    pub(super) fn sign(
        &self,
        node: NodeId,
        public: &PublicKey,
        life: Duration,
    ) -> Result<(CertificateDer<'static>, Validity), KeysError> {
        let validity = Validity::starting(clock::wall(), life);
        let signed = self.authority.sign(node, public, validity);
        Ok((signed.map_err(unusable)?, validity))
    }

    fn look<R>(&self, look: impl FnOnce(&Current) -> R) -> R {
        look(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn of_kept(dir: &Path, kept: KeptV1) -> Result<Keys, KeysError> {
        let authority = Authority::again(&kept.cluster, &kept.authority, &kept.authority_key);
        let own = NodeKeys {
            certificate: CertificateDer::from(kept.certificate),
            key: kept.key,
            validity: kept.validity,
        };
        let authority = authority.map_err(unusable)?;
        Keys::of(dir, kept.node, &kept.cluster, authority, kept.cookie, own)
    }

    fn of(
        dir: &Path,
        node: NodeId,
        cluster: &ClusterName,
        authority: Authority,
        cookie: String,
        own: NodeKeys,
    ) -> Result<Keys, KeysError> {
        Ok(Keys {
            dir: dir.to_owned(),
            cluster: cluster.clone(),
            node,
            current: RwLock::new(current(&authority, own)?),
            authority,
            cookie,
        })
    }

    fn write(&self) -> Result<(), KeysError> {
        let kept = self.look(|current| KeptV1 {
            cluster: self.cluster.clone(),
            node: self.node,
            authority: self.authority.certificate().to_vec(),
            authority_key: self.authority.key().to_vec(),
            certificate: current.kept.certificate.to_vec(),
            key: current.kept.key.clone(),
            validity: current.kept.validity,
            cookie: self.cookie.clone(),
        });
        let path = self.dir.join(FILE);
        let bytes = codec::encode(KEYS, &kept).map_err(|source| KeysError::Damaged {
            path: path.clone(),
            source,
        })?;
        write_whole(&self.dir, &bytes).map_err(|source| failed(&path, source))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing of what is secret.
        f.debug_struct("Keys")
            .field("cluster", &self.cluster)
            .field("node", &self.node)
            .field("fingerprint", &self.fingerprint())
            .field("validity", &self.validity())
            .finish_non_exhaustive()
    }
}

fn current(authority: &Authority, kept: NodeKeys) -> Result<Current, KeysError> {
    // The authority's certificate goes with it: a newcomer knows only its fingerprint.
    let chain = vec![kept.certificate.clone(), authority.certificate().clone()];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(kept.key.clone()));
    let certified = CertifiedKey::from_der(chain, key, tls::provider());
    let certified = Arc::new(certified.map_err(unusable)?);
    Ok(Current { certified, kept })
}

fn write_whole(dir: &Path, bytes: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    let fresh = dir.join(FRESH);
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, dir.join(FILE))?;
    disk::sync_folder(dir)
}

fn new_cookie() -> String {
    let random: [u8; COOKIE_BYTES] = rand::random();
    Fingerprint(random).to_string()
}

fn failed(path: &Path, source: io::Error) -> KeysError {
    KeysError::Failed {
        path: path.to_owned(),
        source,
    }
}

fn unusable(error: impl fmt::Display) -> KeysError {
    KeysError::Unusable(error.to_string())
}
