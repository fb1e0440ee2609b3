//! Statements that a node signs with its certificate's key, to be checked long after and elsewhere.
//!
//! # Why
//! The key that proves a node to the others proves its statements too: it is made on the node, leaves
//! it never, and the cluster's authority says whose it is. A certificate is judged as of the moment of
//! the statement, since it lives some months and statements are kept for years.

use std::time::Duration;

use rules::id::NodeId;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{RootCertStore, SignatureScheme};

use super::keys::{Keys, KeysError};
use super::names::ClusterName;
use super::tls;
use crate::clock::WallMs;

/// How all nodes sign.
const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;
/// The uncompressed point at the end of a public key of that kind.
const POINT_BYTES: usize = 65;

/// A signature, and the certificate whose key made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The node's certificate.
    pub certificate: Vec<u8>,
    /// ECDSA over P-256 and SHA-256, in DER.
    pub signature: Vec<u8>,
}

/// Who may sign: the authority of a cluster, and its name.
#[derive(Clone, Debug)]
pub struct Signers {
    cluster: ClusterName,
    authority: CertificateDer<'static>,
}

impl Keys {
    /// Signs a text as this node.
    pub fn sign_text(&self, text: &[u8]) -> Result<Signature, KeysError> {
        let certified = self.certified();
        let unusable = || KeysError::Unusable("it does not sign texts".to_owned());
        let signer = certified
            .key
            .choose_scheme(&[SCHEME])
            .ok_or_else(unusable)?;
        let signature = signer.sign(text).map_err(|_| unusable())?;
        let certificate = certified.cert.first().ok_or_else(unusable)?;
        Ok(Signature {
            certificate: certificate.to_vec(),
            signature,
        })
    }

    /// Who signs in this cluster.
    pub fn signers(&self) -> Signers {
        Signers {
            cluster: self.cluster().clone(),
            authority: self.authority().certificate().clone(),
        }
    }
}

impl Signers {
    /// The cluster of that name whose authority has this certificate, in DER; none where it is none.
    pub fn new(cluster: ClusterName, authority: Vec<u8>) -> Option<Self> {
        let authority = CertificateDer::from(authority);
        let is_one = RootCertStore::empty().add(authority.clone()).is_ok();
        is_one.then_some(Self { cluster, authority })
    }

    /// The cluster's name.
    pub fn cluster(&self) -> &ClusterName {
        &self.cluster
    }

    /// The authority's certificate, in DER.
    pub fn authority(&self) -> &[u8] {
        &self.authority
    }

    /// Whether that node of the cluster signed this text then.
    pub fn has_signed(&self, node: NodeId, text: &[u8], signature: &Signature, at: WallMs) -> bool {
        let certificate = CertificateDer::from(signature.certificate.as_slice());
        let is_named = self
            .cluster
            .server_name(node)
            .is_some_and(|name| tls::names(&certificate, &name));
        is_named && self.is_ours(&certificate, at) && is_by(&certificate, text, signature)
    }

    fn is_ours(&self, certificate: &CertificateDer<'_>, at: WallMs) -> bool {
        let mut roots = RootCertStore::empty();
        let algorithms = &tls::provider().signature_verification_algorithms;
        let then = UnixTime::since_unix_epoch(Duration::from_millis(at.0));
        roots.add(self.authority.clone()).is_ok()
            && ParsedCertificate::try_from(certificate).is_ok_and(|parsed| {
                let judged = rustls::client::verify_server_cert_signed_by_trust_anchor(
                    &parsed,
                    &roots,
                    &[],
                    then,
                    algorithms.all,
                );
                judged.is_ok()
            })
    }
}

fn is_by(certificate: &CertificateDer<'_>, text: &[u8], signature: &Signature) -> bool {
    let Ok(parsed) = ParsedCertificate::try_from(certificate) else {
        return false;
    };
    let key = parsed.subject_public_key_info();
    let Some((_, point)) = key.split_last_chunk::<POINT_BYTES>() else {
        return false;
    };
    let known = tls::provider().signature_verification_algorithms.mapping;
    let of_scheme = known.iter().filter(|(scheme, _)| *scheme == SCHEME);
    of_scheme
        .flat_map(|(_, algorithms)| algorithms.iter())
        .any(|algorithm| {
            let verified = algorithm.verify_signature(point, text, &signature.signature);
            verified.is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_statement_is_known_by_its_node_its_words_and_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let cluster = ClusterName::new("c-1").unwrap();
        let first = Keys::found(&dir.path().join("1"), &cluster, NodeId(1)).unwrap();
        let second = first.for_node(&dir.path().join("2"), NodeId(2)).unwrap();
        let foreign = Keys::found(&dir.path().join("3"), &cluster, NodeId(1)).unwrap();
        let signature = second.sign_text(b"so it is").unwrap();
        let (signers, now) = (first.signers(), clock::wall());
        let known = |node: u64, text: &[u8], signature: &Signature, at: WallMs| {
            signers.has_signed(NodeId(node), text, signature, at)
        };
        assert!(known(2, b"so it is", &signature, now));
        assert!(!known(1, b"so it is", &signature, now), "another node");
        assert!(!known(2, b"so it was", &signature, now), "other words");
        let later = WallMs(now.0 + 20 * 365 * 24 * 3_600_000);
        assert!(!known(2, b"so it is", &signature, later), "too late");
        let forged = foreign.sign_text(b"so it is").unwrap();
        assert!(!known(1, b"so it is", &forged, now), "another cluster");
        let mut bent = signature.clone();
        *bent.signature.last_mut().unwrap() ^= 1;
        assert!(!known(2, b"so it is", &bent, now), "another signature");
    }
}
