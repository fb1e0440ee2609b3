//! A node of the bench's own: a daemon in a process of its own, its folder and its stub agent.
//!
//! # Invariant
//! When it is dropped, its processes have ended and its folder is gone.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use runtime::clock::{self, Deadline};
use runtime::links::JoinToken;
use tempfile::TempDir;

use super::BenchError;
use super::processes::{self, Ending};
use crate::admin::client::{Client, ClientError};
use crate::admin::wire::Status;
use crate::daemon::{self, Site};

/// A node that has a million entries to read comes up within this, or something is wrong.
const UP_LIMIT: Duration = Duration::from_mins(2);
/// A daemon waits a few seconds for each of its parts when it ends.
const DOWN_LIMIT: Duration = Duration::from_secs(30);
/// How often something is looked at that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Lines of a log that say why a node did not come up.
const LOG_LINES: usize = 20;

/// Where nodes are measured, and with which program.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The folder below which their folders are made: its disk is the one that is measured.
    pub folder: PathBuf,
    /// The program that they are.
    pub domo: PathBuf,
    /// Settings that differ from the usual ones, as `section.key=value`.
    pub settings: Vec<String>,
}

impl Ground {
    /// Nodes of this program in a folder.
    pub fn here(folder: PathBuf) -> Result<Self, BenchError> {
        let domo = std::env::current_exe().map_err(BenchError::io("the program's own file"))?;
        Ok(Self {
            folder,
            domo,
            settings: Vec::new(),
        })
    }
}

/// Who carries the node's attempts out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agents {
    /// A stub in another process that answers at once.
    Stub,
    /// The engine, as on any node.
    Engine,
}

/// What a node is to others.
pub(super) enum Seat {
    /// A cluster of one without links.
    Alone,
    /// The first node of a cluster.
    First(Site),
    /// One that joins.
    Joining(JoinToken, Site),
}

impl Seat {
    /// Makes a folder the one of such a node.
    async fn take(self, data: &Path) -> Result<(), BenchError> {
        let taken = match self {
            Self::Alone => return Ok(()),
            Self::First(site) => daemon::found(data, site),
            Self::Joining(token, site) => daemon::join(data, &token, site).await,
        };
        taken
            .map(drop)
            .map_err(|error| BenchError::Ended(error.to_string()))
    }
}

/// A node of the bench's own.
pub(super) struct OwnNode {
    // In the order in which they go.
    daemon: Ending,
    stub: Option<Ending>,
    client: Client,
    place: TempDir,
    ground: Ground,
    agents: Agents,
}

impl OwnNode {
    /// Starts a cluster of one on a new folder and waits until it answers.
    pub(super) async fn start(ground: &Ground, agents: Agents) -> Result<Self, BenchError> {
        Self::start_as(ground, agents, Seat::Alone).await
    }

    /// Starts one on a new folder and waits until it answers.
    pub(super) async fn start_as(
        ground: &Ground,
        agents: Agents,
        seat: Seat,
    ) -> Result<Self, BenchError> {
        let place = tempfile::Builder::new()
            .prefix("domo-bench-")
            .tempdir_in(&ground.folder);
        let place = place.map_err(BenchError::io(ground.folder.display()))?;
        let stub = match agents {
            Agents::Stub => Some(start_stub(ground, place.path()).await?),
            Agents::Engine => None,
        };
        seat.take(&data_of(place.path())).await?;
        let (daemon, client) = start_daemon(ground, place.path(), agents).await?;
        Ok(Self {
            daemon,
            stub,
            client,
            place,
            ground: ground.clone(),
            agents,
        })
    }

    /// Ends its daemon by a signal and starts it again on the same folder; answers how long the
    /// start took until it answered.
    pub(super) async fn restart(&mut self, signal: Signal) -> Result<Duration, BenchError> {
        self.end(signal).await?;
        self.start_again().await
    }

    /// Starts its daemon again, which has ended; answers how long that took until it answered.
    pub(super) async fn start_again(&mut self) -> Result<Duration, BenchError> {
        let began = clock::boot_us();
        let (daemon, client) = start_daemon(&self.ground, self.place.path(), self.agents).await?;
        let took = Duration::from_micros(clock::boot_us() - began);
        (self.daemon, self.client) = (daemon, client);
        Ok(took)
    }

    /// Ends its daemon.
    pub(super) async fn end(&mut self, signal: Signal) -> Result<(), BenchError> {
        self.daemon.end(signal, DOWN_LIMIT).await
    }

    /// Sends its daemon a signal and waits for nothing.
    pub(super) fn signal(&self, signal: Signal) -> Result<(), BenchError> {
        self.daemon.signal(signal)
    }

    /// A client of it.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Processor time of the daemon, of the stub and of this process, in milliseconds.
    pub(super) fn cpu_ms(&self) -> Result<[u64; 3], BenchError> {
        let stub = self.stub.as_ref();
        Ok([
            processes::cpu_ms(self.daemon.pid())?,
            stub.map_or(Ok(0), |stub| processes::cpu_ms(stub.pid()))?,
            processes::cpu_ms(std::process::id())?,
        ])
    }

    /// Memory of the daemon that is in RAM.
    pub(super) fn resident_bytes(&self) -> Result<u64, BenchError> {
        processes::resident_bytes(self.daemon.pid())
    }

    /// Waits until its status is as it should be.
    pub(super) async fn wait_until(
        &self,
        what: &'static str,
        limit: Duration,
        is_so: impl Fn(&Status) -> bool,
    ) -> Result<Status, BenchError> {
        let deadline = Deadline::after(limit);
        loop {
            let status = self.client.status().await?;
            if is_so(&status) {
                return Ok(status);
            }
            if deadline.is_over() {
                let seen = format!("{:?} {:?}", status.workers, status.cases);
                let limit_s = limit.as_secs();
                return Err(BenchError::Late {
                    what,
                    limit_s,
                    seen,
                });
            }
            tokio::time::sleep(LOOK_EVERY * 5).await;
        }
    }
}

fn data_of(place: &Path) -> PathBuf {
    place.join("data")
}

fn stub_socket(place: &Path) -> PathBuf {
    place.join("stub.sock")
}

async fn start_stub(ground: &Ground, place: &Path) -> Result<Ending, BenchError> {
    let socket = stub_socket(place);
    let mut command = Command::new(&ground.domo);
    command.args(["bench", "stub-agent"]).arg(&socket);
    // It ends with its standard input: also when the bench is killed.
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let stub = Ending::start(&mut command)?;
    let deadline = Deadline::after(UP_LIMIT);
    while !socket.exists() {
        if deadline.is_over() {
            let what = "the stub agent does not listen";
            let (limit_s, seen) = (UP_LIMIT.as_secs(), "no socket".to_owned());
            return Err(BenchError::Late {
                what,
                limit_s,
                seen,
            });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(stub)
}

async fn start_daemon(
    ground: &Ground,
    place: &Path,
    agents: Agents,
) -> Result<(Ending, Client), BenchError> {
    let (data, log) = (data_of(place), place.join("log"));
    let out = File::options().create(true).append(true).open(&log);
    let out = out.map_err(BenchError::io(log.display()))?;
    let mut command = Command::new(&ground.domo);
    command.args(["node", "run", "--dev", "--data"]).arg(&data);
    if agents == Agents::Stub {
        command.arg("--stub-agent").arg(stub_socket(place));
    }
    // Some figures are about what is broken on purpose.
    command.args(["--set", "chaos.allowed=true"]);
    for setting in &ground.settings {
        command.args(["--set", setting]);
    }
    // As it is out of the box: what the environment of the bench says is not meant for it.
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("DOMO_")) {
        command.env_remove(name);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(out);
    let mut daemon = Ending::start(&mut command)?;
    let client = Client::new(data.join("admin.sock"));
    let ready = daemon.child().stdout.take();
    let line = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        // Nothing comes from a daemon that ended; its log says why.
        let _ = ready.map(|ready| BufReader::new(ready).read_line(&mut line));
        line
    });
    let is_ready =
        matches!(tokio::time::timeout(UP_LIMIT, line).await, Ok(Ok(line)) if !line.is_empty());
    if !is_ready {
        return Err(BenchError::NotUp { log: end_of(&log) });
    }
    answers(&client)
        .await
        .map_err(|_| BenchError::NotUp { log: end_of(&log) })?;
    Ok((daemon, client))
}

/// Whether it answers what it is asked, and not only listens.
async fn answers(client: &Client) -> Result<(), ClientError> {
    client.status().await.map(drop)
}

fn end_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
