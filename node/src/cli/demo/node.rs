//! A node of the demo: a daemon in a process of its own, and its way out of the world.
//!
//! # Invariant
//! Its process group is its own, so that Ctrl-C reaches the demo alone, which then ends the daemons,
//! their agents and the folder, in this order.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use config::settings::Settings;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use runtime::clock::Deadline;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::admin::client::Client;
use crate::chaos;
use crate::cli::print;
use crate::cli::stop::Stop;
use crate::daemon::{self, Mode};

/// A node is ready within a second; on a machine that is busy with other things, within many.
const READY_LIMIT: Duration = Duration::from_mins(1);
/// What a daemon may take to end by itself.
const END_LIMIT: Duration = Duration::from_secs(15);
/// Time between two looks whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The last lines of the daemon's log that are shown when something went wrong.
const LAST_LINES: usize = 15;
/// What the daemon's one line on standard output begins with.
const READY: &str = "ready";

/// A node that the demo has started.
pub(super) struct DemoNode {
    daemon: Child,
    said: BufReader<ChildStdout>,
    data: PathBuf,
}

impl DemoNode {
    /// Starts the daemon in its data folder.
    pub(super) fn start(data: PathBuf) -> Result<Self, Stop> {
        let cannot = |error: std::io::Error| {
            Stop::mend(format!("the demo's node does not start: {error}"), "")
        };
        let domo = std::env::current_exe().map_err(cannot)?;
        let log = File::create(log_of(&data)).map_err(cannot)?;
        let mut command = Command::new(domo);
        command
            .args(["node", "run", "--dev", "--set", "chaos.allowed=true"])
            .arg("--data")
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0);
        for (name, _) in std::env::vars_os() {
            // What is set for another node must not steer this one.
            if name.as_encoded_bytes().starts_with(b"DOMO_") {
                command.env_remove(name);
            }
        }
        let mut daemon = command.spawn().map_err(cannot)?;
        let said = daemon
            .stdout
            .take()
            .ok_or_else(|| cannot(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self {
            daemon,
            said: BufReader::new(said),
            data,
        })
    }

    /// Waits until it says that it is ready.
    pub(super) async fn ready(&mut self) -> Result<(), Stop> {
        let mut line = String::new();
        let told = timeout(READY_LIMIT, self.said.read_line(&mut line)).await;
        if line.starts_with(READY) {
            return Ok(());
        }
        let why = match told {
            Ok(_) => "it ended".to_owned(),
            Err(_) => format!("it is not ready after {} s", READY_LIMIT.as_secs()),
        };
        Err(Stop::mend(
            format!("the demo's node does not come up: {why}"),
            format!("its last words:\n{}", self.last_words()),
        ))
    }

    /// A client of it.
    pub(super) fn client(&self) -> Client {
        Client::new(self.socket())
    }

    /// Where it answers.
    pub(super) fn socket(&self) -> PathBuf {
        self.data.join("admin.sock")
    }

    /// Kills the daemon; its agents go on.
    pub(super) async fn kill(&mut self) {
        // It may have ended by itself a moment ago.
        let _ = self.daemon.kill().await;
    }

    /// Ends the agents that its daemon, which has ended, has left.
    pub(super) async fn sweep(&self) -> Result<(), String> {
        sweep(&self.data).await
    }

    /// Ends the daemon, also one that a chaos run has started in its place.
    pub(super) async fn end(&mut self) {
        chaos::dismiss(&self.data).await;
        if let Ok(Some(_)) = self.daemon.try_wait() {
            return self.end_successor().await;
        }
        let Some(pid) = self.daemon.id().and_then(|pid| i32::try_from(pid).ok()) else {
            return;
        };
        // It may have ended by itself a moment ago.
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        if timeout(END_LIMIT, self.daemon.wait()).await.is_err() {
            print::note("the demo's node does not end by itself; it is killed");
            let _ = self.daemon.kill().await;
        }
    }

    async fn end_successor(&self) {
        let Some(daemon) = chaos::fault::listener(&self.socket()) else {
            return;
        };
        // It may end by itself meanwhile.
        let _ = daemon.signal(Signal::SIGTERM);
        let deadline = Deadline::after(END_LIMIT);
        while daemon.is_there() {
            if deadline.is_over() {
                let _ = daemon.signal(Signal::SIGKILL);
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Starts it again, where it was killed.
    pub(super) async fn start_again(&mut self) -> Result<(), Stop> {
        if let Ok(Some(_)) = self.daemon.try_wait() {
            *self = Self::start(self.data.clone())?;
            return self.ready().await;
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = std::fs::read(log_of(&self.data)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

/// Ends the agents that the daemon has left, as a daemon does.
async fn sweep(data: &Path) -> Result<(), String> {
    let flags = [("node.data".to_owned(), data.display().to_string())];
    let settings = Settings::load(None, std::iter::empty(), &flags);
    let settings = settings.map_err(|mistakes| mistakes.to_string())?;
    let mode = Mode {
        is_dev: true,
        stub_agent: None,
    };
    let ended = daemon::clear(&settings, &mode).await;
    ended.map(drop).map_err(|error| error.to_string())
}

fn log_of(data: &Path) -> PathBuf {
    data.with_extension("log")
}
