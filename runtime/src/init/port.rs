//! The loopback port of an attempt: the way to the gateway for programs that only speak TCP.
//!
//! ```text
//! agent ─► 127.0.0.1:PORT ─► domo init --carry SOCKET ─► the gateway's socket
//! ```
//!
//! # Invariant
//!
//! The port listens before the agent is started and as long as it runs; it leads to the socket of
//! its own attempt and nowhere else.
//!
//! # Why
//!
//! Init listens and starts a process to carry only when somebody comes: most agents never ask, and
//! init itself stays single-threaded and waits for nothing but its attempts. The carrier gets the
//! listening socket as its standard input, so no descriptor is handed on by number.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;

use super::tried;
use crate::clock::Deadline;
use crate::spool::short_way;

/// Connections that are carried at once; more wait to be accepted. The gateway has its own limit.
const CARRIED_LIMIT: usize = 128;
/// Pause after a carrier could not be started: the box may be at its limit of processes.
const START_PAUSE: Duration = Duration::from_millis(500);

/// The port of a running attempt.
pub(super) struct Port {
    listener: TcpListener,
    address: SocketAddr,
    socket: PathBuf,
    carrier: Option<Pid>,
    not_before: Deadline,
}

impl Port {
    /// Listens on a free port that leads to `socket`.
    pub(super) fn open(socket: &Path) -> io::Result<Port> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Port {
            address: listener.local_addr()?,
            listener,
            socket: socket.to_owned(),
            carrier: None,
            not_before: Deadline::after(Duration::ZERO),
        })
    }

    /// Where agents reach the gateway.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// To wait for, while nobody carries what comes.
    pub(super) fn waiting(&self) -> Option<BorrowedFd<'_>> {
        let is_idle = self.carrier.is_none() && self.not_before.is_over();
        is_idle.then(|| self.listener.as_fd())
    }

    /// Starts the carrier when somebody has come.
    pub(super) fn turn(&mut self) {
        let Some(listener) = self.waiting() else {
            return;
        };
        let mut fds = [PollFd::new(listener, PollFlags::POLLIN)];
        if poll(&mut fds, PollTimeout::ZERO) != Ok(1) {
            return;
        }
        match self.start() {
            Ok(carrier) => self.carrier = Some(carrier),
            Err(_) => self.not_before = Deadline::after(START_PAUSE),
        }
    }

    fn start(&self) -> io::Result<Pid> {
        let listener = OwnedFd::from(self.listener.try_clone()?);
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["init", "--carry"]).arg(&self.socket);
        command.env_clear().current_dir("/").stdin(listener);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn()?;
        i32::try_from(child.id())
            .map(Pid::from_raw)
            .map_err(io::Error::other)
    }

    /// Takes note of a reaped process: a carrier that ended is started again when it is needed.
    pub(super) fn reaped(&mut self, pid: Pid) {
        if self.carrier == Some(pid) {
            self.carrier = None;
            self.not_before = Deadline::after(START_PAUSE);
        }
    }

    /// Ends the carrier, which is none of the agent's own processes.
    pub(super) fn close(self) {
        if let Some(carrier) = self.carrier {
            // Not reaped yet, so its number is still its own.
            let _ = kill(carrier, Signal::SIGKILL);
            let _ = nix::sys::wait::waitpid(carrier, None);
        }
    }
}

/// Carries connections from the listening socket on standard input to `socket`, for as long as the
/// init that started it lives.
pub(super) fn carry(socket: &Path) -> Result<ExitCode, String> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(tried("an init's end is not heard"))?;
    let listener = io::stdin().as_fd().try_clone_to_owned();
    let listener = TcpListener::from(listener.map_err(tried("no socket to listen on"))?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(tried("no event loop"))?;
    runtime
        .block_on(carry_all(listener, socket))
        .map_err(tried("the loopback port"))?;
    Ok(ExitCode::SUCCESS)
}

async fn carry_all(listener: TcpListener, socket: &Path) -> io::Result<()> {
    let folder = socket.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let (_folder, socket) = short_way(folder)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CARRIED_LIMIT));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return Ok(());
        };
        let (mut from, _) = listener.accept().await?;
        let socket = socket.clone();
        tokio::spawn(async move {
            let _place = place;
            // Whichever end breaks off, the other one is told by its close.
            let _ = carry_one(&mut from, &socket).await;
        });
    }
}

async fn carry_one(from: &mut TcpStream, socket: &Path) -> io::Result<()> {
    from.set_nodelay(true)?;
    let mut to = UnixStream::connect(socket).await?;
    tokio::io::copy_bidirectional(from, &mut to).await?;
    Ok(())
}
