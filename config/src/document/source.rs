//! Where documents come from: a file, a folder, standard input, a bundle.

use std::path::Path;
use std::sync::Arc;

use super::folder::{Bundle, Folder};
use crate::intake;
use crate::mistake::{Mistakes, Place, Wrong, shown};

/// A file of documents is written by people; 4 MiB are about a hundred thousand lines.
pub const LARGEST_FILE_BYTES: u64 = 4 << 20;
/// A folder with more files of documents is given by mistake.
const MOST_FILES: usize = 256;
/// What documents from standard input are called.
const STDIN: &str = "stdin";

/// Where documents come from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A file, or a folder whose `*.yaml` and `*.yml` are read (not those of folders in it).
    Path(&'a Path),
    /// Bytes, as from standard input; paths in them begin at `folder`.
    Bytes {
        /// The bytes of one file.
        bytes: &'a [u8],
        /// Where the paths in it begin.
        folder: &'a Path,
    },
    /// What an earlier run has read, or the example.
    Bundle(&'a Bundle),
}

/// The files of documents, each with what messages call it, and the folder that they refer into.
pub(super) struct Opened {
    pub(super) folder: Folder,
    pub(super) files: Vec<(String, Arc<[u8]>)>,
}

impl Opened {
    /// Opens a source; complains about what cannot be read. `None` if there is no folder at all.
    pub(super) fn of(source: Source<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        match source {
            Source::Path(path) if path.is_dir() => {
                let mut opened = Self::empty(path, mistakes)?;
                match document_names(path) {
                    Ok(names) => {
                        let whole = label(path);
                        opened.read_all(&names, &whole, |name| label(&path.join(name)), mistakes);
                    }
                    Err(wrong) => mistakes.add(Place::File(label(path)), wrong),
                }
                Some(opened)
            }
            Source::Path(path) => {
                let bytes = intake::read(path, "a file of documents", LARGEST_FILE_BYTES);
                let bytes = complained(bytes, &label(path), mistakes)?;
                let folder = path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty());
                let mut opened = Self::empty(folder.unwrap_or(Path::new(".")), mistakes)?;
                let name = path
                    .file_name()
                    .unwrap_or(path.as_os_str())
                    .to_string_lossy();
                opened.keep(&name, label(path), bytes.into(), mistakes);
                Some(opened)
            }
            Source::Bytes { bytes, folder } => {
                let checked = intake::check_len(bytes, "a file of documents", LARGEST_FILE_BYTES);
                complained(checked, STDIN, mistakes)?;
                let mut opened = Self::empty(folder, mistakes)?;
                opened.keep(STDIN, STDIN.to_owned(), bytes.into(), mistakes);
                Some(opened)
            }
            Source::Bundle(bundle) => {
                let mut opened = Self {
                    folder: Folder::in_memory(bundle),
                    files: Vec::new(),
                };
                opened.read_all(&bundle.documents, "bundle", shown, mistakes);
                Some(opened)
            }
        }
    }

    fn empty(folder: &Path, mistakes: &mut Mistakes) -> Option<Self> {
        let opened = Folder::on_disk(folder);
        let opened = opened.map_err(|error| Wrong::Unreadable(error.to_string()));
        let folder = complained(opened, &label(folder), mistakes)?;
        Some(Self {
            folder,
            files: Vec::new(),
        })
    }

    fn keep(&mut self, name: &str, label: String, bytes: Arc<[u8]>, mistakes: &mut Mistakes) {
        let kept = self.folder.keep_document(name, Arc::clone(&bytes));
        if complained(kept, &label, mistakes).is_some() {
            self.files.push((label, bytes));
        }
    }

    fn read_all(
        &mut self,
        names: &[String],
        whole: &str,
        label: impl Fn(&str) -> String,
        mistakes: &mut Mistakes,
    ) {
        for name in names.iter().take(MOST_FILES) {
            let read = self.folder.read_document(name, LARGEST_FILE_BYTES);
            if let Some(bytes) = complained(read, &label(name), mistakes) {
                self.files.push((label(name), bytes));
            }
        }
        if names.len() > MOST_FILES {
            let what = "it".to_owned();
            let limit = format!("{MOST_FILES} files of documents");
            mistakes.add(
                Place::File(whole.to_owned()),
                Wrong::TooLarge { what, limit },
            );
        }
    }
}

/// The files of documents in a folder, by name.
fn document_names(folder: &Path) -> Result<Vec<String>, Wrong> {
    let unreadable = |error: std::io::Error| Wrong::Unreadable(error.to_string());
    let mut names = Vec::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_document = path
            .extension()
            .is_some_and(|end| end == "yaml" || end == "yml");
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| is_document && !name.starts_with('.')) {
            names.push(name.to_owned());
        }
        if names.len() > MOST_FILES {
            break;
        }
    }
    if names.is_empty() {
        let sentence = "the folder holds no `*.yaml` and no `*.yml`".to_owned();
        return Err(Wrong::Refused(sentence));
    }
    names.sort();
    Ok(names)
}

fn label(path: &Path) -> String {
    shown(&path.display().to_string())
}

/// The value, or `None` and one more mistake.
fn complained<T>(result: Result<T, Wrong>, file: &str, mistakes: &mut Mistakes) -> Option<T> {
    result
        .map_err(|wrong| mistakes.add(Place::File(file.to_owned()), wrong))
        .ok()
}
