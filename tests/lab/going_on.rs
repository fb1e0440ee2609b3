//! A command of the command line that goes on until it is interrupted, and what it has shown so far.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::wait::wait_until;

/// A line comes within moments of what it tells of; a daemon may have to start for it.
const LINE_LIMIT: Duration = Duration::from_mins(1);

/// A command that goes on; it is ended when it is dropped.
#[derive(Debug)]
pub struct GoingOn {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl GoingOn {
    /// Starts it; what it shows is kept in files of these names.
    pub(crate) fn start(mut command: Command, out: PathBuf, err: PathBuf) -> GoingOn {
        let open = |path| File::create(path).expect("a file of the lab can be written");
        command.stdout(open(&out)).stderr(open(&err));
        let child = command.spawn().expect("domo can be started");
        GoingOn { child, out, err }
    }

    /// Waits until a line with this text is there.
    pub fn wait_line(&self, text: &str) {
        wait_until(LINE_LIMIT, &format!("a line with {text}"), || {
            let lines = self.lines();
            if lines.iter().any(|line| line.contains(text)) {
                return Ok(());
            }
            let errors = fs::read_to_string(&self.err).unwrap_or_default();
            Err(format!("{lines:#?}\n{errors}"))
        });
    }

    /// Interrupts it, as a user does, and answers all its lines once it has ended.
    pub fn interrupt(mut self) -> Vec<String> {
        let pid = i32::try_from(self.child.id()).expect("a process id fits");
        kill(Pid::from_raw(pid), Signal::SIGINT).expect("it runs");
        wait_until(LINE_LIMIT, "it ends", || match self.child.try_wait() {
            Ok(Some(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        });
        self.lines()
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.out).unwrap_or_default();
        text.lines().map(ToOwned::to_owned).collect()
    }
}

impl Drop for GoingOn {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}
