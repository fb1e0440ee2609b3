//! Opening connections to other nodes, again and again where a link is wanted.
//!
//! # Why
//! The greater number dials the smaller, so each pair has one dialler and one dial under way. A
//! silent peer is tried anew each half second, with no waiting between: a first packet that was
//! lost is repeated by the kernel after a second only, too late for a link that should be back
//! within one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rules::id::NodeId;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::HANDSHAKE_LIMIT;
use super::link::{Ends, Link};
use super::refusal::Refusal;
use super::session;
use super::shared::Shared;
use super::stream::{self, Held, Stream};
use super::wire::{self, Errand, Hello, Purpose, Welcome};
use crate::clock;

/// How long a connection may take to be made: longer than any way that consensus works over.
const CONNECT_LIMIT: Duration = Duration::from_millis(500);
/// The first wait before a link is tried again.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait after a refusal, which somebody has to mend.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait for a peer that cannot be reached: it may be back at any time.
const LONGEST_UNREACHED: Duration = Duration::from_millis(500);
/// A link that lived for so long begins again with the first wait.
const LIVED: Duration = Duration::from_secs(5);

/// Why there is no connection.
#[derive(Debug, Error)]
pub(super) enum DialError {
    #[error("its address is not known")]
    NoAddress,
    #[error("this node does not speak to it: {0}")]
    Distrusted(Refusal),
    #[error("it refused this node: {0}")]
    Refused(Refusal),
    #[error("it did not answer in time")]
    Silent,
    #[error("it cannot be reached: {0}")]
    Unreached(io::Error),
}

impl From<io::Error> for DialError {
    fn from(error: io::Error) -> DialError {
        match (Refusal::seen_in(&error), Refusal::told_by(&error)) {
            (Some(seen), _) => DialError::Distrusted(seen),
            (None, Some(told)) => DialError::Refused(told),
            (None, None) => DialError::Unreached(error),
        }
    }
}

impl From<DialError> for io::Error {
    fn from(error: DialError) -> io::Error {
        let kind = match &error {
            DialError::NoAddress => io::ErrorKind::NotFound,
            DialError::Distrusted(_) | DialError::Refused(_) => io::ErrorKind::PermissionDenied,
            DialError::Silent => io::ErrorKind::TimedOut,
            DialError::Unreached(error) => error.kind(),
        };
        io::Error::new(kind, error)
    }
}

/// A connection that was made, before it is used.
struct Dialled {
    tls: TlsStream<TcpStream>,
    held: Held,
    welcome: Welcome,
    ticket: u64,
}

/// Opens a stream to another node.
pub(super) async fn open_stream(
    shared: &Arc<Shared>,
    to: NodeId,
    purpose: Purpose,
) -> Result<Stream, DialError> {
    let dialled = dial_in_time(shared, to, Errand::Stream(purpose)).await?;
    Ok(Stream::new(dialled.tls.into(), dialled.held))
}

/// Keeps a link with a peer up until it is told to leave.
pub(super) async fn keep_linked(
    shared: Arc<Shared>,
    peer: NodeId,
    mut leave: watch::Receiver<bool>,
) {
    tokio::select! {
        // An error says that the peer is not known any more.
        _ = leave.wait_for(|leave| *leave) => {}
        () = link_again_and_again(&shared, peer) => {}
    }
}

async fn link_again_and_again(shared: &Arc<Shared>, peer: NodeId) {
    let mut wait = Wait::default();
    // The refusal that was told last: each is told once, not at every try.
    let mut told = String::new();
    loop {
        let began = clock::boot();
        let longest = match dial_in_time(shared, peer, Errand::Link).await {
            Ok(dialled) => {
                let link = linked(peer, dialled.held, dialled.welcome, dialled.ticket);
                let why = session::live(shared, link, dialled.tls.into(), false).await;
                shared.peers.note_error(peer, why);
                LONGEST_UNREACHED
            }
            Err(error) => {
                let why = error.to_string();
                if is_refusal(&error) && why != told {
                    tracing::warn!(%peer, %error, "no link, until somebody mends that");
                    told.clone_from(&why);
                }
                tracing::debug!(%peer, %error, "no link");
                shared.peers.note_error(peer, why);
                longest_after(&error)
            }
        };
        if clock::boot().since(began) >= LIVED {
            wait = Wait::default();
        }
        tokio::time::sleep(wait.next(longest, rand::random())).await;
    }
}

fn is_refusal(error: &DialError) -> bool {
    match error {
        DialError::Distrusted(_) | DialError::Refused(_) => true,
        DialError::NoAddress | DialError::Silent | DialError::Unreached(_) => false,
    }
}

fn longest_after(error: &DialError) -> Duration {
    match error {
        // The try itself took its time.
        DialError::Silent => FIRST_WAIT,
        DialError::Unreached(_) => LONGEST_UNREACHED,
        DialError::NoAddress | DialError::Distrusted(_) | DialError::Refused(_) => LONGEST_WAIT,
    }
}

fn linked(peer: NodeId, held: Held, welcome: Welcome, ticket: u64) -> Arc<Link> {
    Link::new(Ends {
        peer,
        incarnation: welcome.incarnation,
        release: welcome.release,
        own_ticket: ticket,
        their_ticket: welcome.ticket,
        sent_us: welcome.sent_us,
        held,
    })
}

/// Waits that double, each shortened by chance so that peers do not come all at once.
#[derive(Debug, Default)]
struct Wait {
    tries: u32,
}

impl Wait {
    fn next(&mut self, longest: Duration, chance: u8) -> Duration {
        let doubled = FIRST_WAIT.saturating_mul(1 << self.tries.min(10));
        self.tries = self.tries.saturating_add(1);
        let whole = doubled.min(longest);
        // Between a half and the whole.
        whole / 2 + whole / 2 * u32::from(chance) / u32::from(u8::MAX)
    }
}

async fn dial_in_time(
    shared: &Arc<Shared>,
    to: NodeId,
    errand: Errand,
) -> Result<Dialled, DialError> {
    let dialled = tokio::time::timeout(HANDSHAKE_LIMIT, dial(shared, to, errand));
    let dialled = dialled.await.unwrap_or(Err(DialError::Silent));
    match &dialled {
        Ok(_) => shared.peers.note_refusal(to, None),
        Err(DialError::Refused(why) | DialError::Distrusted(why)) => {
            shared.peers.note_refusal(to, Some(*why));
        }
        // That it cannot be reached now takes no refusal back.
        Err(DialError::NoAddress | DialError::Silent | DialError::Unreached(_)) => {}
    }
    dialled
}

async fn dial(shared: &Arc<Shared>, to: NodeId, errand: Errand) -> Result<Dialled, DialError> {
    if shared.peers.is_removed(to) {
        return Err(DialError::Distrusted(Refusal::Removed));
    }
    let address = shared.peers.address(to).ok_or(DialError::NoAddress)?;
    let (mut tls, held) = match reach(shared, to, &address).await {
        Err(error @ (DialError::Silent | DialError::Unreached(_))) => {
            // Where it was stands in the log; that it is nowhere else says nothing more.
            let elsewhere = seek(shared, to, &address).await;
            elsewhere.ok_or(error)?
        }
        reached => reached?,
    };
    let ticket = rand::random();
    let hello = Hello {
        cluster: shared.keys.cluster().as_str().to_owned(),
        from: shared.node,
        to,
        incarnation: shared.incarnation,
        release: shared.release.clone(),
        errand,
        sent_us: clock::boot_us(),
        ticket,
    };
    let welcome = exchange(&mut tls, &hello).await?;
    // The other end is checked as this one is.
    let admitted = shared.peers.admit(to, welcome.incarnation);
    admitted.map_err(DialError::Distrusted)?;
    Ok(Dialled {
        tls,
        held,
        welcome,
        ticket,
    })
}

/// A connection with whoever is at an address, if its certificate says that it is this peer.
async fn reach(
    shared: &Arc<Shared>,
    to: NodeId,
    address: &str,
) -> Result<(TlsStream<TcpStream>, Held), DialError> {
    let name = shared.keys.cluster().server_name(to);
    let name = name.ok_or(DialError::NoAddress)?;
    let socket = connect(address).await?;
    let held = shared.connections.hold(to, &socket)?;
    let connector = TlsConnector::from(Arc::clone(&shared.client));
    Ok((connector.connect(name, socket).await?, held))
}

/// Looks for a peer at one of the seeds, another one each time; where a peer is known to be, no
/// other is.
async fn seek(shared: &Arc<Shared>, to: NodeId, was: &str) -> Option<(TlsStream<TcpStream>, Held)> {
    let is_free = |seed: &&String| *seed != was && !shared.peers.is_at(seed);
    let free: Vec<&String> = shared.seeds.iter().filter(is_free).collect();
    let chance: usize = rand::random_range(0..free.len().max(1));
    let seed = free.get(chance)?;
    let found = reach(shared, to, seed).await.ok()?;
    tracing::info!(peer = %to, %seed, was, "found at a seed");
    Some(found)
}

/// Says hello and hears the answer; used by newcomers too.
pub(super) async fn exchange(
    tls: &mut TlsStream<TcpStream>,
    hello: &Hello,
) -> Result<Welcome, DialError> {
    // Whoever refuses this end's certificate may be gone before the hello is written; its alert is
    // still to be read.
    let said = wire::say_hello(tls, hello).await;
    match wire::hear_answer(tls).await {
        Ok(answer) => answer.map_err(DialError::Refused),
        Err(heard) if Refusal::told_by(&heard).is_some() => Err(heard.into()),
        Err(heard) => Err(said.err().unwrap_or(heard).into()),
    }
}

/// Makes a connection to `host:port`.
///
/// An IP address is used as it is. A host's name is looked up by the system's resolver, which a
/// static program can use only where its C library's name services are installed beside it: give
/// IP addresses where they are not.
pub(super) async fn connect(address: &str) -> Result<TcpStream, DialError> {
    let made = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(address)).await;
    let socket = made
        .map_err(|_| DialError::Silent)?
        .map_err(DialError::Unreached)?;
    stream::tune(&socket).map_err(DialError::Unreached)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_never_less_than_half_of_it() {
        let mut wait = Wait::default();
        let waits: Vec<u128> = (0..8)
            .map(|_| wait.next(LONGEST_WAIT, u8::MAX).as_millis())
            .collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(wait.next(LONGEST_WAIT, 0), LONGEST_WAIT / 2);
        assert!(wait.next(FIRST_WAIT, 128) <= FIRST_WAIT);
    }
}
