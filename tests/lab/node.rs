//! A real node: the daemon's process, its socket, and the command line that speaks to it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::answer::Answer;
use super::docker::docker_socket;
use super::folder::Lab;
use super::going_on::GoingOn;
use super::http;
use super::net::Host;
use super::programs::domo_path;
use super::wait::{tell, wait_until};

/// A node answers within a second; with both cores busy it may take this long.
const READY_LIMIT: Duration = Duration::from_mins(1);
/// Longest wait for a daemon that was asked to end; it bounds its own end far below.
const STOP_LIMIT: Duration = Duration::from_mins(1);
/// Longest run of a command that does not follow anything.
const COMMAND_LIMIT: Duration = Duration::from_mins(2);
/// Lines of the daemon's log that a failure shows.
const SHOWN_LINES: usize = 40;

/// What runs the agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The Docker engine that the tests share.
    Docker,
    /// A Docker engine that listens here.
    DockerAt(String),
    /// Sandboxed processes.
    Process,
}

/// A node, started and ready, until it is killed, stopped or dropped.
#[derive(Debug)]
pub struct Node {
    name: String,
    folder: PathBuf,
    data: PathBuf,
    pub(super) settings: Vec<(String, String)>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) program: Option<PathBuf>,
    host: Option<Host>,
    daemon: Option<Child>,
    calls: std::cell::Cell<usize>,
}

impl Node {
    /// Starts a cluster of one in the lab's folder.
    pub fn start(lab: &Lab, engine: &Engine) -> Node {
        Node::start_with(lab, engine, &[])
    }

    /// The same with settings, such as `("agents.grace_ms", "1s")`.
    pub fn start_with(lab: &Lab, engine: &Engine, settings: &[(&str, &str)]) -> Node {
        Node::start_at(lab, lab.path().join("n1"), engine, settings)
    }

    /// The same with its data in a folder of the test's choice.
    pub fn start_at(lab: &Lab, data: PathBuf, engine: &Engine, settings: &[(&str, &str)]) -> Node {
        let mut node = Node::named(lab, "n1", engine, settings).with_data(data);
        node.start_again();
        node
    }

    /// A node of that name in the lab's folder, whose daemon does not run yet.
    pub fn named(lab: &Lab, name: &str, engine: &Engine, settings: &[(&str, &str)]) -> Node {
        let engine = match engine {
            Engine::Docker => vec![
                ("engine.kind", "docker".to_owned()),
                ("engine.docker_socket", docker_socket()),
            ],
            Engine::DockerAt(socket) => vec![
                ("engine.kind", "docker".to_owned()),
                ("engine.docker_socket", socket.clone()),
            ],
            Engine::Process => vec![("engine.kind", "process".to_owned())],
        };
        let given = settings
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned()));
        let settings = engine.into_iter().chain(given);
        Node {
            name: name.to_owned(),
            folder: lab.path().to_owned(),
            data: lab.path().join(name),
            settings: settings
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            variables: Vec::new(),
            program: None,
            host: None,
            daemon: None,
            calls: std::cell::Cell::new(0),
        }
    }

    /// The same node on a host with a network of its own.
    #[must_use]
    pub fn on(mut self, host: Host) -> Node {
        self.host = Some(host);
        self
    }

    /// Its host, where it has one of its own.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The same node with its data in that folder.
    #[must_use]
    pub fn with_data(mut self, data: PathBuf) -> Node {
        self.data = data;
        self
    }

    /// Starts its daemon, after it was killed or stopped, and waits until it answers.
    ///
    /// # Panics
    /// When it does not answer in time, or ends.
    pub fn start_again(&mut self) {
        self.spawn();
        self.wait_ready();
    }

    /// Waits until its daemon, which was started, answers.
    ///
    /// # Panics
    /// When it does not answer in time, or ends.
    pub fn wait_ready(&mut self) {
        let socket = self.socket();
        let log = self.log_path();
        wait_until(READY_LIMIT, "the node is ready", || {
            if let Some(status) = self.ended() {
                panic!("the daemon ended with {status}:\n{}", tail(&log));
            }
            match http::request(&socket, "GET", "/v1/status", "") {
                Ok(reply) if reply.status == 200 => Ok(()),
                Ok(reply) => Err(format!("{} {}", reply.status, reply.body)),
                Err(why) => Err(why.to_string()),
            }
        });
    }

    /// Starts its daemon and waits for nothing.
    ///
    /// # Panics
    /// When the daemon runs.
    pub fn spawn(&mut self) {
        assert!(self.daemon.is_none(), "its daemon runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path());
        let log = log.expect("the daemon's log can be written");
        let again = log.try_clone().expect("a descriptor can be had");
        let mut command = self.command();
        command
            .args(["node", "run", "--dev", "--data"])
            .arg(&self.data);
        for (key, value) in &self.settings {
            command.args(["--set", &format!("{key}={value}")]);
        }
        command.envs(self.variables.iter().cloned());
        command.stdin(Stdio::null()).stdout(log).stderr(again);
        self.daemon = Some(command.spawn().expect("domo can be started"));
    }

    /// Starts its daemon where none runs, and waits for nothing.
    pub fn spawn_if_ended(&mut self) {
        if !self.is_running() {
            self.spawn();
        }
    }

    /// The folder with everything that it keeps.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.data.join("admin.sock")
    }

    /// What its daemons have written so far, one after the other.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// The daemon's process id.
    ///
    /// # Panics
    /// When it does not run.
    pub fn pid(&self) -> i32 {
        let daemon = self.daemon.as_ref().expect("its daemon runs");
        i32::try_from(daemon.id()).expect("a process id fits")
    }

    /// Memory that the daemon holds now.
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = line
            .and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or(0);
        kib << 10
    }

    /// Kills the daemon with nothing flushed; its agents go on.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.reap();
    }

    /// Asks the daemon to end and waits for it.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.reap()
    }

    /// Stops all threads of the daemon where they are.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets a frozen daemon go on.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Sends the daemon a signal.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("its daemon runs");
    }

    /// How the daemon ended, when it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.daemon.as_mut()?.try_wait().ok()??;
        self.daemon = None;
        Some(status)
    }

    /// Whether its daemon runs.
    pub fn is_running(&mut self) -> bool {
        self.ended();
        self.daemon.is_some()
    }

    /// Waits until its daemon, which was asked to or not, has ended.
    pub fn wait_ended(&mut self) {
        if self.is_running() {
            self.reap();
        }
    }

    fn reap(&mut self) -> ExitStatus {
        let log = self.log_path();
        wait_until(STOP_LIMIT, "the daemon ends", || {
            self.ended()
                .ok_or_else(|| format!("it runs:\n{}", tail(&log)))
        })
    }

    /// Calls the command line against this node.
    pub fn domo(&self, arguments: &[&str]) -> Answer {
        self.domo_with(arguments, "", COMMAND_LIMIT)
    }

    /// Calls the command line with something on its standard input, for so long.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn domo_with(&self, arguments: &[&str], stdin: &str, limit: Duration) -> Answer {
        let call = self.calls.get();
        self.calls.set(call + 1);
        let path = |kind: &str| {
            self.folder
                .join(format!("{}-call-{call}.{kind}", self.name))
        };
        fs::write(path("in"), stdin).expect("a file of the lab can be written");
        let open = |kind: &str| File::create(path(kind)).expect("a file of the lab can be written");
        let mut command = self.command();
        command.args(arguments).env("DOMO_SOCKET", self.socket());
        command.stdin(File::open(path("in")).expect("it was just written"));
        command.stdout(open("out")).stderr(open("err"));
        let mut child = command.spawn().expect("domo can be started");
        let asked = arguments.join(" ");
        let status = wait_until(limit, &format!("`domo {asked}` ends"), || {
            let ended = child.try_wait().map_err(|why| why.to_string())?;
            ended.ok_or_else(|| fs::read_to_string(path("err")).unwrap_or_default())
        });
        let read = |kind: &str| {
            let text = fs::read(path(kind)).unwrap_or_default();
            fs::remove_file(path(kind)).ok();
            String::from_utf8_lossy(&text).into_owned()
        };
        read("in");
        Answer {
            asked,
            code: status.code().unwrap_or(-1),
            stdout: read("out"),
            stderr: read("err"),
        }
    }

    /// Calls the command line for JSON, and wants it to end well.
    pub fn ask(&self, arguments: &[&str]) -> Value {
        self.domo(&[arguments, &["--output", "json"]].concat())
            .ok()
            .json()
    }

    /// Begins a command that goes on.
    pub fn begin(&self, arguments: &[&str]) -> GoingOn {
        let call = self.calls.get();
        self.calls.set(call + 1);
        let path = |kind: &str| {
            self.folder
                .join(format!("{}-call-{call}.{kind}", self.name))
        };
        let mut command = self.command();
        command.args(arguments).env("DOMO_SOCKET", self.socket());
        command.stdin(Stdio::null());
        GoingOn::start(command, path("out"), path("err"))
    }

    /// Applies documents.
    pub fn apply(&self, yaml: &str) -> Answer {
        let path = self
            .folder
            .join(format!("documents-{}.yaml", self.calls.get()));
        fs::write(&path, yaml).expect("a file of the lab can be written");
        self.domo(&["apply", "-f", &path.display().to_string()])
    }

    fn command(&self) -> Command {
        let domo = self.program.clone().unwrap_or_else(domo_path);
        let on_host = self.host.as_ref().map(|host| host.command(&domo));
        let mut command = on_host.unwrap_or_else(|| Command::new(&domo));
        // What the test runner has in its environment is no setting of this node's.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DOMO_")) {
            command.env_remove(name);
        }
        command.current_dir(&self.folder).env("RUST_BACKTRACE", "1");
        command
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tell(&format!(
                "the daemon's last words:\n{}",
                tail(&self.log_path())
            ));
        }
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().ok();
            daemon.wait().ok();
        }
    }
}

fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
