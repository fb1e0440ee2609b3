//! TLS between nodes: version 1.3 only, both ends prove themselves, nothing is resumed.
//!
//! # Why
//! No tickets and no early data: each connection is a whole handshake, so that a certificate which
//! was renewed or has expired counts at once and nothing that was recorded can be played again. A
//! handshake costs less than a millisecond and links live for days.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert,
    WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, PeerIncompatible, RootCertStore,
    ServerConfig, SignatureScheme, version,
};
use tokio_rustls::TlsAcceptor;

use super::keys::Keys;
use super::names::Fingerprint;
use crate::clock;

/// The cryptography: the one that comes with the links' library anyway.
pub(super) fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider()))
}

/// How connections are taken in: a certificate of this cluster, or none (then only to join).
pub(super) fn server(keys: &Arc<Keys>) -> Result<Arc<ServerConfig>, Error> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(keys)?, provider().clone())
        .allow_unauthenticated()
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let mut config = ServerConfig::builder_with_details(provider().clone(), Arc::new(WallClock))
        .with_protocol_versions(&[&version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(Present(Arc::clone(keys))));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// How connections to other nodes are opened.
pub(super) fn client(keys: &Arc<Keys>) -> Result<Arc<ClientConfig>, Error> {
    let verifier = WebPkiServerVerifier::builder_with_provider(roots(keys)?, provider().clone())
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let mut config = ClientConfig::builder_with_details(provider().clone(), Arc::new(WallClock))
        .with_protocol_versions(&[&version::TLS13])?
        .with_webpki_verifier(verifier)
        .with_client_cert_resolver(Arc::new(Present(Arc::clone(keys))));
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// How a newcomer opens its connection: it knows the authority's fingerprint, and has no keys yet.
pub(super) fn newcomer(fingerprint: Fingerprint) -> Result<Arc<ClientConfig>, Error> {
    let mut config = ClientConfig::builder_with_details(provider().clone(), Arc::new(WallClock))
        .with_protocol_versions(&[&version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned(fingerprint)))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// A door that nobody comes through: it has no certificate to show.
pub(super) fn closed_door() -> Result<TlsAcceptor, Error> {
    let config = ServerConfig::builder_with_details(provider().clone(), Arc::new(WallClock))
        .with_protocol_versions(&[&version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Nobody));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The wall clock that everything else of this process goes by too.
#[derive(Debug)]
pub(crate) struct WallClock;

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        let now = Duration::from_millis(clock::wall().0);
        Some(UnixTime::since_unix_epoch(now))
    }
}

/// Is the certificate that node's?
pub(super) fn names(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let parsed = ParsedCertificate::try_from(certificate);
    parsed.is_ok_and(|parsed| rustls::client::verify_server_name(&parsed, name).is_ok())
}

fn roots(keys: &Keys) -> Result<Arc<RootCertStore>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(keys.authority().certificate().clone())?;
    Ok(Arc::new(roots))
}

/// Shows the certificate that the node has now.
#[derive(Debug)]
struct Present(Arc<Keys>);

impl ResolvesServerCert for Present {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.certified())
    }
}

impl ResolvesClientCert for Present {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.certified())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Nobody;

impl ResolvesServerCert for Nobody {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// Trusts the one authority that has this fingerprint, whichever of its nodes answers.
#[derive(Debug)]
struct Pinned(Fingerprint);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut shown = intermediates.iter();
        let authority = shown.find(|certificate| Fingerprint::of(certificate) == self.0);
        let authority = authority.ok_or(CertificateError::UnknownIssuer)?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let parsed = ParsedCertificate::try_from(end_entity)?;
        rustls::client::verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &roots,
            &[],
            now,
            provider().signature_verification_algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls13RequiredForQuic.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &provider().signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
