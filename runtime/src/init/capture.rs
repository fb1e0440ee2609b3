//! Storing what an agent writes to one of its output streams, up to a limit.
//!
//! # Invariant
//!
//! The stream is always drained, so an agent that writes never waits for anyone; beyond the limit
//! its bytes are counted and thrown away.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::spool::Captured;

/// Bytes read in one turn, so that a flood on one stream starves nothing else.
const TURN_BYTES: usize = 1 << 20;
/// Bytes of one read: the usual size of a pipe.
const READ_BYTES: usize = 64 << 10;

/// One stream on its way to its log file.
pub(super) struct Capture<P> {
    pipe: Option<P>,
    log: File,
    limit_bytes: u64,
    pub(super) captured: Captured,
}

impl<P: Read + AsFd> Capture<P> {
    pub(super) fn new(pipe: P, log: &Path, limit_bytes: u64) -> io::Result<Capture<P>> {
        let flags = OFlag::from_bits_retain(fcntl(pipe.as_fd(), FcntlArg::F_GETFL)?);
        fcntl(pipe.as_fd(), FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let log = options.open(log)?;
        Ok(Capture {
            pipe: Some(pipe),
            log,
            limit_bytes,
            captured: Captured::default(),
        })
    }

    /// The pipe, while someone may still write into it.
    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Takes what is there. True when there may be more at once.
    pub(super) fn drain(&mut self) -> bool {
        let mut buffer = vec![0; READ_BYTES];
        let mut taken = 0;
        while taken < TURN_BYTES {
            let Some(pipe) = &mut self.pipe else {
                return false;
            };
            match pipe.read(&mut buffer) {
                Ok(0) => {
                    self.pipe = None;
                    return false;
                }
                Ok(read) => {
                    taken += read;
                    self.store(&buffer[..read]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(_) => {
                    self.pipe = None;
                    return false;
                }
            }
        }
        true
    }

    fn store(&mut self, bytes: &[u8]) {
        let room = self.limit_bytes.saturating_sub(self.captured.stored_bytes);
        let keep = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        let (kept, dropped) = bytes.split_at(keep);
        // A full disk must not stop the agent: what could not be stored counts as dropped.
        if self.log.write_all(kept).is_ok() {
            self.captured.stored_bytes += length(kept);
        } else {
            self.captured.dropped_bytes += length(kept);
            self.limit_bytes = self.captured.stored_bytes;
        }
        self.captured.dropped_bytes += length(dropped);
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
