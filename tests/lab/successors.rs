//! Daemons that something else has started in place of a test's own: they end with the test.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::Pid;

/// Whoever listens at these sockets is ended with it: before the boxes are swept, or they would make
/// new ones.
#[derive(Debug)]
pub struct Successors(pub Vec<PathBuf>);

impl Drop for Successors {
    fn drop(&mut self) {
        for socket in &self.0 {
            let stream = UnixStream::connect(socket).ok();
            let peer = stream.and_then(|stream| getsockopt(&stream, PeerCredentials).ok());
            if let Some(peer) = peer {
                kill(Pid::from_raw(peer.pid()), Signal::SIGKILL).ok();
            }
        }
    }
}
