//! Finds the files of a folder tree, in the order of their names.

use std::path::{Path, PathBuf};

/// Folders deeper than this are not entered.
const MAX_DEPTH: usize = 32;

/// All regular files below `folder` (or `folder` itself), at most `max`, and what was left out.
///
/// Links to files are followed, links to folders are not: a tree stays a tree.
pub fn files(folder: &Path, max: usize) -> (Vec<PathBuf>, Vec<(String, String)>) {
    let (mut found, mut complaints) = (Vec::new(), Vec::new());
    if folder.is_file() {
        return (vec![folder.to_owned()], complaints);
    }
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((path, depth)) = open.pop() {
        let shown = || {
            path.strip_prefix(folder)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned()
        };
        let mut entries: Vec<PathBuf> = match std::fs::read_dir(&path) {
            Ok(entries) => entries.flatten().map(|e| e.path()).collect(),
            // No attachments at all is no complaint.
            Err(_) if depth == 0 => return (found, complaints),
            Err(error) => {
                complaints.push((shown(), format!("the folder cannot be read: {error}")));
                continue;
            }
        };
        entries.sort();
        let mut folders = Vec::new();
        for entry in entries {
            let is_link = entry.is_symlink();
            if entry.is_file() {
                if found.len() >= max {
                    complaints.push((shown(), format!("more than {max} files")));
                    return (found, complaints);
                }
                found.push(entry);
            } else if entry.is_dir() && !is_link {
                if depth + 1 > MAX_DEPTH {
                    complaints.push((shown(), format!("more than {MAX_DEPTH} folders deep")));
                } else {
                    folders.push((entry, depth + 1));
                }
            }
        }
        open.extend(folders.into_iter().rev());
    }
    found.sort();
    (found, complaints)
}
