//! Docker engines for tests: the shared one of the run, and one of a test's own to be stopped.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::wait::wait_until;

/// Where an engine usually listens.
const USUAL_SOCKET: &str = "/var/run/docker.sock";
/// An engine starts in 2 s on an idle machine.
const START_LIMIT: Duration = Duration::from_mins(1);
/// It ends its containers politely before itself, each within 10 s.
const STOP_LIMIT: Duration = Duration::from_mins(1);

/// The socket of the engine that the tests share.
///
/// # Panics
/// When there is none: nothing is skipped.
pub fn docker_socket() -> String {
    docker_socket_if_any().unwrap_or_else(|| {
        panic!(
            "no Docker engine for the tests: run tests/run, or name a socket in DOMO_TEST_DOCKER"
        )
    })
}

/// The same, where there is one.
pub fn docker_socket_if_any() -> Option<String> {
    let named = std::env::var("DOMO_TEST_DOCKER").ok();
    let socket = named.unwrap_or_else(|| USUAL_SOCKET.to_owned());
    Path::new(&socket).exists().then_some(socket)
}

/// A Docker engine of a test's own, with folder and socket below the test's folder.
#[derive(Debug)]
pub struct DockerEngine {
    folder: PathBuf,
    child: Option<Child>,
}

impl DockerEngine {
    /// Starts one below `folder` and waits until it answers.
    ///
    /// # Panics
    /// When it does not answer in time.
    pub fn start(folder: &Path) -> DockerEngine {
        let folder = folder.join("docker");
        fs::create_dir_all(&folder).expect("a folder of the lab can be made");
        let mut engine = DockerEngine {
            folder,
            child: None,
        };
        engine.start_again();
        engine
    }

    /// Where it listens.
    pub fn socket(&self) -> String {
        self.folder.join("sock").display().to_string()
    }

    /// Starts it, after it was stopped or killed, on what it left.
    ///
    /// # Panics
    /// When it does not answer in time.
    pub fn start_again(&mut self) {
        let path = |name: &str| self.folder.join(name).display().to_string();
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"));
        let log = log.expect("the engine's log can be written");
        let again = log.try_clone().expect("a descriptor can be had");
        // A pid file of a killed one would keep the next from starting.
        fs::remove_file(self.folder.join("pid")).ok();
        let mut command = Command::new("dockerd");
        command
            .args(["--data-root", &path("data"), "--exec-root", &path("exec")])
            .args([
                "--pidfile",
                &path("pid"),
                "-H",
                &format!("unix://{}", self.socket()),
            ])
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false"])
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(again)
            .process_group(0);
        self.child = Some(command.spawn().expect("dockerd is installed"));
        let socket = self.socket();
        wait_until(START_LIMIT, "the Docker engine answers", || {
            answers(&socket)
        });
    }

    /// Asks it to end, with its containers, and waits for that.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        self.wait_gone();
    }

    /// Kills it; its containers go on.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.wait_gone();
        end_container_daemon(&self.folder);
    }

    /// Has it forget, now that it does not run, that its containers do: as one that was killed before it
    /// wrote down that it had started them.
    ///
    /// # Panics
    /// When what it has written cannot be read or changed.
    pub fn forget_running(&self) {
        let containers = fs::read_dir(self.folder.join("data/containers"));
        for container in containers.expect("it has had containers").flatten() {
            let path = container.path().join("config.v2.json");
            let config = fs::read(&path).expect("a container has a configuration");
            let mut config: Value = serde_json::from_slice(&config).expect("it is JSON");
            config["State"]["Running"] = false.into();
            config["State"]["Pid"] = 0.into();
            fs::write(&path, config.to_string()).expect("it can be changed");
        }
    }

    /// Sends it a signal: SIGSTOP makes it hang, SIGCONT lets it go on.
    pub fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            let pid = i32::try_from(child.id()).expect("a process id fits");
            kill(Pid::from_raw(pid), signal).ok();
        }
    }

    fn wait_gone(&mut self) {
        if let Some(mut child) = self.child.take() {
            wait_until(STOP_LIMIT, "the Docker engine ends", || {
                match child.try_wait() {
                    Ok(Some(_)) => Ok(()),
                    Ok(None) => Err("it runs".to_owned()),
                    Err(why) => Err(why.to_string()),
                }
            });
        }
    }
}

impl Drop for DockerEngine {
    fn drop(&mut self) {
        self.signal(Signal::SIGCONT);
        self.remove_containers();
        self.signal(Signal::SIGTERM);
        if !std::thread::panicking() {
            self.wait_gone();
        } else if let Some(mut child) = self.child.take() {
            // A failing test waits for nothing; the engine ends by itself.
            child.kill().ok();
            child.wait().ok();
        }
        end_container_daemon(&self.folder);
        unmount_below(&self.folder);
    }
}

impl DockerEngine {
    /// The names of the containers that run in it.
    pub fn running(&self) -> Vec<String> {
        self.listed(&["ps", "--format", "{{.Names}}"])
    }

    fn remove_containers(&self) {
        let host = format!("unix://{}", self.socket());
        for id in self.listed(&["ps", "-aq"]) {
            Command::new("docker")
                .args(["-H", &host, "rm", "-f", &id])
                .output()
                .ok();
        }
    }

    fn listed(&self, words: &[&str]) -> Vec<String> {
        let host = format!("unix://{}", self.socket());
        let list = Command::new("docker")
            .args(["-H", &host])
            .args(words)
            .output();
        let list = list.map(|output| output.stdout).unwrap_or_default();
        let list = String::from_utf8_lossy(&list);
        list.lines().map(str::to_owned).collect()
    }
}

/// Ends the daemon that held a killed engine's containers: the next engine would take one that
/// is about to die for its own. The containers themselves go on.
fn end_container_daemon(folder: &Path) {
    let note = folder.join("exec/containerd/containerd.pid");
    let pid = fs::read_to_string(&note).unwrap_or_default();
    let Ok(pid) = pid.trim().parse::<i32>() else {
        return;
    };
    let line = PathBuf::from(format!("/proc/{pid}/cmdline"));
    wait_until(STOP_LIMIT, "the containers' daemon ends", || {
        let said = fs::read_to_string(&line).unwrap_or_default();
        if !said.contains(&folder.display().to_string()) {
            return Ok(());
        }
        kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
        Err(said)
    });
    fs::remove_file(note).ok();
}

fn unmount_below(folder: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mut below: Vec<&str> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .filter(|path| Path::new(path).starts_with(folder))
        .collect();
    below.sort_unstable();
    for path in below.iter().rev() {
        Command::new("umount").args(["-l", path]).output().ok();
    }
}

fn answers(socket: &str) -> Result<(), String> {
    let asked = Command::new("docker")
        .args(["-H", &format!("unix://{socket}"), "version"])
        .output();
    let asked = asked.map_err(|why| why.to_string())?;
    let said = || String::from_utf8_lossy(&asked.stderr).trim().to_owned();
    if asked.status.success() {
        Ok(())
    } else {
        Err(said())
    }
}
