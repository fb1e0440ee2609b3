//! What a test's nodes have started and left: found by the test's folder, ended by process id.
//!
//! # Why
//! Agents outlive their daemon, so that its end does not end them. They are found as anyone could:
//! a container by the folders that it shows, a process by its program or by the mounts of its own
//! that come from the test's folder.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::docker::docker_socket_if_any;
use super::wait::wait_until;

/// Killed processes are gone within milliseconds; those in the middle of a write take longer.
const GONE_LIMIT: Duration = Duration::from_secs(20);

/// Something of a test that is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leftover {
    /// A process, with its command line.
    Process(i32, String),
    /// A container, with the socket of its engine.
    Container(String, String),
}

impl fmt::Display for Leftover {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Leftover::Process(pid, line) => write!(out, "process {pid}: {line}"),
            Leftover::Container(id, _) => write!(out, "container {id}"),
        }
    }
}

impl Leftover {
    /// Everything that was started from below `folder` and is there, the daemons themselves too.
    pub fn of(folder: &Path) -> Vec<Leftover> {
        let mut found = Leftover::processes_of(folder);
        for socket in engines(folder) {
            let containers = containers(&socket, folder).into_iter();
            found.extend(containers.map(|id| Leftover::Container(id, socket.clone())));
        }
        found
    }

    /// Is it a process of the program of this name?
    pub fn is_program(&self, name: &str) -> bool {
        match self {
            Leftover::Process(_, line) => {
                let program = line.split(' ').next().unwrap_or_default();
                Path::new(program)
                    .file_name()
                    .is_some_and(|file| file == name)
            }
            Leftover::Container(..) => false,
        }
    }

    /// Does it run? A stopped container is a worker asleep.
    pub fn runs(&self) -> bool {
        match self {
            Leftover::Process(..) => true,
            Leftover::Container(id, socket) => {
                let state = docker(socket, &["inspect", "-f", "{{.State.Running}}", id]);
                state.trim() == "true"
            }
        }
    }

    /// The processes among it.
    pub fn processes_of(folder: &Path) -> Vec<Leftover> {
        let processes = processes(folder).into_iter();
        processes
            .map(|pid| Leftover::Process(pid, command_line(pid)))
            .collect()
    }
}

/// Ends everything that was started from below `folder`.
pub fn end_all(folder: &Path) {
    for round in 0.. {
        let found = Leftover::of(folder);
        if found.is_empty() {
            return;
        }
        end(&found);
        if round == 0 {
            wait_gone(folder);
        }
    }
}

/// Ends these.
pub(crate) fn end(found: &[Leftover]) {
    for leftover in found {
        match leftover {
            Leftover::Process(pid, _) => {
                thaw(*pid);
                // Gone in between is as good.
                kill(Pid::from_raw(*pid), Signal::SIGKILL).ok();
            }
            Leftover::Container(id, socket) => remove_container(socket, id),
        }
    }
}

/// Lets go on what a node without its lease has frozen: a frozen process does not even die.
fn thaw(pid: i32) {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let group = groups
        .lines()
        .find_map(|line| line.split_once(":freezer:").map(|(_, path)| path));
    if let Some(group) = group.filter(|group| *group != "/") {
        let state = format!("/sys/fs/cgroup/freezer{group}/freezer.state");
        // Where the kernel has no such file, it has killed it.
        fs::write(state, "THAWED").ok();
    }
    // The newer kind, in which each process has one group.
    if let Some(group) = groups.lines().find_map(|line| line.strip_prefix("0::"))
        && group != "/"
    {
        fs::write(format!("/sys/fs/cgroup{group}/cgroup.freeze"), "0").ok();
    }
}

fn wait_gone(folder: &Path) {
    // A test that already fails must not abort here.
    if std::thread::panicking() {
        return;
    }
    wait_until(GONE_LIMIT, "what the test started ends", || {
        let found = processes(folder);
        if found.is_empty() {
            return Ok(());
        }
        // A box that was being started when its daemon was ended comes up after the first look.
        for pid in &found {
            kill(Pid::from_raw(*pid), Signal::SIGKILL).ok();
        }
        Err(format!("{found:?}"))
    });
}

fn processes(folder: &Path) -> Vec<i32> {
    let own = fs::read_link("/proc/self/ns/mnt").ok();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| is_alive(*pid))
        .filter(|pid| {
            let process = Path::new("/proc").join(pid.to_string());
            let is_program_of =
                fs::read_link(process.join("exe")).is_ok_and(|exe| exe.starts_with(folder));
            let is_apart = fs::read_link(process.join("ns/mnt")).ok() != own;
            is_program_of || (is_apart && shows(&process, folder))
        })
        .collect()
}

/// Has the process a mount that comes from the folder?
fn shows(process: &Path, folder: &Path) -> bool {
    let mounts = fs::read_to_string(process.join("mountinfo")).unwrap_or_default();
    let path = folder.to_string_lossy();
    // The fourth word is the path within the file system that is mounted; what that is stands behind
    // the dash and its kind: a small disk says by it where it is itself.
    mounts.lines().any(|line| {
        let root = line.split(' ').nth(3).unwrap_or_default();
        let (_, system) = line.split_once(" - ").unwrap_or_default();
        let source = system.split(' ').nth(1).unwrap_or_default();
        root.contains(&*path) || format!("{source}{root}").contains(&*path)
    })
}

fn is_alive(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status
        .rsplit_once(") ")
        .map(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some(Some('Z' | 'X')))
}

fn command_line(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line)
        .replace('\0', " ")
        .trim()
        .to_owned()
}

/// The engines that may have containers of a folder: that of all tests, and the test's own.
fn engines(folder: &Path) -> Vec<String> {
    let own = folder.ancestors().map(|above| above.join("docker/sock"));
    let own = own.filter(|socket| socket.exists());
    let own = own.map(|socket| socket.display().to_string());
    docker_socket_if_any().into_iter().chain(own).collect()
}

/// Containers that show a folder below `folder`.
fn containers(socket: &str, folder: &Path) -> Vec<String> {
    let ids = docker(socket, &["ps", "-aq", "--no-trunc"]);
    let mut with_mounts = Vec::new();
    for id in ids.lines() {
        let shown = docker(
            socket,
            &["inspect", "-f", "{{range .Mounts}}{{.Source}} {{end}}", id],
        );
        if shown
            .split_whitespace()
            .any(|source| Path::new(source).starts_with(folder))
        {
            with_mounts.push(id.to_owned());
        }
    }
    with_mounts
}

fn remove_container(socket: &str, id: &str) {
    let first = docker(socket, &["inspect", "-f", "{{.State.Pid}}", id]);
    if let Ok(pid) = first.trim().parse() {
        thaw(pid);
    }
    docker(socket, &["rm", "-f", id]);
}

fn docker(socket: &str, arguments: &[&str]) -> String {
    let output = Command::new("docker")
        .args(["-H", &format!("unix://{socket}")])
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}
