//! The one port that other nodes come to: who they are and what for, before anything else.
//!
//! # Invariant
//! Nobody waits for a connection that says nothing: each is greeted beside the others, has three
//! seconds, and when there are too many the oldest of them goes.
//!
//! # Why
//! Refusing the newest when there are too many would let a few hundred silent connections keep
//! every node out; the oldest has had its time, and an honest node needs milliseconds.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::join;
use super::link::{Ends, Link};
use super::names::ClusterName;
use super::refusal::Refusal;
use super::session;
use super::shared::{Came, Shared};
use super::stream::{self, Held, Stream};
use super::wire::{self, Errand, Hello, Purpose, Welcome};
use super::{HANDSHAKE_LIMIT, tls};
use crate::clock;

/// Connections that have not said yet who they are; each holds a descriptor and a few kilobytes.
const MAX_HALF_OPEN: usize = 256;
/// How long one that is refused has to read why.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// What of its own words is thrown away meanwhile.
const IGNORED_BYTES: u64 = 64 * 1024;
/// Time before connections are taken again after the system had no descriptor left for one.
const BREATH: Duration = Duration::from_millis(50);

/// Takes connections in until the links are closed.
pub(super) async fn listen(shared: Arc<Shared>, listener: TcpListener) {
    let mut half_open: VecDeque<AbortHandle> = VecDeque::new();
    let mut closing = shared.closing.subscribe();
    loop {
        let accepted = tokio::select! {
            _ = closing.wait_for(|closing| *closing) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, who)) => {
                make_room(&mut half_open);
                let greeting = greet_in_time(Arc::clone(&shared), socket, who);
                half_open.push_back(tokio::spawn(greeting).abort_handle());
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    half_open.iter().for_each(AbortHandle::abort);
}

fn make_room(half_open: &mut VecDeque<AbortHandle>) {
    if half_open.len() >= MAX_HALF_OPEN {
        half_open.retain(|greeting| !greeting.is_finished());
    }
    if half_open.len() >= MAX_HALF_OPEN
        && let Some(oldest) = half_open.pop_front()
    {
        oldest.abort();
    }
}

async fn greet_in_time(shared: Arc<Shared>, socket: TcpStream, who: SocketAddr) {
    match tokio::time::timeout(HANDSHAKE_LIMIT, greet(&shared, socket, who)).await {
        Ok(Ok(Some(guest))) => {
            // Beside this task: a guest is not half open any more.
            tokio::spawn(guest.serve(shared));
        }
        Ok(Ok(None)) => {}
        Ok(Err(error)) => tracing::debug!(%who, %error, "a connection broke off"),
        Err(_) => shared.refused.note(Refusal::TooSlow, who),
    }
}

/// Whoever was let in, and what for.
enum Guest {
    Link(Arc<Link>, TlsStream<TcpStream>),
    Stream(mpsc::OwnedPermit<Came>, Purpose, Held, TlsStream<TcpStream>),
    Join(OwnedSemaphorePermit, TlsStream<TcpStream>),
}

impl Guest {
    async fn serve(self, shared: Arc<Shared>) {
        match self {
            Guest::Link(link, tls) => {
                let (peer, who) = (link.peer, tls.get_ref().0.peer_addr());
                let why = session::live(&shared, link, tls.into(), true).await;
                if let (session::NO_SESSION, Ok(who)) = (why.as_str(), who) {
                    shared.refused.note(Refusal::WrongCookie, who);
                }
                shared.peers.note_error(peer, why);
            }
            Guest::Stream(place, purpose, held, tls) => {
                let stream = Stream::new(tls.into(), held);
                place.send((stream.peer(), purpose, stream));
            }
            Guest::Join(permit, tls) => {
                join::serve(&shared, tls).await;
                drop(permit);
            }
        }
    }
}

async fn greet(
    shared: &Arc<Shared>,
    socket: TcpStream,
    who: SocketAddr,
) -> io::Result<Option<Guest>> {
    stream::tune(&socket)?;
    let acceptor = TlsAcceptor::from(Arc::clone(&shared.server));
    let mut tls = match acceptor.accept(socket).into_fallible().await {
        Ok(tls) => tls,
        Err((error, socket)) => {
            let Some(refusal) = Refusal::seen_in(&error) else {
                return Err(error);
            };
            shared.refused.note(refusal, who);
            last_words(socket).await;
            return Ok(None);
        }
    };
    let heard = wire::hear_hello(&mut tls).await?;
    let judged = heard.and_then(|hello| judge(shared, &hello, &tls).map(|()| hello));
    let guest = judged.and_then(|hello| let_in(shared, hello, &tls));
    match guest {
        Ok((ready, ticket)) => {
            let welcome = Welcome {
                incarnation: shared.incarnation,
                release: shared.release.clone(),
                sent_us: clock::boot_us(),
                ticket,
            };
            wire::answer_hello(&mut tls, &Ok(welcome)).await?;
            Ok(Some(match ready {
                Ready::Link(link) => Guest::Link(link, tls),
                Ready::Stream(place, purpose, held) => Guest::Stream(place, purpose, held, tls),
                Ready::Join(permit) => Guest::Join(permit, tls),
            }))
        }
        Err(refusal) => {
            shared.refused.note(refusal, who);
            wire::answer_hello(&mut tls, &Err(refusal)).await?;
            tls.shutdown().await?;
            last_words(tls.into_inner().0).await;
            Ok(None)
        }
    }
}

/// Is whoever says this hello who it says, and may it speak?
fn judge(shared: &Shared, hello: &Hello, tls: &TlsStream<TcpStream>) -> Result<(), Refusal> {
    if hello.errand == Errand::Join {
        return Ok(());
    }
    let shown = tls.get_ref().1.peer_certificates();
    let certificate = shown
        .and_then(|shown| shown.first())
        .ok_or(Refusal::NoCertificate)?;
    let own = shared.keys.cluster();
    if hello.cluster != own.as_str() {
        return Err(Refusal::WrongCluster);
    }
    if !is_named(certificate, own, hello) || hello.from == shared.node {
        return Err(Refusal::WrongNode);
    }
    if hello.to != shared.node {
        return Err(Refusal::NotMeant);
    }
    // The greater number dials, so that two nodes never dial each other at once.
    if hello.errand == Errand::Link && hello.from < shared.node {
        return Err(Refusal::Malformed);
    }
    shared.peers.admit(hello.from, hello.incarnation)
}

fn is_named(
    certificate: &rustls::pki_types::CertificateDer<'_>,
    cluster: &ClusterName,
    hello: &Hello,
) -> bool {
    let name = cluster.server_name(hello.from);
    name.is_some_and(|name| tls::names(certificate, &name))
}

/// What a guest needs, taken before it is welcomed.
enum Ready {
    Link(Arc<Link>),
    Stream(mpsc::OwnedPermit<Came>, Purpose, Held),
    Join(OwnedSemaphorePermit),
}

fn let_in(
    shared: &Arc<Shared>,
    hello: Hello,
    tls: &TlsStream<TcpStream>,
) -> Result<(Ready, u64), Refusal> {
    let socket = tls.get_ref().0;
    let hold = || {
        shared
            .connections
            .hold(hello.from, socket)
            .map_err(|_| Refusal::Full)
    };
    match hello.errand {
        Errand::Link => {
            let ticket = rand::random();
            let link = Link::new(Ends {
                peer: hello.from,
                incarnation: hello.incarnation,
                held: hold()?,
                release: hello.release,
                own_ticket: ticket,
                their_ticket: hello.ticket,
                sent_us: hello.sent_us,
            });
            Ok((Ready::Link(link), ticket))
        }
        Errand::Stream(purpose) => {
            let place = shared.incoming.clone().try_reserve_owned();
            let place = place.map_err(|_| Refusal::Full)?;
            Ok((Ready::Stream(place, purpose, hold()?), 0))
        }
        Errand::Join => {
            let permit = Arc::clone(&shared.joins).try_acquire_owned();
            Ok((Ready::Join(permit.map_err(|_| Refusal::Full)?), 0))
        }
    }
}

/// Lets the other end read why it is refused: closing while its words lie unread would take ours
/// away from it.
async fn last_words(mut socket: TcpStream) {
    let ignored = async {
        socket.shutdown().await?;
        let mut rest = socket.take(IGNORED_BYTES);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    drop(tokio::time::timeout(LAST_WORDS, ignored).await);
}
