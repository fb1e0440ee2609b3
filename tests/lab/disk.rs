//! A small disk of a test's own, to be filled and emptied.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a filling writes at a time, until that fits no more: the last leaves less than a page.
const PIECES_BYTES: [usize; 2] = [1 << 20, 4 << 10];

/// A file system in memory, mounted below the test's folder.
#[derive(Debug)]
pub struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts one of this size.
    ///
    /// # Panics
    /// When it cannot be mounted: that needs root.
    pub fn mount(folder: &Path, size_bytes: u64) -> SmallDisk {
        let path = folder.join("disk");
        fs::create_dir_all(&path).expect("a folder of the lab can be made");
        let size = format!("size={size_bytes},mode=711");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size])
            // What is mounted from it elsewhere tells by this where it comes from.
            .args([&path, &path])
            .output();
        let mounted = mounted.expect("mount is installed");
        let words = String::from_utf8_lossy(&mounted.stderr);
        assert!(mounted.status.success(), "a small disk needs root: {words}");
        SmallDisk { path }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fills it to the last piece.
    ///
    /// # Panics
    /// When something else stands in the way than its end.
    pub fn fill(&self) {
        let mut file = fs::File::options()
            .create(true)
            .append(true)
            .open(self.ballast());
        let file = file.as_mut().expect("the ballast can be written");
        for bytes in PIECES_BYTES {
            let piece = vec![0; bytes];
            loop {
                match file.write_all(&piece) {
                    Ok(()) => {}
                    Err(full) if full.kind() == std::io::ErrorKind::StorageFull => break,
                    Err(other) => panic!("the disk cannot be filled: {other}"),
                }
            }
        }
    }

    /// Gives the room back that [`SmallDisk::fill`] took.
    pub fn empty(&self) {
        fs::remove_file(self.ballast()).ok();
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount")
            .arg("-l")
            .arg(&self.path)
            .output()
            .ok();
    }
}
