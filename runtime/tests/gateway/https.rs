//! Targets behind TLS: reached where their authority is trusted, and not spoken to where it is not.

use std::fs;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use runtime::gateway::Secret;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tempfile::TempDir;

use super::house::{House, target};
use super::target::Counting;

/// An authority of the test's own, in a file, and what it signed for a name.
struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn found() -> Authority {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "an authority of a test's own");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).unwrap();
        fs::write(folder.path().join("authority.pem"), pem(certificate.der())).unwrap();
        let issuer = Issuer::new(params, key);
        Authority { folder, issuer }
    }

    /// How a server proves that it has this name.
    fn server(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![signed.der().clone()], key.into());
        Arc::new(config.unwrap())
    }
}

/// Base64 between two lines, as authorities are handed out.
fn pem(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let is_there = digit <= three.len();
            let index = (bits >> (18 - 6 * digit)) & 63;
            text.push(if is_there {
                char::from(DIGITS[index as usize])
            } else {
                '='
            });
        }
    }
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|from| &text[from..text.len().min(from + 64)])
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

#[tokio::test]
async fn an_agent_reads_and_changes_a_target_behind_tls_whose_authority_is_trusted() {
    let authority = Authority::found();
    let counting = Counting::secure(authority.server("127.0.0.1")).await;
    let mut wanted = target(counting.port);
    wanted.address.scheme = "https".to_owned();
    wanted.needs_secret = true;
    let file = authority.folder.path().join("authority.pem");
    let house = House::trusting(wanted.clone(), &file).await;
    let secret = Secret::new(None, "real").unwrap();
    house.gateway.secrets().set(&wanted.name, &secret).unwrap();
    house.runs(1).await;
    let agent = house.agent(1);
    for method in ["GET", "PUT", "POST"] {
        let answer = agent.ask(method, "/done", "3").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (201, "made"),
            "{answer:?}"
        );
    }
    let arrived = counting.arrived();
    assert_eq!(arrived.len(), 3);
    for one in &arrived {
        assert_eq!(one.header("authorization").as_deref(), Some("Bearer real"));
    }
    assert_eq!(
        house.case().effects.len(),
        2,
        "both changes are accounted for"
    );
    let found = house.gateway.check(&wanted, "/").await;
    assert!(found.iter().all(|finding| finding.is_good), "{found:?}");
}

#[tokio::test]
async fn nothing_is_said_to_a_target_that_does_not_prove_who_it_is() {
    let (authority, other) = (Authority::found(), Authority::found());
    let file = authority.folder.path().join("authority.pem");
    for (server, why) in [
        (other.server("127.0.0.1"), "BadSignature"),
        (authority.server("127.0.0.2"), "not valid for name"),
    ] {
        let counting = Counting::secure(server).await;
        let mut wanted = target(counting.port);
        wanted.address.scheme = "https".to_owned();
        let house = House::trusting(wanted, &file).await;
        house.runs(1).await;
        let answer = house.agent(1).ask("POST", "/done", "3").await;
        assert_eq!(answer.status, 502, "{answer:?}");
        assert!(answer.body.contains(why), "{answer:?}");
        assert!(counting.arrived().is_empty());
        let effects = house.case().effects;
        let is_not_done = |effect: &rules::effect::Effect| {
            matches!(effect.status, rules::effect::EffectStatus::NotDone { .. })
        };
        assert!(effects.values().all(is_not_done), "{effects:?}");
    }
}
