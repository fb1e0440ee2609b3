//! Reading on in files that still grow: an agent's progress lines and its captured output.
//!
//! # Invariant
//!
//! One call reads at most [`WINDOW_BYTES`], whatever the agent writes, and never blocks.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::beneath::Folder;

/// Most bytes that one call reads: the rest is there for the next.
pub const WINDOW_BYTES: usize = 64 << 10;
/// Longest progress line; the rest of it is cut off.
pub const LINE_LIMIT_BYTES: usize = 1 << 10;
/// Most progress lines that one call answers.
pub const LINES_LIMIT: usize = 100;

/// The two files in which an agent writes a line each time there is something to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinesOf {
    /// `progress.log`: how far it is, for people who look on.
    Progress,
    /// `say.log`: what it says in the thread of its case.
    Said,
}

impl LinesOf {
    /// The name of its file in `out/<attempt>/`.
    pub fn file_name(self) -> &'static str {
        match self {
            LinesOf::Progress => "progress.log",
            LinesOf::Said => "say.log",
        }
    }
}

/// New lines of a progress file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whole lines, without their ends, cut to [`LINE_LIMIT_BYTES`].
    pub lines: Vec<String>,
    /// Where to read on.
    pub next: u64,
}

/// A piece of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogChunk {
    /// Its bytes, as the agent wrote them.
    pub bytes: Vec<u8>,
    /// Where to read on.
    pub next: u64,
}

/// The two output streams of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogName {
    /// `stdout.log`
    Stdout,
    /// `stderr.log`
    Stderr,
}

impl LogName {
    /// The name of its file in `run/<attempt>/`.
    pub fn file_name(self) -> &'static str {
        match self {
            LogName::Stdout => "stdout.log",
            LogName::Stderr => "stderr.log",
        }
    }
}

pub(super) fn log(folder: &Path, uid: u32, log: LogName, from: u64) -> LogChunk {
    let (bytes, start) = window(folder, log.file_name(), uid, from);
    let next = start + u64::try_from(bytes.len()).unwrap_or(0);
    LogChunk { bytes, next }
}

pub(super) fn progress(folder: &Path, uid: u32, lines: LinesOf, from: u64) -> Progress {
    let (bytes, start) = window(folder, lines.file_name(), uid, from);
    let mut progress = Progress {
        lines: Vec::new(),
        next: start,
    };
    let mut at = 0;
    while progress.lines.len() < LINES_LIMIT {
        let rest = &bytes[at..];
        let taken = match rest.iter().position(|b| *b == b'\n') {
            Some(end) => end + 1,
            // A line without an end that fills the window is cut here, or it would stop all.
            None if at == 0 && rest.len() == WINDOW_BYTES => rest.len(),
            None => break,
        };
        let line = rest[..taken].strip_suffix(b"\n").unwrap_or(&rest[..taken]);
        progress.lines.push(printable(line));
        at += taken;
    }
    progress.next += u64::try_from(at).unwrap_or(0);
    progress
}

/// The bytes from `from` on, and where they really begin: at the start of a file that shrank.
fn window(folder: &Path, name: &str, uid: u32, from: u64) -> (Vec<u8>, u64) {
    let opened = Folder::open(folder).map(|folder| folder.file(name.as_ref(), uid));
    let Ok(Ok((mut file, size))) = opened else {
        return (Vec::new(), from);
    };
    let start = if size < from { 0 } else { from };
    let mut bytes = Vec::new();
    let most = u64::try_from(WINDOW_BYTES).unwrap_or(u64::MAX);
    let read = file.seek(SeekFrom::Start(start));
    match read.and_then(|_| file.take(most).read_to_end(&mut bytes)) {
        Ok(_) => (bytes, start),
        Err(_) => (Vec::new(), from),
    }
}

/// A line as text for people: wrong bytes replaced, control characters left out, cut.
fn printable(line: &[u8]) -> String {
    let cut = &line[..line.len().min(LINE_LIMIT_BYTES)];
    String::from_utf8_lossy(cut)
        .chars()
        .filter(|c| !c.is_control() || *c == '\t')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_whole_lines_are_progress_and_none_comes_twice() {
        let home = tempfile::tempdir().unwrap();
        let uid = nix::unistd::geteuid().as_raw();
        let path = home.path().join("progress.log");
        fs::write(&path, "one\ntwo\x1b[0m\nthr").unwrap();
        let first = progress(home.path(), uid, LinesOf::Progress, 0);
        assert_eq!(first.lines, ["one", "two[0m"]);
        assert_eq!(
            progress(home.path(), uid, LinesOf::Progress, first.next).lines,
            Vec::<String>::new()
        );
        fs::write(&path, "one\ntwo\x1b[0m\nthree\n").unwrap();
        assert_eq!(
            progress(home.path(), uid, LinesOf::Progress, first.next).lines,
            ["three"]
        );
    }

    #[test]
    fn a_line_without_end_is_cut_and_stops_nothing() {
        let home = tempfile::tempdir().unwrap();
        let uid = nix::unistd::geteuid().as_raw();
        let path = home.path().join("progress.log");
        fs::write(&path, format!("{}\nend\n", "x".repeat(2 * WINDOW_BYTES))).unwrap();
        let (mut from, mut lines) = (0, Vec::new());
        for _ in 0..4 {
            let read = progress(home.path(), uid, LinesOf::Progress, from);
            (from, lines) = (read.next, [lines, read.lines].concat());
        }
        assert_eq!(lines.last().map(String::as_str), Some("end"));
        assert!(lines.iter().all(|line| line.len() <= LINE_LIMIT_BYTES));
    }

    #[test]
    fn a_link_or_a_pipe_in_the_place_of_the_file_is_not_read() {
        let home = tempfile::tempdir().unwrap();
        let uid = nix::unistd::geteuid().as_raw();
        std::os::unix::fs::symlink("/etc/passwd", home.path().join("progress.log")).unwrap();
        assert_eq!(
            progress(home.path(), uid, LinesOf::Progress, 0),
            Progress::default()
        );
        nix::unistd::mkfifo(
            &home.path().join("stdout.log"),
            nix::sys::stat::Mode::S_IRWXU,
        )
        .unwrap();
        assert_eq!(
            log(home.path(), uid, LogName::Stdout, 0),
            LogChunk::default()
        );
    }
}
