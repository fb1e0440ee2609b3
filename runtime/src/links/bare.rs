//! The connections that links stand on, bare, so that it can be measured what their encryption takes.
//!
//! # Why
//! Links have no form without TLS, and get none for the sake of a figure. What TLS takes is seen on
//! the same sockets, set up and encrypted by the same code, with nothing else around them.

use std::io;
use std::sync::Arc;

use rules::id::NodeId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{Keys, dialler, stream, tls};

/// A connection's end.
pub trait End: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> End for T {}

/// Both ends of a connection over loopback, set up as links set up theirs: the one that called, and
/// the one that was called.
pub async fn plain() -> io::Result<(Box<dyn End>, Box<dyn End>)> {
    let (calling, called) = sockets().await?;
    Ok((Box::new(calling), Box::new(called)))
}

/// The same with TLS, between two nodes of one cluster that show each other their certificates.
pub async fn encrypted(
    calling: &Arc<Keys>,
    called: &Arc<Keys>,
) -> io::Result<(Box<dyn End>, Box<dyn End>)> {
    let connector = TlsConnector::from(tls::client(calling).map_err(io::Error::other)?);
    let acceptor = TlsAcceptor::from(tls::server(called).map_err(io::Error::other)?);
    let name = called.cluster().server_name(called.node());
    let name = name.ok_or_else(|| io::Error::other("the cluster's name is no host's name"))?;
    let (from, to) = sockets().await?;
    let (calling, called) = tokio::join!(connector.connect(name, from), acceptor.accept(to));
    Ok((Box::new(calling?), Box::new(called?)))
}

async fn sockets() -> io::Result<(tokio::net::TcpStream, tokio::net::TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (calling, called) = tokio::join!(dialler::connect(&address), listener.accept());
    let (called, _) = called?;
    stream::tune(&called)?;
    Ok((calling.map_err(io::Error::other)?, called))
}

/// The keys of so many nodes of a cluster that is made for this, in a folder of their own.
pub fn keys(folder: &std::path::Path, count: u64) -> io::Result<Vec<Arc<Keys>>> {
    let cluster = super::ClusterName::new("measured").map_err(io::Error::other)?;
    let of = |node: u64| folder.join(node.to_string());
    let founder = Keys::found(&of(1), &cluster, NodeId(1)).map_err(io::Error::other)?;
    let others = (2..=count).map(|node| founder.for_node(&of(node), NodeId(node)));
    let others: Vec<Keys> = others.collect::<Result<_, _>>().map_err(io::Error::other)?;
    Ok([founder].into_iter().chain(others).map(Arc::new).collect())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::{encrypted, keys, plain};

    #[tokio::test]
    async fn both_kinds_carry_what_is_written_to_the_other_end() {
        let folder = tempfile::tempdir().unwrap();
        let keys = keys(folder.path(), 2).unwrap();
        for (mut one, mut other) in [
            plain().await.unwrap(),
            encrypted(&keys[0], &keys[1]).await.unwrap(),
        ] {
            one.write_all(b"to the other").await.unwrap();
            one.flush().await.unwrap();
            let mut heard = [0; 12];
            other.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"to the other");
        }
    }
}
