//! A host as README wants one: `domo` in `/usr/local/bin`, the unit of the service manager, a data
//! folder of its own, and names for the other hosts.
//!
//! # Why
//! The folders that README names are mounted over the machine's own, for this host's commands only,
//! so that the very words of README can be run. There is no service manager here: `systemctl enable
//! --now domo` does what it would do, by the same unit: start its command and wait until the daemon
//! says that it is ready.

use std::fs::{self, File};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::folder::{Lab, root};
use super::net::Host;
use super::programs::domo_path;
use super::wait::wait_until;

/// A daemon says that it is ready within a second; with both cores busy it may take this long.
const READY_LIMIT: Duration = Duration::from_mins(1);
/// Mounts `$1…$4` over what they stand for and becomes the rest of the line.
const MOUNT: &str = "mount --bind \"$1\" /usr/local/bin && mount --bind \"$2\" /var/lib && \
     mount --bind \"$3\" /etc/hosts && mount --bind \"$4\" /run && shift 4 && exec \"$@\"";
/// The command that README has people start the daemon with.
const ENABLE: &str = "systemctl enable --now domo";

/// A host with everything that README has people put there.
#[derive(Debug)]
pub struct Installed {
    host: Host,
    folder: PathBuf,
    exports: Vec<String>,
    daemon: Option<Child>,
}

impl Installed {
    /// Puts there what README's list says; `names` are the lines of its `/etc/hosts`.
    ///
    /// # Panics
    /// When it cannot be put there.
    pub fn new(lab: &Lab, name: &str, host: Host, names: &str) -> Installed {
        let folder = lab.path().join(name);
        for part in ["bin", "lib", "run", "home"] {
            fs::create_dir_all(folder.join(part)).expect("a folder of the lab can be made");
        }
        lab.file(&format!("{name}/hosts"), names);
        // A copy: a link would lead out of what is mounted.
        fs::copy(domo_path(), folder.join("bin/domo")).expect("domo can be copied");
        Installed {
            host,
            folder,
            exports: Vec::new(),
            daemon: None,
        }
    }

    /// Its home folder, in which its commands run.
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Types a line, and says what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn type_in(&mut self, line: &str) -> String {
        if line.starts_with("export ") {
            self.exports.push(line.to_owned());
            return String::new();
        }
        if line == ENABLE {
            self.enable();
            return String::new();
        }
        let script = [&self.exports[..], &[line.to_owned()]].concat().join("\n");
        let mut command = self.command(&["sh", "-ec", &script]);
        let output = command.stdin(Stdio::null()).output();
        let output = output.expect("nsenter and unshare are installed");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "`{line}` ended with {}: {said}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }

    /// Starts what the unit says, and waits until it says that it is ready.
    fn enable(&mut self) {
        let unit = fs::read_to_string(root().join("config/domo.service"));
        let unit = unit.expect("the unit is in config/domo.service");
        assert_eq!(key(&unit, "Type"), "notify");
        let words: Vec<&str> = key(&unit, "ExecStart").split(' ').collect();
        let heard = UnixDatagram::bind(self.folder.join("notify")).expect("a socket can be bound");
        heard
            .set_nonblocking(true)
            .expect("a socket can be non-blocking");
        let log = File::create(self.folder.join("log")).expect("a log can be written");
        let again = log.try_clone().expect("a descriptor can be had");
        let mut command = self.command(&words);
        command.env("NOTIFY_SOCKET", self.folder.join("notify"));
        command.stdin(Stdio::null()).stdout(log).stderr(again);
        self.daemon = Some(command.spawn().expect("nsenter and unshare are installed"));
        let mut said = [0; 4096];
        wait_until(
            READY_LIMIT,
            "the daemon says that it is ready",
            || match heard.recv(&mut said) {
                Ok(bytes) if said[..bytes].starts_with(b"READY=1") => Ok(()),
                Ok(bytes) => Err(String::from_utf8_lossy(&said[..bytes]).into_owned()),
                Err(_) => Err(fs::read_to_string(self.folder.join("log")).unwrap_or_default()),
            },
        );
    }

    /// A command on this host, with its own folders in their places.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.host.command(Path::new("unshare"));
        command.args(["--mount", "--propagation", "slave", "sh", "-c", MOUNT, "sh"]);
        for part in ["bin", "lib", "hosts", "run"] {
            command.arg(self.folder.join(part));
        }
        command.args(words).current_dir(self.home());
        command.env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DOMO_")) {
            command.env_remove(name);
        }
        command
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().ok();
            daemon.wait().ok();
        }
    }
}

/// What a key of the unit says.
fn key<'a>(unit: &'a str, name: &str) -> &'a str {
    let mut lines = unit.lines();
    let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("the unit has no {name}"))
}
