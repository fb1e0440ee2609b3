//! What an attempt left in its `out/` folder, looked at after its end and never trusted.
//!
//! # Invariant
//!
//! The listing has at most [`LISTED_FILES_LIMIT`] files at most [`DEPTH_LIMIT`] folders deep;
//! what is not listed is counted and, for the first ones, named with the reason. Each file is read
//! through one descriptor, so what was measured is what is copied.
//!
//! # Why
//!
//! Collecting happens only after the exit: whatever the agent rewrote before, what lay there when
//! its last process had ended is its answer, once.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::beneath::{Folder, Kind, NotOpened, read_within};
use super::result::{BadResult, ParsedResult, RESULT_LIMIT_BYTES, from_text, parse};
use super::{AttemptName, Exit, Spool, SpoolError};

/// Most files in a listing: what a person can look through with a filter.
pub const LISTED_FILES_LIMIT: usize = 10_000;
/// Deepest folder that is looked into.
pub const DEPTH_LIMIT: usize = 16;
/// Longest relative path in a listing.
pub const PATH_LIMIT_BYTES: usize = 512;
/// Most left-out entries that are named.
pub const NAMED_SKIPPED_LIMIT: usize = 50;

/// What lay in an attempt's `out/` folder after its end.
#[derive(Debug)]
pub struct Collected {
    /// Plain files of the agent, by path.
    pub files: Vec<OutFile>,
    /// The first entries that were left out, with the reason.
    pub skipped: Vec<Skipped>,
    /// How many entries were left out, as far as was looked.
    pub skipped_count: usize,
    out: Folder,
    run: Folder,
    uid: u32,
}

/// One file in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutFile {
    /// Relative to `out/`, with `/` between.
    pub path: String,
    /// Its size when it was listed.
    pub bytes: u64,
}

/// An entry that is not handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its path, made printable.
    pub path: String,
    /// Why.
    pub why: String,
}

impl Collected {
    pub(super) fn gather(spool: &Spool, attempt: &AttemptName) -> Result<Collected, SpoolError> {
        let open = |path: PathBuf| {
            Folder::open(&path).map_err(|source| SpoolError::Failed { path, source })
        };
        let mut collected = Collected {
            files: Vec::new(),
            skipped: Vec::new(),
            skipped_count: 0,
            out: open(spool.out_folder(attempt))?,
            run: open(spool.run_folder(attempt))?,
            uid: spool.owner().uid,
        };
        collected.walk();
        collected.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(collected)
    }

    /// Opens a listed file for copying; the descriptor stays on what was opened.
    ///
    /// # Errors
    /// [`BadResult::NotAFile`] when there is no plain file of the agent at `path`.
    pub fn open(&self, path: &str) -> Result<(File, u64), BadResult> {
        self.out
            .file_at(Path::new(path), self.uid)
            .map_err(|why| not_a_file(path, &why))
    }

    /// Reads a file of at most `limit` bytes; none where there is nothing of that name.
    ///
    /// # Errors
    /// [`BadResult`] when it is there but no plain file, or larger.
    pub fn read(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, BadResult> {
        match self.out.file_at(Path::new(path), self.uid) {
            Ok((file, bytes)) => read_limited(path, file, bytes, limit).map(Some),
            Err(NotOpened::Absent) => Ok(None),
            Err(why) => Err(not_a_file(path, &why)),
        }
    }

    /// The first `limit` bytes of standard output as text; wrong bytes are replaced.
    pub fn stdout_text(&self, limit: usize) -> String {
        self.log_text("stdout.log", limit)
    }

    /// The first `limit` bytes of standard error as text; wrong bytes are replaced.
    pub fn stderr_text(&self, limit: usize) -> String {
        self.log_text("stderr.log", limit)
    }

    /// The result by the contract's own order: `result.json`, else `result.md`, else standard
    /// output; none where all three say nothing.
    ///
    /// # Errors
    /// [`BadResult`] when the first of them that is there cannot be used.
    pub fn result(&self, exit: &Exit) -> Result<Option<ParsedResult>, BadResult> {
        if let Some(bytes) = self.read("result.json", RESULT_LIMIT_BYTES)? {
            return parse("result.json", &bytes).map(Some);
        }
        if let Some(bytes) = self.read("result.md", RESULT_LIMIT_BYTES)? {
            let text = std::str::from_utf8(&bytes).map_err(|wrong| BadResult::NotUtf8 {
                name: "result.md".into(),
                at: wrong.valid_up_to(),
            })?;
            return match text.trim() {
                "" => Err(BadResult::Empty {
                    name: "result.md".into(),
                }),
                text => Ok(Some(from_text(text))),
            };
        }
        let bytes = exit
            .stdout
            .stored_bytes
            .saturating_add(exit.stdout.dropped_bytes);
        if bytes > u64::try_from(RESULT_LIMIT_BYTES).unwrap_or(u64::MAX) {
            let name = "standard output, taken for the result,".into();
            return Err(BadResult::TooLarge {
                name,
                bytes,
                limit: RESULT_LIMIT_BYTES,
            });
        }
        let text = self.stdout_text(RESULT_LIMIT_BYTES);
        Ok((!text.trim().is_empty()).then(|| from_text(text.trim())))
    }

    fn log_text(&self, name: &str, limit: usize) -> String {
        let Ok((mut file, _)) = self.run.file_at(Path::new(name), self.uid) else {
            return String::new();
        };
        let mut bytes = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX);
        // A log that cannot be read to its end is shown as far as it can.
        let _ = std::io::Read::read_to_end(&mut std::io::Read::take(&mut file, most), &mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Lists breadth first, so that a deep or wide part hides as little as possible.
    fn walk(&mut self) {
        let mut waiting = vec![PathBuf::new()];
        let mut looked = 0_usize;
        while let Some(folder) = waiting.pop() {
            let mut names = Vec::new();
            let opened = self.descend(&folder);
            let listed = opened.as_ref().map(|open| {
                open.each(|name| {
                    looked += 1;
                    names.push(name.to_owned());
                    looked < LISTED_FILES_LIMIT
                })
            });
            if let (Ok(open), Ok(Ok(()))) = (&opened, &listed) {
                for name in names {
                    self.sort_in(open, &folder, &name, &mut waiting);
                }
            } else {
                self.skip(&folder, "it could not be opened");
            }
            if looked >= LISTED_FILES_LIMIT {
                self.skip(&folder, "there are more entries than are listed");
                break;
            }
        }
    }

    fn descend(&self, folder: &Path) -> nix::Result<Folder> {
        let mut at = self.out.enter(".".as_ref())?;
        for step in folder.components() {
            at = at.enter(step.as_os_str())?;
        }
        Ok(at)
    }

    fn sort_in(&mut self, open: &Folder, at: &Path, name: &OsString, waiting: &mut Vec<PathBuf>) {
        let path = at.join(name);
        let Ok(stat) = open.look(name) else {
            return self.skip(&path, "it could not be looked at");
        };
        let Some(printable) = path.to_str().filter(|p| is_printable(p)) else {
            return self.skip(&path, "its name is not printable UTF-8");
        };
        if printable.len() > PATH_LIMIT_BYTES {
            return self.skip(&path, "its path is too long");
        }
        match Kind::of(&stat) {
            Kind::File if stat.st_uid != self.uid => {
                self.skip(&path, "it belongs to someone else");
            }
            Kind::File => {
                let bytes = u64::try_from(stat.st_size).unwrap_or(0);
                self.files.push(OutFile {
                    path: printable.to_owned(),
                    bytes,
                });
            }
            Kind::Folder if path.components().count() < DEPTH_LIMIT => waiting.push(path),
            Kind::Folder => self.skip(&path, "it is too deep"),
            other @ (Kind::Link | Kind::Pipe | Kind::Socket | Kind::Device) => {
                self.skip(&path, &format!("it is {}", other.called()));
            }
        }
    }

    fn skip(&mut self, path: &Path, why: &str) {
        self.skipped_count += 1;
        if self.skipped.len() < NAMED_SKIPPED_LIMIT {
            let lossy = String::from_utf8_lossy(path.as_os_str().as_bytes());
            let path = lossy
                .chars()
                .take(200)
                .flat_map(char::escape_debug)
                .collect();
            self.skipped.push(Skipped {
                path,
                why: why.to_owned(),
            });
        }
    }
}

fn is_printable(path: &str) -> bool {
    !path.chars().any(char::is_control)
}

fn not_a_file(name: &str, why: &NotOpened) -> BadResult {
    let what = match why {
        NotOpened::Absent => "absent".to_owned(),
        NotOpened::Other(what) => (*what).to_owned(),
        NotOpened::Failed(source) => format!("unreadable ({source})"),
    };
    BadResult::NotAFile {
        name: name.to_owned(),
        what,
    }
}

fn read_limited(
    name: &str,
    mut file: File,
    bytes: u64,
    limit: usize,
) -> Result<Vec<u8>, BadResult> {
    let too_large = || BadResult::TooLarge {
        name: name.to_owned(),
        bytes,
        limit,
    };
    match read_within(&mut file, limit) {
        Ok(Some(read)) => Ok(read),
        Ok(None) => Err(too_large()),
        Err(source) => Err(not_a_file(name, &NotOpened::Failed(source))),
    }
}
