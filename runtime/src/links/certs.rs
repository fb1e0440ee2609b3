//! The cluster's authority: the certificates that it signs, and how long they are good.
//!
//! # Invariant
//! A certificate names one node of one cluster, is good from a day before it was made, and is good
//! for both ends of a connection.
//!
//! # Why
//! Each node holds the authority's key, so that any one of them lets a newcomer in and no node is
//! needed for another to renew its certificate. Whoever takes a node's disk takes the authority:
//! then the cluster is founded anew. The road not taken, one node that signs for all, dies with it.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm, date_time_ymd,
};
use rules::id::NodeId;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};

use super::names::{ClusterName, Fingerprint};
use crate::clock::WallMs;

/// A day.
const DAY: Duration = Duration::from_hours(24);
/// A newcomer's clock may be behind by this much.
const BACKDATED: Duration = DAY;
/// Long enough that a node which was off for weeks comes back with a good certificate, short enough
/// that renewing is practised and a key that leaked alone is soon worth nothing.
pub(super) const NODE_LIFE: Duration = Duration::from_hours(24 * 90);
/// The authority outlives the machines: it is not renewed.
const AUTHORITY_LIFE: Duration = Duration::from_hours(24 * 365 * 20);
/// What of a certificate's life is left when it is renewed: one part in so many.
const RENEWED_AT: u64 = 3;
/// A point on the curve P-256 as it is written: a mark and two coordinates.
const PUBLIC_KEY_BYTES: usize = 65;

/// From when and until when a certificate is good, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// The first second.
    pub from_s: u64,
    /// The last one.
    pub until_s: u64,
}

impl Validity {
    /// Backdated by a day, and then for `life`.
    pub fn starting(now: WallMs, life: Duration) -> Validity {
        let now_s = now.0 / 1000;
        Validity {
            from_s: now_s.saturating_sub(BACKDATED.as_secs()),
            until_s: now_s.saturating_add(life.as_secs()),
        }
    }

    /// Is less than a third of it left?
    pub fn is_due(self, now: WallMs) -> bool {
        let left = self.until_s.saturating_sub(now.0 / 1000);
        left < self.until_s.saturating_sub(self.from_s) / RENEWED_AT
    }
}

/// What a node proves who it is with.
pub(super) struct NodeKeys {
    pub certificate: CertificateDer<'static>,
    /// The private key, in PKCS #8.
    pub key: Vec<u8>,
    pub validity: Validity,
}

/// The authority of a cluster.
pub(super) struct Authority {
    cluster: ClusterName,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new one.
    pub fn found(cluster: &ClusterName, now: WallMs) -> Result<Authority, rcgen::Error> {
        let key = new_key()?;
        let mut params = named(cluster);
        set_validity(&mut params, Validity::starting(now, AUTHORITY_LIFE));
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(Authority {
            cluster: cluster.clone(),
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// The one whose certificate and key these are.
    pub fn again(
        cluster: &ClusterName,
        certificate: &[u8],
        key: &[u8],
    ) -> Result<Authority, rcgen::Error> {
        let key = PrivatePkcs8KeyDer::from(key);
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256)?;
        Ok(Authority {
            cluster: cluster.clone(),
            certificate: CertificateDer::from(certificate.to_vec()),
            issuer: Issuer::new(named(cluster), key),
        })
    }

    /// Its certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Its private key, in PKCS #8.
    pub fn key(&self) -> &[u8] {
        self.issuer.key().serialized_der()
    }

    /// What its cluster is told by.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    /// Makes a key for a node, and signs it.
    pub fn keys_for(&self, node: NodeId, validity: Validity) -> Result<NodeKeys, rcgen::Error> {
        let key = new_key()?;
        Ok(NodeKeys {
            certificate: self.sign(node, &key, validity)?,
            key: key.serialize_der(),
            validity,
        })
    }

    /// Signs that whoever holds the key to `public` is that node.
    pub fn sign(
        &self,
        node: NodeId,
        public: &impl PublicKeyData,
        validity: Validity,
    ) -> Result<CertificateDer<'static>, rcgen::Error> {
        let mut params = CertificateParams::new([self.cluster.node_name(node)])?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        let name = format!("domo {} {node}", self.cluster);
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        set_validity(&mut params, validity);
        Ok(params.signed_by(public, &self.issuer)?.der().clone())
    }
}

/// A public key on the curve P-256, as a newcomer sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// The public half of a key.
    pub(super) fn of(key: &KeyPair) -> PublicKey {
        PublicKey(key.der_bytes().to_vec())
    }

    /// Does it look like one? Whether it is a point of the curve shows when it is used.
    pub(super) fn is_well_formed(&self) -> bool {
        self.0.len() == PUBLIC_KEY_BYTES && self.0[0] == 4
    }

    /// The point, uncompressed: 65 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// A key that nobody else has.
pub(super) fn new_key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
}

fn named(cluster: &ClusterName) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let name = format!("domo {cluster} authority");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn set_validity(params: &mut CertificateParams, validity: Validity) {
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(validity.from_s);
    params.not_after = epoch + Duration::from_secs(validity.until_s);
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallMs = WallMs(1_800_000_000_000);

    #[test]
    fn a_certificate_is_renewed_when_a_third_of_its_life_is_left() {
        let validity = Validity::starting(NOW, NODE_LIFE);
        assert_eq!(validity.from_s, 1_800_000_000 - 86_400);
        assert!(!validity.is_due(NOW));
        let days = |days: u64| WallMs(NOW.0 + days * 86_400_000);
        assert!(!validity.is_due(days(59)));
        assert!(validity.is_due(days(60)));
        assert!(validity.is_due(days(500)));
    }

    #[test]
    fn an_authority_that_is_read_again_is_the_same_one() {
        let cluster = ClusterName::new("alpha").unwrap();
        let first = Authority::found(&cluster, NOW).unwrap();
        let again = Authority::again(&cluster, first.certificate().as_ref(), first.key()).unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(first.key(), again.key());
        let other = Authority::found(&cluster, NOW).unwrap();
        assert_ne!(first.fingerprint(), other.fingerprint());
    }

    #[test]
    fn what_is_no_public_key_is_not_signed() {
        assert!(!PublicKey(Vec::new()).is_well_formed());
        assert!(!PublicKey(vec![0; PUBLIC_KEY_BYTES]).is_well_formed());
        assert!(PublicKey::of(&new_key().unwrap()).is_well_formed());
    }
}
