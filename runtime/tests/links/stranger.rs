//! A stranger: speaks to a node by hand, with whatever certificate and hello it likes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use runtime::codec::{self, Form};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The form of a file of keys.
const KEYS: Form = Form {
    kind: 40,
    version: 1,
};
/// The form of a hello.
const HELLO: Form = Form {
    kind: 41,
    version: 1,
};

/// What is in a file of keys.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept {
    pub cluster: String,
    pub node: u64,
    authority: Vec<u8>,
    authority_key: Vec<u8>,
    certificate: Vec<u8>,
    key: Vec<u8>,
    from_s: u64,
    until_s: u64,
    pub cookie: String,
}

impl Kept {
    pub fn read(dir: &Path) -> Kept {
        let bytes = fs::read(dir.join("node.keys")).unwrap();
        codec::decode(KEYS, &bytes).unwrap()
    }

    /// Shows another one's certificate from now on.
    pub fn show_keys_of(&mut self, other: &Kept) {
        self.certificate.clone_from(&other.certificate);
        self.key.clone_from(&other.key);
    }

    /// Shows a certificate that signed itself from now on: an authority's own.
    pub fn show_authority_of(&mut self, other: &Kept) {
        self.certificate.clone_from(&other.authority);
        self.key.clone_from(&other.authority_key);
    }

    pub fn write(&self, dir: &Path) {
        fs::write(dir.join("node.keys"), codec::encode(KEYS, self).unwrap()).unwrap();
    }
}

/// What a connection is for.
#[derive(Clone, Serialize)]
pub enum Errand {
    Link,
    Join,
}

/// What is said first.
#[derive(Clone, Serialize)]
pub struct Hello {
    pub cluster: String,
    pub from: u64,
    pub to: u64,
    pub incarnation: u64,
    pub release: String,
    pub errand: Errand,
    pub sent_us: u64,
    pub ticket: u64,
}

/// What a stranger does otherwise than a node would.
pub struct Stranger {
    pub kept: Kept,
    pub shows_certificate: bool,
    pub version: &'static SupportedProtocolVersion,
    pub protocol: u16,
    pub hello: Hello,
}

impl Stranger {
    /// One that does all as the node would whose keys these are.
    pub fn with(dir: &Path) -> Stranger {
        let kept = Kept::read(dir);
        let hello = Hello {
            cluster: kept.cluster.clone(),
            from: kept.node,
            to: 1,
            incarnation: 1,
            release: "strange".to_owned(),
            errand: Errand::Link,
            sent_us: 0,
            ticket: 1,
        };
        Stranger {
            kept,
            shows_certificate: true,
            version: &version::TLS13,
            protocol: 1,
            hello,
        }
    }

    fn config(&self) -> ClientConfig {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from(self.kept.authority.clone());
        roots.add(authority).unwrap();
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_webpki_verifier(verifier.build().unwrap());
        if self.shows_certificate {
            let chain = vec![CertificateDer::from(self.kept.certificate.clone())];
            let key = PrivatePkcs8KeyDer::from(self.kept.key.clone());
            builder
                .with_client_auth_cert(chain, PrivateKeyDer::from(key))
                .unwrap()
        } else {
            builder.with_no_client_auth()
        }
    }

    /// Makes the connection and the handshake.
    pub async fn connect(&self, address: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let socket = TcpStream::connect(address).await?;
        let name = format!("node-1.{}.domo", self.kept.cluster);
        let name = ServerName::try_from(name).unwrap();
        TlsConnector::from(Arc::new(self.config()))
            .connect(name, socket)
            .await
    }

    /// Says hello, and gives the number of the answer: 0 is welcome.
    pub async fn greet(&self, address: &str) -> std::io::Result<u8> {
        let mut tls = self.connect(address).await?;
        let hello = codec::encode(HELLO, &self.hello).unwrap();
        let said = say(&mut tls, self.protocol, &hello).await;
        hear(&mut tls).await.or_else(|heard| {
            said?;
            Err(heard)
        })
    }
}

/// Says something that begins as a hello does.
pub async fn say(
    tls: &mut TlsStream<TcpStream>,
    protocol: u16,
    body: &[u8],
) -> std::io::Result<()> {
    let frame = [b"domolink".as_slice(), &protocol.to_be_bytes(), body].concat();
    tls.write_u32(u32::try_from(frame.len()).unwrap()).await?;
    tls.write_all(&frame).await?;
    tls.flush().await
}

/// Hears the number of an answer.
pub async fn hear(tls: &mut TlsStream<TcpStream>) -> std::io::Result<u8> {
    let length = tls.read_u32().await? as usize;
    let mut frame = vec![0; length];
    tls.read_exact(&mut frame).await?;
    assert!(frame.starts_with(b"domolink"));
    Ok(frame[10])
}
