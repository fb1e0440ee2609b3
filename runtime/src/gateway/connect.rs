//! The way to a target: TCP, and TLS where its address says so.
//!
//! # Invariant
//! It is known whether a byte was given to the line: only where none was, a request surely did not
//! arrive.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use rules::target::Address;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::links::WallClock;

/// Where systems keep the authorities that they trust; the first that is there counts.
const SYSTEM_AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What a line is made of.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Knows whose certificates are trusted, and connects.
#[derive(Debug)]
pub(super) struct Ways {
    own_authorities: Option<PathBuf>,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

/// A line to a target that knows whether anything was given to it.
pub(super) struct Line {
    io: Box<dyn Io>,
    is_used: Arc<AtomicBool>,
}

impl Line {
    /// Becomes true with the first byte that is given to the line.
    pub(super) fn is_used(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_used)
    }
}

impl Ways {
    /// Trusts the system's authorities, and those of a file.
    pub(super) fn new(own_authorities: Option<PathBuf>) -> Self {
        Self {
            own_authorities,
            config: OnceLock::new(),
        }
    }

    /// Opens a line; says at which step it failed.
    pub(super) async fn open(&self, address: &Address) -> Result<Line, String> {
        let is_secure = match address.scheme.as_str() {
            "http" => false,
            "https" => true,
            other => return Err(format!("{other} is not carried, only http and https are")),
        };
        let host = address.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, address.port)).await;
        let stream = stream.map_err(|error| format!("no connection to {address}: {error}"))?;
        // Small requests go at once; where it cannot be set they go a little later.
        let _ = stream.set_nodelay(true);
        let io: Box<dyn Io> = if is_secure {
            let config = self.config.get_or_init(|| self.make_config()).clone()?;
            let name = ServerName::try_from(host.to_owned());
            let name = name.map_err(|error| format!("{host}: {error}"))?;
            let handshake = TlsConnector::from(config).connect(name, stream).await;
            Box::new(handshake.map_err(|error| format!("no TLS with {address}: {error}"))?)
        } else {
            Box::new(stream)
        };
        Ok(Line {
            io,
            is_used: Arc::default(),
        })
    }

    fn make_config(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = RootCertStore::empty();
        let system = SYSTEM_AUTHORITIES.map(Path::new);
        if let Some(file) = system.into_iter().find(|file| file.exists()) {
            // What of the system's own cannot be read is not trusted, and the others are.
            let certificates = read(file)?;
            roots.add_parsable_certificates(certificates);
        }
        if let Some(file) = &self.own_authorities {
            for certificate in read(file)? {
                let added = roots.add(certificate);
                added.map_err(|error| format!("{}: {error}", file.display()))?;
            }
        }
        if roots.is_empty() {
            let files = SYSTEM_AUTHORITIES.join(", ");
            return Err(format!(
                "no authority is trusted: none of {files} is there; set gateway.authorities"
            ));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_details(provider, Arc::new(WallClock))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = file.display();
    let bytes = fs::read(file).map_err(|error| format!("{shown}: {error}"))?;
    CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{shown}: {error}"))
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, into)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Before it is written: whatever comes back, it may have gone.
        self.is_used.store(true, Ordering::SeqCst);
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
