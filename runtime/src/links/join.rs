//! How a newcomer becomes a node: it shows the token's secret, and gets all that a node needs.
//!
//! ```text
//! newcomer ── TLS, the authority's fingerprint is the token's ──► any node
//!          ── secret, name, public key, release, clock, address ─►   │ Gate: the ledger decides
//!          ◄─ number, certificate, authority, cookie, addresses ──   │ or the reason why not
//! ```
//!
//! # Why
//! The newcomer makes its key itself and asks under the same key again if no answer comes, so that
//! a cluster which let it in already can tell that it is the same one.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rcgen::KeyPair;
use rules::id::NodeId;
use rustls::pki_types::{CertificateDer, ServerName};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client, server};

use super::certs::{self, NODE_LIFE, PublicKey, Validity};
use super::dialler::{self, DialError};
use super::names::{ClusterName, Fingerprint};
use super::refusal::Refusal;
use super::shared::Shared;
use super::token::{self, JoinToken};
use super::wire::{self, Errand, Hello, JOIN_ANSWER, JOIN_ASK};
use super::{HANDSHAKE_LIMIT, tls};
use crate::clock::{self, WallMs};
use crate::codec;

/// How long joining may take, from the hello to the answer: the ledger has its say in between.
const JOIN_LIMIT: Duration = Duration::from_secs(10);
/// What either side says: an answer with the addresses of a thousand nodes fits.
const MAX_JOIN_BYTES: usize = 64 * 1024;
/// The longest name or release of a newcomer.
const MAX_NAME_BYTES: usize = 63;

/// Why a newcomer was not let in.
#[derive(Debug, Error)]
pub enum JoinError {
    /// The cluster said no, and why.
    #[error("the cluster refuses: {0}")]
    Refused(String),
    /// Whoever answers is not the cluster that the token is of, or one of the clocks is wrong.
    #[error("whoever answers at {address} cannot be trusted: {why}")]
    Distrusted {
        /// Where.
        address: String,
        /// What is wrong with it.
        why: Refusal,
    },
    /// No node that the token names answered; asking again with the same newcomer is safe.
    #[error("no node of the cluster answered: {0}")]
    NoAnswer(String),
    /// No key can be made here.
    #[error("no key can be made: {0}")]
    NoKey(String),
}

/// Who wants to join.
pub struct Newcomer {
    name: String,
    release: String,
    address: String,
    key: KeyPair,
}

impl Newcomer {
    /// Somebody with this name and release, who will be found at this address; makes its key.
    pub fn new(name: &str, release: &str, address: &str) -> Result<Newcomer, JoinError> {
        let key = certs::new_key().map_err(|error| JoinError::NoKey(error.to_string()))?;
        Ok(Newcomer {
            name: name.to_owned(),
            release: release.to_owned(),
            address: address.to_owned(),
            key,
        })
    }
}

impl fmt::Debug for Newcomer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Newcomer")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// All that a newcomer gets; [`Keys::keep`](super::Keys::keep) puts it where it belongs.
#[derive(Clone)]
pub struct Admission {
    /// The cluster that it is a node of now.
    pub cluster: ClusterName,
    /// Its number.
    pub node: NodeId,
    /// Where the nodes are that the cluster knows, `host:port`.
    pub peers: BTreeMap<NodeId, String>,
    pub(super) authority: Vec<u8>,
    pub(super) authority_key: Vec<u8>,
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) validity: Validity,
    pub(super) cookie: String,
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing of what is secret.
        f.debug_struct("Admission")
            .field("cluster", &self.cluster)
            .field("node", &self.node)
            .field("peers", &self.peers)
            .finish_non_exhaustive()
    }
}

/// What a newcomer says of itself; nothing of it was checked but its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// To be found among the tokens that the cluster gave out.
    pub secret_hash: [u8; 32],
    /// What it wants to be called.
    pub name: String,
    /// The same when it asks again after an answer was lost.
    pub public_key: PublicKey,
    /// Which release it runs.
    pub release: String,
    /// What its clock says.
    pub wall_ms: WallMs,
    /// Where it will be found, `host:port`.
    pub address: String,
}

/// What the cluster decided for a newcomer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Its number.
    pub node: NodeId,
    /// Where the nodes are, `host:port`.
    pub peers: BTreeMap<NodeId, String>,
}

/// The decision about a newcomer, under way.
pub type Admitting<'a> = Pin<Box<dyn Future<Output = Result<Admitted, String>> + Send + 'a>>;

/// Decides about newcomers. The same secret and key may be asked for again: the answer is the same.
pub trait Gate: Send + Sync + 'static {
    /// Lets a newcomer in, or says to it why not. Has ten seconds.
    fn admit(&self, request: JoinRequest) -> Admitting<'_>;
}

#[derive(Serialize, Deserialize)]
struct AskV1 {
    secret: [u8; 16],
    name: String,
    public_key: PublicKey,
    release: String,
    wall_ms: WallMs,
    address: String,
}

#[derive(Serialize, Deserialize)]
enum AnswerV1 {
    Granted(GrantedV1),
    Refused(String),
}

#[derive(Serialize, Deserialize)]
struct GrantedV1 {
    cluster: String,
    node: NodeId,
    authority: Vec<u8>,
    authority_key: Vec<u8>,
    certificate: Vec<u8>,
    validity: Validity,
    cookie: String,
    peers: BTreeMap<NodeId, String>,
}

/// Asks the nodes that a token names, one after the other, until one answers.
pub async fn ask(token: &JoinToken, newcomer: &Newcomer) -> Result<Admission, JoinError> {
    let mut last = JoinError::NoAnswer("the token names none".to_owned());
    for address in token.addresses() {
        match ask_at(token, newcomer, address).await {
            Err(error @ (JoinError::NoAnswer(_) | JoinError::Distrusted { .. })) => last = error,
            answered => return answered,
        }
    }
    Err(last)
}

async fn ask_at(
    token: &JoinToken,
    newcomer: &Newcomer,
    address: &str,
) -> Result<Admission, JoinError> {
    let none = |why: &dyn fmt::Display| JoinError::NoAnswer(format!("{address}: {why}"));
    let opened = tokio::time::timeout(HANDSHAKE_LIMIT, open(token.fingerprint(), address)).await;
    let opened = opened.unwrap_or(Err(DialError::Silent));
    let mut tls = opened.map_err(|error| match error {
        DialError::Distrusted(why) => JoinError::Distrusted {
            address: address.to_owned(),
            why,
        },
        DialError::NoAddress
        | DialError::Refused(_)
        | DialError::Silent
        | DialError::Unreached(_) => none(&error),
    })?;
    let asked = AskV1 {
        secret: token.secret(),
        name: newcomer.name.clone(),
        public_key: PublicKey::of(&newcomer.key),
        release: newcomer.release.clone(),
        wall_ms: clock::wall(),
        address: newcomer.address.clone(),
    };
    let talk = async {
        let asked = codec::encode(JOIN_ASK, &asked).map_err(io::Error::other)?;
        wire::write_frame(&mut tls, &[&asked]).await?;
        let answer = wire::read_frame(&mut tls, MAX_JOIN_BYTES).await?;
        codec::decode::<AnswerV1>(JOIN_ANSWER, &answer).map_err(io::Error::other)
    };
    let answer = tokio::time::timeout(JOIN_LIMIT, talk).await;
    let answer = answer.map_err(|_| none(&"it did not answer in time"))?;
    match answer.map_err(|error| none(&error))? {
        AnswerV1::Refused(why) => Err(JoinError::Refused(why)),
        AnswerV1::Granted(granted) => granted
            .check(token, newcomer)
            .ok_or_else(|| none(&"what it gave is not of the cluster that the token is of")),
    }
}

async fn open(
    fingerprint: Fingerprint,
    address: &str,
) -> Result<client::TlsStream<TcpStream>, DialError> {
    let config = tls::newcomer(fingerprint).map_err(io::Error::other)?;
    // Whichever node answers is good; the name is not looked at.
    let name = ServerName::try_from("join.domo").map_err(io::Error::other)?;
    let socket = dialler::connect(address).await?;
    let mut tls = TlsConnector::from(config).connect(name, socket).await?;
    let hello = Hello {
        cluster: String::new(),
        from: NodeId(0),
        to: NodeId(0),
        incarnation: 0,
        release: String::new(),
        errand: Errand::Join,
        sent_us: 0,
        ticket: 0,
    };
    dialler::exchange(&mut tls, &hello).await?;
    Ok(tls)
}

impl GrantedV1 {
    fn check(self, token: &JoinToken, newcomer: &Newcomer) -> Option<Admission> {
        let authority = CertificateDer::from(self.authority.as_slice());
        if Fingerprint::of(&authority) != token.fingerprint() {
            return None;
        }
        Some(Admission {
            cluster: ClusterName::new(&self.cluster).ok()?,
            node: self.node,
            peers: self.peers,
            authority: self.authority,
            authority_key: self.authority_key,
            certificate: self.certificate,
            key: newcomer.key.serialize_der(),
            validity: self.validity,
            cookie: self.cookie,
        })
    }
}

/// Talks to a newcomer.
pub(super) async fn serve(shared: &Arc<Shared>, mut tls: server::TlsStream<TcpStream>) {
    let talk = async {
        // Whoever holds a place and asks nothing loses it soon.
        let asked = wire::read_frame(&mut tls, MAX_JOIN_BYTES);
        let asked = tokio::time::timeout(HANDSHAKE_LIMIT, asked).await??;
        let answer = match codec::decode::<AskV1>(JOIN_ASK, &asked) {
            Ok(asked) => decide(shared, asked).await,
            Err(_) => Err("what it asks cannot be understood".to_owned()),
        };
        let answer = answer.map_or_else(AnswerV1::Refused, AnswerV1::Granted);
        let answer = codec::encode(JOIN_ANSWER, &answer).map_err(io::Error::other)?;
        wire::write_frame(&mut tls, &[&answer]).await?;
        tls.shutdown().await
    };
    match tokio::time::timeout(JOIN_LIMIT, talk).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a newcomer broke off"),
        Err(_) => tracing::debug!("a newcomer took too long"),
    }
}

async fn decide(shared: &Arc<Shared>, asked: AskV1) -> Result<GrantedV1, String> {
    let is_short = |text: &str| text.len() <= MAX_NAME_BYTES;
    if !is_short(&asked.name) || !is_short(&asked.release) || !asked.public_key.is_well_formed() {
        return Err("what it asks cannot be understood".to_owned());
    }
    if !token::is_address(&asked.address) {
        return Err("its address is not one such as 10.0.0.1:7400".to_owned());
    }
    let gate = shared.gate().ok_or("this node lets nobody in yet")?;
    let request = JoinRequest {
        secret_hash: token::hash_of(&asked.secret),
        name: asked.name,
        public_key: asked.public_key.clone(),
        release: asked.release,
        wall_ms: asked.wall_ms,
        address: asked.address,
    };
    let admitted = gate.admit(request).await?;
    let keys = &shared.keys;
    let signed = keys.sign(admitted.node, &asked.public_key, NODE_LIFE);
    let (certificate, validity) = signed.map_err(|error| error.to_string())?;
    tracing::info!(node = %admitted.node, "a newcomer was let in");
    Ok(GrantedV1 {
        cluster: keys.cluster().as_str().to_owned(),
        node: admitted.node,
        authority: keys.authority().certificate().to_vec(),
        authority_key: keys.authority().key().to_vec(),
        certificate: certificate.to_vec(),
        validity,
        cookie: keys.cookie().to_owned(),
        peers: admitted.peers,
    })
}
