//! Clients that mean harm, all kinds at once: honest ones keep their pace, and memory stays bounded.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use lab::{Engine, Lab, Node, raw, request, scale};
use runtime::clock;

/// Memory that a node may take for all of this beyond what it had: the figure's own.
const GROWTH_LIMIT_BYTES: u64 = 64 << 20;
/// Slow clients at scale 1; ten thousand in the long form.
const SLOW: usize = 1_000;
/// How many of them there are at one time: far below one user's share of the door.
const SLOW_AT_ONCE: usize = 200;
/// Bytes of the endless body at scale 1; a GiB and more in the long form.
const BODY_BYTES: usize = 128 << 20;
/// Requests of the honest client on each side of the comparison.
const HONEST: usize = 60;
/// What two halves of one run differ by while nobody means harm.
const JITTER: Duration = Duration::from_millis(15);

/// What the harm has come to.
#[derive(Default)]
struct Harm {
    is_over: AtomicBool,
    slow: AtomicUsize,
    bodies: AtomicUsize,
    bombs: AtomicUsize,
}

/// Opens connections by the dozen, says half of something on each, and holds them until it is told no.
fn be_slow(socket: &Path, harm: &Harm) {
    const HALVES: [&str; 3] = [
        "GET /v1/sta",
        "POST /v1/cases HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n{",
        "POST /v1/blobs HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4\r\nab",
    ];
    while !harm.is_over.load(Ordering::Relaxed) {
        let mut held = Vec::new();
        for number in 0..SLOW_AT_ONCE / 2 {
            let Ok(mut stream) = UnixStream::connect(socket) else {
                break;
            };
            drop(stream.write_all(HALVES[number % HALVES.len()].as_bytes()));
            held.push(stream);
        }
        harm.slow.fetch_add(held.len(), Ordering::Relaxed);
        // As long as one who waits for an answer that does not come.
        if let Some(first) = held.first_mut() {
            drop(first.set_read_timeout(Some(Duration::from_millis(300))));
            drop(first.read(&mut [0]));
        }
    }
}

/// Sends a body without an end until the node hangs up.
fn be_endless(socket: &Path, harm: &Harm) {
    let piece = [b"10000\r\n".as_slice(), &vec![b'x'; 0x10000], b"\r\n"].concat();
    while !harm.is_over.load(Ordering::Relaxed) {
        for path in ["/v1/blobs", "/v1/cases"] {
            let Ok(mut stream) = UnixStream::connect(socket) else {
                continue;
            };
            let head =
                format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
            let mut sent = stream.write_all(head.as_bytes());
            let mut left = scale(BODY_BYTES);
            while sent.is_ok() && left > 0 && !harm.is_over.load(Ordering::Relaxed) {
                sent = stream.write_all(&piece);
                left = left.saturating_sub(0x10000);
            }
            harm.bodies.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sends what is small and would be large: nested without end, packed, claimed.
fn be_a_bomb(socket: &Path, harm: &Harm) {
    let deep = [b"{\"brief\":".as_slice(), &vec![b'['; 200_000]].concat();
    let packed = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let bombs: [(&str, &str, &[u8]); 4] = [
        ("/v1/cases", "", &deep),
        ("/v1/apply", "", &deep),
        ("/v1/cases", "content-encoding: gzip\r\n", &packed),
        ("/v1/humans", "content-encoding: zstd\r\n", &packed),
    ];
    while !harm.is_over.load(Ordering::Relaxed) {
        for (path, header, body) in bombs {
            let length = body.len();
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}content-length: {length}\r\n\r\n"
            );
            let reply = raw(socket, &[head.as_bytes(), body].concat());
            if let Ok(reply) = reply {
                assert!((400..500).contains(&reply.status), "{path}: {reply:?}");
            }
            harm.bombs.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn begin(node: &Node, harm: &Arc<Harm>, how: fn(&Path, &Harm)) -> JoinHandle<()> {
    let (socket, harm): (PathBuf, _) = (node.socket(), Arc::clone(harm));
    std::thread::spawn(move || how(&socket, &harm))
}

/// The median time of an honest client's look and wish, each an entry on the disk.
fn pace(node: &Node) -> (Duration, u64) {
    let mut took = Vec::new();
    let mut most = 0;
    for _ in 0..HONEST {
        let began = clock::boot_us();
        let looked = request(&node.socket(), "GET", "/v1/status", "").expect("it answers");
        assert_eq!(looked.status, 200, "{looked:?}");
        let wish = r#"{"humans":[{"name":"honest"}]}"#;
        let done = request(&node.socket(), "POST", "/v1/humans", wish).expect("it answers");
        assert_eq!(done.status, 200, "{done:?}");
        took.push(Duration::from_micros(clock::boot_us() - began));
        most = most.max(node.resident_bytes());
    }
    took.sort_unstable();
    (took[took.len() / 2], most)
}

#[test]
fn whoever_means_harm_takes_neither_memory_nor_an_honest_clients_pace() {
    let lab = Lab::new();
    let node = Node::start(&lab, &Engine::Process);
    let (usual, before) = pace(&node);
    let harm = Arc::new(Harm::default());
    let begun = [be_slow, be_slow, be_endless, be_a_bomb].map(|how| begin(&node, &harm, how));
    let (mut during, mut most) = (Duration::ZERO, 0);
    while harm.slow.load(Ordering::Relaxed) < scale(SLOW)
        || harm.bodies.load(Ordering::Relaxed) < 4
        || harm.bombs.load(Ordering::Relaxed) < 40
    {
        let (took, resident) = pace(&node);
        (during, most) = (during.max(took), most.max(resident));
    }
    harm.is_over.store(true, Ordering::Relaxed);
    for hostile in begun {
        hostile.join().expect("it is answered as it should be");
    }
    let grown = most.saturating_sub(before);
    assert!(grown < GROWTH_LIMIT_BYTES, "{grown} bytes");
    assert!(
        during <= 2 * usual + JITTER,
        "usually {usual:?}, with them {during:?}"
    );
    node.domo(&["case", "list"]).ok();
}
