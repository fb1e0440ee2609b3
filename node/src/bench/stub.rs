//! An agent that answers at once, in a process of its own, and the workshop that hands it its jobs.
//!
//! ```text
//! daemon: StubWorkshop ── one socket, a line a job ──► domo bench stub-agent SOCKET
//!                      ◄─ a line an answer, in any order ──
//! ```
//!
//! # Why
//! What Majordomo itself costs is measured by leaving out what containers and agents cost, and
//! nothing else: personas, rules and ledger are the real ones, and the answer still crosses a
//! border between processes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rules::attempt::{Body, StageResult};
use rules::id::AttemptId;
use runtime::workshop::{Bench, Doing, Ended, Job, Workshop, WorkshopError};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

use super::BenchError;

/// Jobs on their way to the stub: more than the largest load keeps under way at once.
const QUEUE: usize = 16 * 1024;

#[derive(Serialize, Deserialize)]
struct Asked {
    number: u64,
    brief: String,
}

#[derive(Serialize, Deserialize)]
struct Answered {
    number: u64,
    result: String,
}

type Waiting = Arc<Mutex<BTreeMap<u64, oneshot::Sender<String>>>>;

/// Hands every job to the stub and takes its answer.
pub struct StubWorkshop {
    jobs: mpsc::Sender<(String, oneshot::Sender<String>)>,
}

impl StubWorkshop {
    /// Connects to a stub that listens.
    pub async fn connect(socket: &Path) -> io::Result<Self> {
        let (read, write) = UnixStream::connect(socket).await?.into_split();
        let (jobs, queue) = mpsc::channel(QUEUE);
        let waiting = Waiting::default();
        tokio::spawn(send(queue, BufWriter::new(write), Arc::clone(&waiting)));
        tokio::spawn(receive(BufReader::new(read), waiting));
        Ok(Self { jobs })
    }
}

async fn send(
    mut queue: mpsc::Receiver<(String, oneshot::Sender<String>)>,
    mut write: BufWriter<tokio::net::unix::OwnedWriteHalf>,
    waiting: Waiting,
) {
    let mut number = 0;
    while let Some((brief, answer)) = queue.recv().await {
        number += 1;
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, answer);
        let sent = write_line(&mut write, &Asked { number, brief }).await;
        // Whatever waits goes out together with what came meanwhile.
        if sent.is_err() || (queue.is_empty() && write.flush().await.is_err()) {
            return;
        }
    }
}

async fn receive(mut read: BufReader<tokio::net::unix::OwnedReadHalf>, waiting: Waiting) {
    let mut line = String::new();
    while let Ok(1..) = read.read_line(&mut line).await {
        if let Ok(answered) = serde_json::from_str::<Answered>(&line) {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(answer) = waiting.remove(&answered.number) {
                // Whoever asked may have been told to stop.
                let _ = answer.send(answered.result);
            }
        }
        line.clear();
    }
}

async fn write_line<W: tokio::io::AsyncWrite + Unpin>(
    write: &mut W,
    line: &impl Serialize,
) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    write.write_all(&bytes).await
}

/// Is the stub of whoever started it: serves until its standard input ends, as it does when the
/// bench is killed.
pub async fn run(socket: &Path) -> Result<(), BenchError> {
    let parent = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
    tokio::select! {
        served = serve(socket) => served.map_err(BenchError::io(socket.display())),
        _ = parent => Ok(()),
    }
}

/// Is the stub: answers each line of each connection until it is ended.
async fn serve(socket: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(socket)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let (read, write) = stream.into_split();
            let (mut read, mut write) = (BufReader::new(read), BufWriter::new(write));
            let mut line = String::new();
            while let Ok(1..) = read.read_line(&mut line).await {
                let Ok(asked) = serde_json::from_str::<Asked>(&line) else {
                    return;
                };
                let result = format!("looked at {} bytes", asked.brief.len());
                let answered = Answered {
                    number: asked.number,
                    result,
                };
                let sent = write_line(&mut write, &answered).await;
                if sent.is_err() || (read.buffer().is_empty() && write.flush().await.is_err()) {
                    return;
                }
                line.clear();
            }
        });
    }
}

impl Workshop for StubWorkshop {
    fn run<'a>(&'a self, job: &'a Job, started: &'a (dyn Fn() + Send + Sync)) -> Doing<'a, Ended> {
        Box::pin(async move {
            started();
            let brief = job.inputs.iter().find_map(|input| match &input.body {
                Body::Inline(text) if input.path == "brief.md" => Some(text.clone()),
                Body::Inline(_) | Body::Blob(_) => None,
            });
            let (answer, answered) = oneshot::channel();
            let gone = || WorkshopError::Later("the stub agent is gone".to_owned());
            let job = (brief.unwrap_or_default(), answer);
            self.jobs.send(job).await.map_err(|_| gone())?;
            let summary = answered.await.map_err(|_| gone())?;
            let document = Body::Inline(format!("{{\"version\":1,\"summary\":\"{summary}\"}}"));
            Ok(Ended::Succeeded(StageResult {
                summary,
                document,
                artifacts: Vec::new(),
            }))
        })
    }

    fn end<'a>(&'a self, _bench: &'a Bench, _attempt: AttemptId) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn attempts<'a>(&'a self, _bench: &'a Bench) -> Doing<'a, BTreeSet<AttemptId>> {
        Box::pin(async { Ok(BTreeSet::new()) })
    }

    fn rest<'a>(&'a self, _bench: &'a Bench) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn benches(&self) -> Doing<'_, Vec<Bench>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn clear<'a>(&'a self, _bench: &'a Bench) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}
