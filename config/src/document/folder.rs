//! The folder beside a document, on disk or in memory: all that a document's paths can reach.
//!
//! # Invariant
//! Nothing outside of the folder is read, through no `..`, no absolute path and no symbolic link.
//! Each file that is read is bounded, and so are all of them together.
//! What was read is kept as a [`Bundle`], from which the same documents can be read again elsewhere.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::measure::show_bytes;
use crate::mistake::{Wrong, shown};
use crate::near::hint;

/// All that one run reads, so that a folder with thousands of skills stays a request of one body.
const MOST_BYTES: u64 = 64 << 20;
/// A skill is some pages and a few scripts.
const MOST_FILES_BELOW: usize = 256;
/// Deep enough for `scripts/lib/x`, shallow enough to end a circle of links soon.
const DEEPEST_FOLDERS: usize = 8;
/// A path is written by a person.
const LONGEST_PATH_BYTES: usize = 512;
/// More neighbours than this are not searched for the name that was meant.
const MOST_NEIGHBOURS: usize = 1_000;

/// Documents together with every file that they name: what travels to another host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    /// Which of the files are documents, in the order in which they are read.
    pub documents: Vec<String>,
    /// Every file by its path from the folder, with `/` between the parts.
    pub files: BTreeMap<String, Arc<[u8]>>,
}

/// A folder that documents refer into.
pub(super) struct Folder {
    root: Root,
    read: Bundle,
    read_bytes: u64,
}

enum Root {
    /// A folder on disk, as its own real path.
    Disk(PathBuf),
    Memory(BTreeMap<String, Arc<[u8]>>),
}

impl Folder {
    /// A folder on disk.
    pub(super) fn on_disk(path: &Path) -> io::Result<Self> {
        Ok(Self::of(Root::Disk(path.canonicalize()?)))
    }

    /// A folder in memory.
    pub(super) fn in_memory(bundle: &Bundle) -> Self {
        Self::of(Root::Memory(bundle.files.clone()))
    }

    fn of(root: Root) -> Self {
        Self {
            root,
            read: Bundle::default(),
            read_bytes: 0,
        }
    }

    /// What was read.
    pub(super) fn into_bundle(self) -> Bundle {
        self.read
    }

    /// Takes the bytes of a document that the caller has read.
    pub(super) fn keep_document(&mut self, name: &str, bytes: Arc<[u8]>) -> Result<(), Wrong> {
        self.keep(name, bytes)?;
        self.read.documents.push(name.to_owned());
        Ok(())
    }

    /// Reads a document of at most `limit_bytes`.
    pub(super) fn read_document(
        &mut self,
        name: &str,
        limit_bytes: u64,
    ) -> Result<Arc<[u8]>, Wrong> {
        let bytes = self.read(name, limit_bytes)?;
        self.read.documents.push(name.to_owned());
        Ok(bytes)
    }

    /// Reads one file of at most `limit_bytes`.
    pub(super) fn read(&mut self, path: &str, limit_bytes: u64) -> Result<Arc<[u8]>, Wrong> {
        let path = inner(path)?;
        let kept = self.read.files.get(&path).cloned();
        let is_kept = kept.is_some();
        let bytes = match (kept, &self.root) {
            (Some(bytes), _) => bytes,
            (None, Root::Disk(root)) => read_file(root, &path, limit_bytes)?.into(),
            (None, Root::Memory(files)) => match files.get(&path) {
                Some(bytes) => Arc::clone(bytes),
                None => return Err(missing(&path, files.keys().map(String::as_str))),
            },
        };
        if bytes.len() as u64 > limit_bytes {
            return Err(too_large(&path, limit_bytes));
        }
        if !is_kept {
            self.keep(&path, Arc::clone(&bytes))?;
        }
        Ok(bytes)
    }

    /// Lists the files below a folder, sorted, by their paths from it. Hidden ones are left out.
    pub(super) fn list(&self, path: &str) -> Result<Vec<String>, Wrong> {
        let path = inner(path)?;
        let mut below = Vec::new();
        match &self.root {
            Root::Disk(root) => list_disk(root, Path::new(&path), Path::new(""), &mut below)?,
            Root::Memory(files) => {
                let start = format!("{path}/");
                below.extend(
                    files
                        .keys()
                        .filter_map(|file| file.strip_prefix(&start))
                        .map(String::from),
                );
                if below.is_empty() {
                    return Err(missing(&path, files.keys().map(String::as_str)));
                }
            }
        }
        below.retain(|file| {
            !file
                .split('/')
                .any(|part| part.starts_with('.') && part != "." && part != "..")
        });
        if below.len() > MOST_FILES_BELOW {
            return Err(too_many(&path));
        }
        below.sort();
        check_listed(&path, &below)?;
        Ok(below)
    }

    /// Remembers what was read.
    fn keep(&mut self, path: &str, bytes: Arc<[u8]>) -> Result<(), Wrong> {
        self.read_bytes += bytes.len() as u64;
        if self.read_bytes > MOST_BYTES {
            return Err(Wrong::TooLarge {
                what: "everything that the documents name".to_owned(),
                limit: show_bytes(MOST_BYTES),
            });
        }
        self.read.files.insert(path.to_owned(), bytes);
        Ok(())
    }
}

/// A path as parts below the folder; complains about one that leaves it.
fn inner(path: &str) -> Result<String, Wrong> {
    if path.len() > LONGEST_PATH_BYTES || path.contains('\0') {
        return Err(Wrong::Refused(format!("`{}` is no path", shown(path))));
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => parts.extend(part.to_str()),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(leaves(path));
            }
        }
    }
    if parts.is_empty() {
        return Err(Wrong::Refused(format!(
            "`{}` names no file beside the document",
            shown(path)
        )));
    }
    Ok(parts.join("/"))
}

/// A folder in memory came from elsewhere: what it lists must be what a disk could list.
fn check_listed(path: &str, below: &[String]) -> Result<(), Wrong> {
    for file in below {
        let depth = file.matches('/').count();
        let is_plain = inner(file).is_ok_and(|plain| plain == *file) && depth <= DEEPEST_FOLDERS;
        let mut folders = file.match_indices('/').map(|(at, _)| &file[..at]);
        if !is_plain
            || folders.any(|folder| {
                below
                    .binary_search_by(|known| known.as_str().cmp(folder))
                    .is_ok()
            })
        {
            return Err(leaves(&format!("{path}/{file}")));
        }
    }
    Ok(())
}

/// Reads one byte more than the limit, for the caller to see that it is too much.
fn read_file(root: &Path, path: &str, limit_bytes: u64) -> Result<Vec<u8>, Wrong> {
    let (real, metadata) = resolve(root, Path::new(path))?;
    if !metadata.is_file() {
        return Err(Wrong::Refused(format!("`{}` is no file", shown(path))));
    }
    let mut bytes = Vec::new();
    let file = File::open(&real).map_err(|error| unreadable(path, &error))?;
    file.take(limit_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(too_large(path, limit_bytes));
    }
    Ok(bytes)
}

/// The real path of something below `root`, which every symbolic link on the way must stay below.
fn resolve(root: &Path, path: &Path) -> Result<(PathBuf, Metadata), Wrong> {
    let shown_path = path.to_string_lossy();
    let real = root.join(path).canonicalize().map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            missing_on_disk(root, path)
        } else {
            unreadable(&shown_path, &error)
        }
    })?;
    if !real.starts_with(root) {
        return Err(leaves(&shown_path));
    }
    let metadata = real
        .metadata()
        .map_err(|error| unreadable(&shown_path, &error))?;
    Ok((real, metadata))
}

fn list_disk(root: &Path, top: &Path, below: &Path, found: &mut Vec<String>) -> Result<(), Wrong> {
    let folder = top.join(below);
    let shown_folder = folder.to_string_lossy().into_owned();
    if below.components().count() > DEEPEST_FOLDERS {
        let sentence = format!(
            "`{}` is more than {DEEPEST_FOLDERS} folders deep",
            shown(&shown_folder)
        );
        return Err(Wrong::Refused(sentence));
    }
    let (real, metadata) = resolve(root, &folder)?;
    if !metadata.is_dir() {
        return Err(Wrong::Refused(format!(
            "`{}` is no folder",
            shown(&shown_folder)
        )));
    }
    let entries = real
        .read_dir()
        .map_err(|error| unreadable(&shown_folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(&shown_folder, &error))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            let sentence = format!(
                "`{}` holds a file whose name is not UTF-8",
                shown(&shown_folder)
            );
            return Err(Wrong::Refused(sentence));
        };
        if name.starts_with('.') {
            continue;
        }
        let inner = below.join(name);
        let (_, metadata) = resolve(root, &top.join(&inner))?;
        if metadata.is_dir() {
            list_disk(root, top, &inner, found)?;
        } else {
            found.push(inner.to_string_lossy().into_owned());
        }
        if found.len() > MOST_FILES_BELOW {
            return Err(too_many(&top.to_string_lossy()));
        }
    }
    Ok(())
}

fn missing_on_disk(root: &Path, path: &Path) -> Wrong {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut neighbours = Vec::new();
    if let Ok((real, _)) = resolve_quietly(root, folder)
        && let Ok(entries) = real.read_dir()
    {
        for entry in entries.take(MOST_NEIGHBOURS).flatten() {
            neighbours.push(
                folder
                    .join(entry.file_name())
                    .to_string_lossy()
                    .into_owned(),
            );
        }
    }
    neighbours.sort();
    missing(
        &path.to_string_lossy(),
        neighbours.iter().map(String::as_str),
    )
}

/// Like [`resolve`], for guesses: whatever goes wrong ends the guess.
fn resolve_quietly(root: &Path, path: &Path) -> io::Result<(PathBuf, Metadata)> {
    let real = root.join(path).canonicalize()?;
    let metadata = real.metadata()?;
    if real.starts_with(root) {
        Ok((real, metadata))
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn missing<'a>(path: &str, neighbours: impl Iterator<Item = &'a str>) -> Wrong {
    Wrong::UnknownName {
        what: "the path".to_owned(),
        name: shown(path),
        hint: hint(path, neighbours),
    }
}

fn leaves(path: &str) -> Wrong {
    Wrong::Refused(format!(
        "`{}` leads outside of the document's folder",
        shown(path)
    ))
}

fn too_many(path: &str) -> Wrong {
    let what = format!("the folder `{}`", shown(path));
    Wrong::TooLarge {
        what,
        limit: format!("{MOST_FILES_BELOW} files"),
    }
}

fn too_large(path: &str, limit_bytes: u64) -> Wrong {
    Wrong::TooLarge {
        what: format!("`{}`", shown(path)),
        limit: show_bytes(limit_bytes),
    }
}

fn unreadable(path: &str, error: &io::Error) -> Wrong {
    Wrong::Refused(format!("`{}` cannot be read: {error}", shown(path)))
}
