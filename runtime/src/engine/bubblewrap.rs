//! The command line of bubblewrap for a box: what of the host an agent sees.
//!
//! ```text
//! /usr /bin /lib…   the host's, read-only        /agent/in          the spool, read-only
//! /etc              a few files, no secrets      /agent/out, /run   the spool
//! /proc /dev /tmp   its own                      /domo, /run/domo   read-only
//! ```
//!
//! # Why
//!
//! `--die-with-parent` is not among it: agents outlive the daemon. `--as-pid-1` is: our init is
//! the first process, so its end is the end of all in the box.

use std::fs;
use std::path::{Path, PathBuf};

use crate::init::{INFO_FD, SECCOMP_FD, StagedMount};

use super::BoxSpec;

/// The user that an agent sees itself as.
pub(super) const INNER_UID: &str = "10001";
/// Where the box's memory group is shown.
pub(super) const CGROUP: &str = "/agent/cgroup";

/// The host's top folders that hold programs; a link among them stays one.
const PROGRAM_FOLDERS: [&str; 7] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
];
/// What programs need of `/etc`, none of it secret.
const ETC: [&str; 10] = [
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
    "/etc/ca-certificates/extracted",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/protocols",
];

/// What a box is shown, and its sandbox's command line.
pub(super) struct Sandbox {
    pub(super) staged: Vec<StagedMount>,
    pub(super) argv: Vec<String>,
}

/// Puts the words of a command line together.
struct Line {
    argv: Vec<String>,
    staged: Vec<StagedMount>,
    /// Must host paths be staged, because the box's user cannot reach them?
    is_staged: bool,
}

impl Line {
    fn say(&mut self, words: &[&str]) {
        self.argv.extend(words.iter().map(ToString::to_string));
    }

    /// Shows the host's programs, and what they need.
    fn show_system(&mut self) {
        for path in PROGRAM_FOLDERS {
            match fs::read_link(path) {
                Ok(target) => self.say(&["--symlink", &target.to_string_lossy(), path]),
                Err(_) => self.say(&["--ro-bind-try", path, path]),
            }
        }
        for path in ETC {
            self.say(&["--ro-bind-try", path, path]);
        }
    }

    /// Shows a path of the daemon's own, or of an administrator's choice.
    fn show(&mut self, flag: &str, from: &Path, at: &str) {
        let from = if self.is_staged {
            let name = format!("{}", self.staged.len());
            let staged = StagedMount {
                from: from.to_owned(),
                name,
            };
            let shown_at = staged.shown_at();
            self.staged.push(staged);
            shown_at
        } else {
            from.to_owned()
        };
        self.say(&[flag, &from.to_string_lossy(), at]);
    }
}

/// The sandbox of the box called `name` in `folder`.
pub(super) fn sandbox(
    bwrap: &Path,
    spec: &BoxSpec,
    name: &str,
    folder: &Path,
    domo: &Path,
    memory_group: Option<&Path>,
    is_staged: bool,
) -> Sandbox {
    let mut line = Line {
        argv: vec![bwrap.display().to_string()],
        staged: Vec::new(),
        is_staged,
    };
    line.say(&[
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
    ]);
    line.say(&["--unshare-net", "--unshare-cgroup-try", "--disable-userns"]);
    line.say(&["--uid", INNER_UID, "--gid", INNER_UID, "--hostname", "box"]);
    line.say(&["--new-session", "--as-pid-1", "--cap-drop", "ALL"]);
    line.say(&["--info-fd", INFO_FD, "--seccomp", SECCOMP_FD]);
    line.show_system();
    for file in ["passwd", "group", "hosts"] {
        line.show(
            "--ro-bind",
            &folder.join("etc").join(file),
            &format!("/etc/{file}"),
        );
    }
    let tmp_bytes = spec.limits.tmp_bytes.max(1).to_string();
    line.say(&["--proc", "/proc", "--dev", "/dev"]);
    line.say(&["--perms", "1777", "--size", &tmp_bytes, "--tmpfs", "/tmp"]);
    line.say(&[
        "--perms", "1777", "--size", &tmp_bytes, "--tmpfs", "/dev/shm",
    ]);
    line.say(&["--remount-ro", "/dev"]);
    let is_system = |path: &&PathBuf| {
        PROGRAM_FOLDERS
            .iter()
            .any(|folder| path.starts_with(folder))
    };
    for program in spec.programs.iter().filter(|path| !is_system(path)) {
        line.show("--ro-bind", program, &program.to_string_lossy());
    }
    line.show("--ro-bind", &folder.join("in"), "/agent/in");
    line.show("--bind", &folder.join("out"), "/agent/out");
    line.show("--bind", &folder.join("run"), "/agent/run");
    if let Some(memory_group) = memory_group {
        line.show("--ro-bind", memory_group, CGROUP);
    }
    line.show("--ro-bind", domo, "/domo");
    line.show("--ro-bind", &folder.join("gateway"), "/run/domo");
    line.say(&["--remount-ro", "/", "--chdir", "/agent"]);
    line.say(&["--", "/domo", "init", "/agent", name]);
    Sandbox {
        staged: line.staged,
        argv: line.argv,
    }
}

/// The few files of `/etc` that must name the box's own user.
pub(super) fn own_etc() -> [(&'static str, String); 3] {
    [
        (
            "passwd",
            format!("agent:x:{INNER_UID}:{INNER_UID}::/tmp:/bin/sh\n"),
        ),
        ("group", format!("agent:x:{INNER_UID}:\n")),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n".to_owned()),
    ]
}

/// Where bubblewrap is installed.
pub(super) fn find() -> Option<PathBuf> {
    ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.exists())
}
