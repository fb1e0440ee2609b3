//! A line that takes its time: what goes through it is a while on its way, in both directions.
//!
//! # Why
//! Where the kernel cannot delay packets, somebody in the middle can. Each piece that was read is
//! held for as long; what comes meanwhile waits in the kernel, and so takes longer or less long.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

/// The argument that makes this program such a line.
pub const LATE: &str = "--late";
/// How long each piece is held.
const HELD: Duration = Duration::from_millis(60);
/// The most that is held at a time: a busy line passes a mebibyte in a second.
const PIECE_BYTES: usize = 64 << 10;

/// Serves for ever: whoever connects to one address speaks with the other.
pub fn serve(listen: &str, to: &str) -> io::Result<()> {
    let listener = TcpListener::bind(listen)?;
    loop {
        let (near, _) = listener.accept()?;
        let to = to.to_owned();
        std::thread::spawn(move || join(&near, &to));
    }
}

fn join(near: &TcpStream, to: &str) -> io::Result<()> {
    let far = TcpStream::connect(to)?;
    for end in [near, &far] {
        end.set_nodelay(true)?;
    }
    let (from, back) = (far.try_clone()?, near.try_clone()?);
    std::thread::spawn(move || carry(from, back));
    carry(near.try_clone()?, far)
}

fn carry(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    let ended = loop {
        let count = match from.read(&mut piece) {
            Ok(0) => break Ok(()),
            Ok(count) => count,
            Err(why) => break Err(why),
        };
        std::thread::sleep(HELD);
        if let Err(why) = to.write_all(&piece[..count]) {
            break Err(why);
        }
    };
    // The other direction ends with this one, as with a line that was cut.
    for end in [from, to] {
        let _ = end.shutdown(Shutdown::Both);
    }
    ended
}
