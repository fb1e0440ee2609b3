//! A test's own folder: everything of it lies here, and stays when the test fails.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::sweep;
use super::wait::tell;

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
