//! A node of a test: this binary again, with its place in the environment, led by lines.
//!
//! ```text
//! know 1=127.0.0.1:7001     refuse 3     call 1 300 hello     connect 1 lease
//! status     refusals     hosts     count     renew -10 1000     flood 1 50 300 hello     measure 1 1000 64
//! hold 1     load 1 6000 262144
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rules::id::NodeId;
use runtime::clock;
use runtime::ledger::{Links as _, NoAnswer};
use runtime::links::{
    Admitted, Admitting, Answerer, Answering, Gate, Incoming, JoinRequest, Keys, LinkOptions,
    Linked, MAX_CALL_BYTES, Purpose, RENEWAL_EVERY, Validity,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

/// Where a child finds its place.
pub const PLACE: &str = "DOMO_LINKS_PLACE";
/// How often a child looks at its certificate, where a test says so.
pub const RENEWAL_MS: &str = "DOMO_LINKS_RENEWAL_MS";
/// What a child says first.
pub const OPENED: &str = "opened";

/// Answers with what it was asked, late or at length where it is asked to.
#[derive(Clone, Default)]
struct Echo {
    carried_out: Arc<AtomicU64>,
}

impl Answerer for Echo {
    fn answer(&self, from: NodeId, call: Vec<u8>) -> Answering {
        self.carried_out.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let text = String::from_utf8_lossy(&call);
            if let Some(ms) = text.strip_prefix("late ") {
                let limit = Duration::from_millis(ms.parse().unwrap());
                let never = std::future::pending::<()>();
                drop(tokio::time::timeout(limit, never).await);
            } else if text == "long" {
                return Some(vec![0; MAX_CALL_BYTES + 1]);
            } else if text == "nobody" {
                return None;
            }
            Some([format!("{from} says ").as_bytes(), &call].concat())
        })
    }
}

/// Lets in whoever is called as they should be.
struct Door {
    peers: BTreeMap<NodeId, String>,
}

impl Gate for Door {
    fn admit(&self, request: JoinRequest) -> Admitting<'_> {
        Box::pin(async move {
            let number = request
                .name
                .strip_prefix("host-")
                .ok_or("such a name is not let in")?;
            let node = NodeId(number.parse().map_err(|_| "no number")?);
            Ok(Admitted {
                node,
                peers: self.peers.clone(),
            })
        })
    }
}

fn say(line: &str) {
    println!("\n> {line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_is_a_node() {
    let Ok(place) = std::env::var(PLACE) else {
        return;
    };
    let parts: Vec<&str> = place.split(' ').collect();
    let [dir, incarnation, listen, seeds @ ..] = parts.as_slice() else {
        panic!("{place}");
    };
    let keys = Arc::new(Keys::open(&PathBuf::from(dir)).unwrap());
    let options = LinkOptions {
        node: keys.node(),
        incarnation: incarnation.parse().unwrap(),
        cluster: keys.cluster().clone(),
        keys: Arc::clone(&keys),
        listen: listen.parse().unwrap(),
        seeds: seeds.iter().map(|seed| (*seed).to_owned()).collect(),
        release: "test".to_owned(),
        renewal_every: std::env::var(RENEWAL_MS).map_or(RENEWAL_EVERY, |ms| {
            Duration::from_millis(ms.parse().unwrap())
        }),
    };
    let (linked, incoming) = Linked::open(options).await.unwrap();
    let echo = Echo::default();
    linked.answer_with(Arc::new(echo.clone()));
    let own = linked.local_addr().to_string();
    linked.admit_with(Arc::new(Door {
        peers: BTreeMap::from([(keys.node(), own.clone())]),
    }));
    tokio::spawn(echo_streams(incoming));
    say(&format!("{OPENED} {own}"));
    let mut lines = orders();
    while let Some(line) = lines.recv().await {
        let answer = obey(&linked, &keys, &echo, &line).await;
        say(&answer);
    }
    linked.close().await;
}

/// The lines of the standard input, until it ends.
fn orders() -> mpsc::Receiver<String> {
    let (give, take) = mpsc::channel(10);
    std::thread::spawn(move || {
        let lines = std::io::stdin().lines().map_while(Result::ok);
        lines
            .map(|line| give.blocking_send(line))
            .take_while(Result::is_ok)
            .for_each(drop);
    });
    take
}

async fn echo_streams(mut incoming: Incoming) {
    while let Some((from, purpose, mut stream)) = incoming.next().await {
        tokio::spawn(async move {
            let head = format!("{from} {purpose:?} ");
            stream.write_all(head.as_bytes()).await?;
            let mut bytes = [0; 100];
            loop {
                let count = stream.read(&mut bytes).await?;
                if count == 0 {
                    return stream.shutdown().await;
                }
                stream.write_all(&bytes[..count]).await?;
            }
        });
    }
}

async fn obey(linked: &Linked, keys: &Keys, echo: &Echo, line: &str) -> String {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match verb {
        "know" => {
            let peers = rest.split_whitespace().map(|peer| {
                let (node, address) = peer.split_once('=').unwrap();
                (node.parse().unwrap(), address.to_owned())
            });
            linked.know(peers.collect());
            "known".to_owned()
        }
        "refuse" => {
            linked.refuse(
                rest.split_whitespace()
                    .map(|node| node.parse().unwrap())
                    .collect(),
            );
            "refused".to_owned()
        }
        "status" => status(linked),
        "refusals" => format!("{:?}", linked.refusals()),
        "hosts" => format!("{:?}", linked.refused_hosts()),
        "count" => echo.carried_out.load(Ordering::SeqCst).to_string(),
        "renew" => {
            let now_s = (clock::wall().0 / 1000).cast_signed();
            let (from, until) = rest.split_once(' ').unwrap();
            let at = |text: &str| (now_s + text.parse::<i64>().unwrap()).cast_unsigned();
            let (from_s, until_s) = (at(from), at(until));
            keys.renew(Validity { from_s, until_s }).unwrap();
            "renewed".to_owned()
        }
        "call" => call(linked, rest).await,
        "flood" => flood(linked, rest).await,
        "load" => load(linked, rest).await,
        "measure" => measure(linked, rest).await,
        "connect" => connect(linked, rest).await,
        "hold" => hold(linked, rest.parse().unwrap()).await,
        other => panic!("{other}"),
    }
}

fn status(linked: &Linked) -> String {
    let status = linked.status();
    let status = status.borrow();
    let words = status.iter().map(|(node, status)| {
        let is_up = if status.is_up { "up" } else { "down" };
        let error = status.last_error.as_deref().unwrap_or("-");
        format!(
            "{node}={is_up}@{} late {} ({error})",
            status.since.0, status.late_calls
        )
    });
    words.collect::<Vec<_>>().join("; ")
}

async fn call(linked: &Linked, rest: &str) -> String {
    let mut words = rest.splitn(3, ' ');
    let to: NodeId = words.next().unwrap().parse().unwrap();
    let limit = Duration::from_millis(words.next().unwrap().parse().unwrap());
    let what = match words.next().unwrap() {
        "largest" => vec![b'x'; MAX_CALL_BYTES - 100],
        "oversize" => vec![b'x'; MAX_CALL_BYTES + 1],
        text => text.as_bytes().to_vec(),
    };
    told(linked.call(to, what, limit).await)
}

fn told(answer: Result<Vec<u8>, NoAnswer>) -> String {
    match answer {
        Ok(bytes) if bytes.len() > 1000 => format!("answer of {} bytes", bytes.len()),
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(none) => format!("none: {none}"),
    }
}

/// Calls many times at once; says how many were answered.
async fn flood(linked: &Linked, rest: &str) -> String {
    let words: Vec<&str> = rest.splitn(4, ' ').collect();
    let (to, count): (NodeId, u64) = (words[0].parse().unwrap(), words[1].parse().unwrap());
    let limit = Duration::from_millis(words[2].parse().unwrap());
    let calls = (0..count).map(|_| {
        let linked = linked.clone();
        let what = words[3].as_bytes().to_vec();
        let call: Pin<Box<dyn Future<Output = bool> + Send>> =
            Box::pin(async move { linked.call(to, what, limit).await.is_ok() });
        tokio::spawn(call)
    });
    let calls: Vec<_> = calls.collect();
    let mut answered = 0;
    for call in calls {
        answered += u64::from(call.await.unwrap());
    }
    format!("{answered} of {count}")
}

/// Calls with large bytes from many tasks for a while; says how many were answered.
async fn load(linked: &Linked, rest: &str) -> String {
    let words: Vec<u64> = rest.split(' ').map(|word| word.parse().unwrap()).collect();
    let (to, bytes) = (NodeId(words[0]), usize::try_from(words[2]).unwrap());
    let deadline = clock::Deadline::after(Duration::from_millis(words[1]));
    let tasks = (0..32).map(|_| {
        let linked = linked.clone();
        tokio::spawn(async move {
            let (mut answered, mut not) = (0_u64, 0_u64);
            while !deadline.is_over() {
                let answer = linked
                    .call(to, vec![b'x'; bytes], Duration::from_secs(2))
                    .await;
                *(if answer.is_ok() {
                    &mut answered
                } else {
                    &mut not
                }) += 1;
            }
            (answered, not)
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let (mut answered, mut not) = (0, 0);
    for task in tasks {
        let (more, less) = task.await.unwrap();
        (answered, not) = (answered + more, not + less);
    }
    format!("{answered} answered, {not} not")
}

/// Calls one after the other, and says how long the median and the slowest of a hundred took.
async fn measure(linked: &Linked, rest: &str) -> String {
    let words: Vec<u64> = rest.split(' ').map(|word| word.parse().unwrap()).collect();
    let (to, count, bytes) = (NodeId(words[0]), words[1], words[2]);
    let mut took_us = Vec::new();
    for _ in 0..count {
        let began = clock::boot_us();
        let what = vec![b'x'; usize::try_from(bytes).unwrap()];
        linked.call(to, what, Duration::from_secs(1)).await.unwrap();
        took_us.push(clock::boot_us() - began);
    }
    took_us.sort_unstable();
    let at = |part: usize| took_us[took_us.len() * part / 100];
    format!("p50 {} µs, p99 {} µs", at(50), at(99))
}

/// Opens a stream, says so, and waits until it ends.
async fn hold(linked: &Linked, to: NodeId) -> String {
    let mut stream = linked.connect(to, Purpose::Http).await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    say(&String::from_utf8_lossy(&head));
    let mut rest = Vec::new();
    drop(stream.read_to_end(&mut rest).await);
    "it ended".to_owned()
}

async fn connect(linked: &Linked, rest: &str) -> String {
    let (to, purpose) = rest.split_once(' ').unwrap();
    let purpose = match purpose {
        "blobs" => Purpose::Blobs,
        "http" => Purpose::Http,
        _ => Purpose::Lease,
    };
    let talk = async {
        let mut stream = linked.connect(to.parse().unwrap(), purpose).await?;
        stream.write_all(b"hello").await?;
        stream.shutdown().await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<String, std::io::Error>(answer)
    };
    match talk.await {
        Ok(answer) => answer,
        Err(error) => format!("none: {error}"),
    }
}
