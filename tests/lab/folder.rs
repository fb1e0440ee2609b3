//! A test's own folder: everything of it lies here, and stays when the test fails.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::answer::Answer;
use super::sweep::Leftover;
use super::wait::{tell, wait_until};

/// Ended agents are gone when their end is written, or a moment later.
const GONE_LIMIT: Duration = Duration::from_secs(20);
use super::{programs, sweep};

/// The test's folder; with it ends whatever was started in it.
#[derive(Debug)]
pub struct Lab {
    path: PathBuf,
}

impl Lab {
    /// A new and empty folder, with a short path: sockets lie in it, and those have 107 bytes.
    ///
    /// # Panics
    /// When it cannot be made.
    #[expect(clippy::new_without_default, reason = "it makes a folder on the disk")]
    pub fn new() -> Lab {
        let made = tempfile::Builder::new().prefix("lab-").tempdir_in("/tmp");
        let path = made.expect("a folder can be made in /tmp").keep();
        // Agents that are users of their own pass through it.
        let open = fs::set_permissions(&path, fs::Permissions::from_mode(0o711));
        open.expect("the folder is ours");
        Lab { path }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tests' agent, as a user would install it: in a folder of its own, for everyone.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn agent(&self) -> PathBuf {
        let path = self.path.join("bin/test-agent");
        if !path.exists() {
            fs::create_dir_all(self.path.join("bin")).expect("a folder of the lab can be made");
            fs::copy(programs::agent_path(), &path).expect("the agent can be copied");
        }
        path
    }

    /// Calls the command line where no node of the test's is meant, with these variables.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn domo_alone(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Answer {
        let mut command = Command::new(programs::domo_path());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DOMO_")) {
            command.env_remove(name);
        }
        let output = command
            .args(arguments)
            .envs(variables.iter().copied())
            .env("TMPDIR", &self.path)
            .current_dir(&self.path)
            .stdin(Stdio::null())
            .output()
            .expect("domo can be started");
        Answer {
            asked: arguments.join(" "),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Waits until no process of this test's is a program called `name`.
    ///
    /// # Panics
    /// When one stays.
    pub fn wait_no_process(&self, name: &str) {
        wait_until(GONE_LIMIT, &format!("no {name} is left"), || {
            let found = Leftover::processes_of(&self.path);
            let left: Vec<&Leftover> = found.iter().filter(|one| one.is_program(name)).collect();
            if left.is_empty() {
                Ok(())
            } else {
                Err(format!("{left:#?}"))
            }
        });
    }

    /// Writes a file into it and says where.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).expect("a folder of the lab can be made");
        }
        fs::write(&path, text).expect("a file of the lab can be written");
        path
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        sweep::end_all(&self.path);
        let is_kept = std::env::var_os("DOMO_TEST_KEEP").is_some();
        if std::thread::panicking() || is_kept {
            tell(&format!(
                "the folder of this test is kept: {}",
                self.path.display()
            ));
        } else {
            fs::remove_dir_all(&self.path).ok();
        }
    }
}

/// The folder of the workspace.
///
/// # Panics
/// Never: the lab stands in it.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("the lab stands in a workspace")
        .to_owned()
}
