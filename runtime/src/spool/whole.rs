//! Writing the spool's files so that they are whole or absent, with exactly the rights they need.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::{Component, Path};

use super::{Content, InFile, Owner, SpoolError};

/// Writes one file of an attempt's input below `input`.
pub(super) fn place(input: &Path, file: &InFile) -> Result<(), SpoolError> {
    let bad = || SpoolError::BadPath {
        path: file.path.chars().take(200).collect(),
    };
    let relative = Path::new(&file.path);
    let is_plain = |part| matches!(part, Component::Normal(_));
    let is_taken = matches!(file.path.as_str(), "" | "order.json" | "cancel.json");
    if is_taken || !relative.components().all(is_plain) {
        return Err(bad());
    }
    let path = input.join(relative);
    let parent = path.parent().ok_or_else(bad)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(parent)
        .map_err(|s| failed(parent, s))?;
    match &file.content {
        Content::Bytes(bytes) => fs::write(&path, bytes).map_err(|s| failed(&path, s))?,
        Content::CopyOf(from) => {
            fs::copy(from, &path).map_err(|s| failed(from, s))?;
        }
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).map_err(|s| failed(&path, s))
}

pub(crate) fn failed(path: &Path, source: io::Error) -> SpoolError {
    let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
    let path = path.to_owned();
    if full.contains(&source.kind()) {
        SpoolError::NoRoom { path }
    } else {
        SpoolError::Failed { path, source }
    }
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Plain structs of numbers, texts and lists always have a JSON form.
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

/// Makes a folder with exactly this mode, whatever the umask, unless it is there.
pub(crate) fn make_folder(path: &Path, mode: u32) -> Result<(), SpoolError> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(failed(path, e)),
        Ok(()) | Err(_) => fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .map_err(|source| failed(path, source)),
    }
}

/// Gives a path to `owner`, where this process may: a daemon that is not root already is him.
pub(crate) fn own(path: &Path, owner: Owner) -> Result<(), SpoolError> {
    if nix::unistd::geteuid().is_root() {
        // The path itself, not what a link in its place would point to.
        lchown(path, Some(owner.uid), Some(owner.gid)).map_err(|source| failed(path, source))?;
    }
    Ok(())
}

/// Writes a file so that it is whole or absent, now and after a power cut.
pub(crate) fn write_whole(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    mode: u32,
) -> Result<(), SpoolError> {
    write_fresh(folder, name, bytes, mode, File::sync_data)?;
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| failed(folder, source))
}

/// Writes a file so that whoever reads it finds it whole or absent, short of a power cut.
pub(crate) fn write_by_rename(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    mode: u32,
) -> Result<(), SpoolError> {
    write_fresh(folder, name, bytes, mode, |_| Ok(()))
}

fn write_fresh(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    mode: u32,
    sync: impl FnOnce(&File) -> io::Result<()>,
) -> Result<(), SpoolError> {
    let fresh = folder.join(format!(".{name}.new"));
    let write = || -> io::Result<()> {
        match fs::remove_file(&fresh) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&fresh)?;
        file.write_all(bytes)?;
        sync(&file)?;
        fs::rename(&fresh, folder.join(name))
    };
    write().map_err(|source| failed(&fresh, source))
}

/// Writes a file that nobody reads while it is written, and that need not survive a power cut.
pub(crate) fn write_plain(path: &Path, bytes: &[u8], mode: u32) -> Result<(), SpoolError> {
    let write = || {
        fs::write(path, bytes)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    };
    write().map_err(|source| failed(path, source))
}
