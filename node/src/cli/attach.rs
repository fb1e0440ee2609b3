//! Files and folders that are handed along: found, measured against the node's limits, uploaded.
//!
//! ```text
//! --attach all.json   ──► all.json
//! --attach cluster/   ──► cluster/pods.json, cluster/nodes/a.json
//! ```
//!
//! # Invariant
//! Nothing is uploaded before everything is known to be within the limits. No symbolic link is
//! followed, so that a folder hands over only what is in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use config::mistake::shown;

use super::print;
use super::stop::Stop;
use crate::admin::client::Client;
use crate::admin::wire::{Attachment, Limits};

/// A folder that is deeper is none that people made.
const DEEPEST_FOLDERS: usize = 32;
/// So much is uploaded without a remark.
const SILENT_BYTES: u64 = 8 << 20;

/// Files that are found, by the path under which agents see them.
#[derive(Debug, Default)]
pub(crate) struct Found {
    files: BTreeMap<String, PathBuf>,
    bytes: u64,
    /// What was left out, and why.
    left_out: Vec<String>,
}

/// Finds, measures and uploads what `paths` name.
pub(crate) async fn hand_over(client: &Client, paths: &[PathBuf]) -> Result<Vec<Attachment>, Stop> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let limits = client.limits().await?;
    let found = find(paths, &limits)?;
    for remark in &found.left_out {
        print::note(&format!("left out: {remark}"));
    }
    if found.bytes > SILENT_BYTES {
        let size = config::measure::show_bytes(found.bytes);
        print::note(&format!("uploading {} files, {size}", found.files.len()));
    }
    let mut attachments = Vec::new();
    for (path, file) in found.files {
        let blob = client.upload_file(&file).await?;
        attachments.push(Attachment {
            path,
            sha256: blob.sha256,
        });
    }
    Ok(attachments)
}

/// Finds files, and refuses what is over a limit.
pub(crate) fn find(paths: &[PathBuf], limits: &Limits) -> Result<Found, Stop> {
    let mut found = Found::default();
    for path in paths {
        let kind = fs::symlink_metadata(path).map_err(|error| cannot_read(path, &error))?;
        if kind.is_symlink() {
            return Err(Stop::mend(
                format!("{} is a symbolic link, and none is followed", show(path)),
                "name what it points to",
            ));
        }
        if kind.is_dir() {
            let before = found.files.len();
            found.folder(path, &name_of_folder(path)?, 0, limits)?;
            if found.files.len() == before {
                return Err(Stop::mend(format!("{} holds no files", show(path)), ""));
            }
        } else if kind.is_file() {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| no_text(path))?;
            found.file(path, name, kind.len(), limits)?;
        } else {
            return Err(Stop::mend(
                format!("{} is neither a file nor a folder", show(path)),
                "write what it gives into a file first",
            ));
        }
    }
    Ok(found)
}

impl Found {
    fn folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        depth: usize,
        limits: &Limits,
    ) -> Result<(), Stop> {
        if depth > DEEPEST_FOLDERS {
            let what = format!(
                "{} is more than {DEEPEST_FOLDERS} folders deep",
                show(folder)
            );
            return Err(Stop::mend(
                what,
                "attach the folders that matter one by one",
            ));
        }
        let unreadable = |error| cannot_read(folder, &error);
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let kind = fs::symlink_metadata(&path).map_err(|error| cannot_read(&path, &error))?;
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| no_text(&path))?;
            let inner = if prefix.is_empty() {
                name.to_owned()
            } else {
                format!("{prefix}/{name}")
            };
            if kind.is_symlink() {
                self.left_out
                    .push(format!("{} is a symbolic link", show(&path)));
            } else if kind.is_dir() {
                self.folder(&path, &inner, depth + 1, limits)?;
            } else if kind.is_file() {
                self.file(&path, &inner, kind.len(), limits)?;
            } else {
                self.left_out
                    .push(format!("{} is no plain file", show(&path)));
            }
        }
        Ok(())
    }

    fn file(&mut self, file: &Path, path: &str, bytes: u64, limits: &Limits) -> Result<(), Stop> {
        let over = |what: String, name: &'static str, max: u64| Stop::Shrink { what, name, max };
        if bytes > limits.blob_bytes {
            let what = format!("{} has {bytes} bytes, too many for one file", show(file));
            return Err(over(what, "blob_bytes", limits.blob_bytes));
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > limits.case_bytes {
            let what = format!("up to {} these are too many bytes for one case", show(file));
            return Err(over(what, "case_bytes", limits.case_bytes));
        }
        if let Some(other) = self.files.insert(path.to_owned(), file.to_owned()) {
            return Err(Stop::rephrase(
                format!(
                    "{} and {} would both be `{}`",
                    show(&other),
                    show(file),
                    shown(path)
                ),
                "rename one, or attach the folder that holds both",
            ));
        }
        if self.files.len() as u64 > limits.attachments_per_case {
            let what = "these are too many files for one case".to_owned();
            return Err(over(
                what,
                "attachments_per_case",
                limits.attachments_per_case,
            ));
        }
        Ok(())
    }
}

/// What a folder is called, whichever way it was named.
fn name_of_folder(path: &Path) -> Result<String, Stop> {
    let real;
    let path = if path.file_name().is_some() {
        path
    } else {
        real = path
            .canonicalize()
            .map_err(|error| cannot_read(path, &error))?;
        &real
    };
    match path.file_name() {
        Some(name) => Ok(name.to_str().ok_or_else(|| no_text(path))?.to_owned()),
        None => Ok(String::new()),
    }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Stop {
    Stop::mend(format!("cannot read {}: {error}", show(path)), "")
}

fn no_text(path: &Path) -> Stop {
    Stop::mend(
        format!("the name of {} is not UTF-8", show(path)),
        "rename it",
    )
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::{Found, find};
    use crate::admin::wire::Limits;

    fn limits() -> Limits {
        Limits {
            blob_bytes: 10,
            case_bytes: 25,
            attachments_per_case: 3,
            brief_bytes: 9,
        }
    }

    fn folder(files: &[(&str, usize)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, vec![b'x'; *bytes]).unwrap();
        }
        folder
    }

    fn names(found: &Found) -> Vec<&str> {
        found.files.keys().map(String::as_str).collect()
    }

    #[test]
    fn a_folder_keeps_its_name_and_its_paths() {
        let at = folder(&[
            ("cluster/pods.json", 1),
            ("cluster/a/b", 1),
            ("single.txt", 1),
        ]);
        let paths = [at.path().join("cluster/"), at.path().join("single.txt")];
        let found = find(&paths, &limits()).unwrap();
        assert_eq!(
            names(&found),
            ["cluster/a/b", "cluster/pods.json", "single.txt"]
        );
        let dotted = find(&[at.path().join("cluster/a/..")], &limits()).unwrap();
        assert_eq!(names(&dotted), ["cluster/a/b", "cluster/pods.json"]);
    }

    #[test]
    fn links_are_not_followed() {
        let at = folder(&[("real/a", 1), ("secret", 1)]);
        symlink(at.path().join("secret"), at.path().join("real/link")).unwrap();
        symlink(at.path(), at.path().join("real/circle")).unwrap();
        let found = find(&[at.path().join("real")], &limits()).unwrap();
        assert_eq!(names(&found), ["real/a"]);
        assert_eq!(found.left_out.len(), 2);
        let named = find(&[at.path().join("real/link")], &limits()).unwrap_err();
        assert!(named.to_string().contains("symbolic link"), "{named}");
    }

    #[test]
    fn each_limit_is_refused_by_its_name() {
        for (files, name) in [
            (vec![("d/a", 11)], "blob_bytes"),
            (vec![("d/a", 10), ("d/b", 10), ("d/c", 10)], "case_bytes"),
            (
                vec![("d/a", 1), ("d/b", 1), ("d/c", 1), ("d/e", 1)],
                "attachments_per_case",
            ),
        ] {
            let at = folder(&files);
            let stop = find(&[at.path().join("d")], &limits()).unwrap_err();
            assert!(stop.to_string().contains(name), "{stop}");
            assert_eq!(stop.exit_code(), 1);
        }
    }

    #[test]
    fn what_cannot_be_handed_over_is_said() {
        let at = folder(&[("x/same", 1), ("y/same", 1)]);
        std::fs::create_dir(at.path().join("empty")).unwrap();
        let find = |names: &[&str]| {
            let paths: Vec<PathBuf> = names.iter().map(|name| at.path().join(name)).collect();
            find(&paths, &limits()).unwrap_err()
        };
        assert_eq!(find(&["x/same", "y/same"]).exit_code(), 2);
        assert!(find(&["empty"]).to_string().contains("holds no files"));
        assert!(find(&["absent"]).to_string().contains("cannot read"));
    }
}
