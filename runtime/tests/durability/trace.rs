//! What a child did to its disk, read from a trace of its system calls.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The calls that change a disk, or make it keep what was changed, or speak.
const CALLS: &str = "openat,write,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,\
     unlink,unlinkat,mkdir,mkdirat,rmdir,fallocate";

/// One thing that was done; paths are as they were then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A file was made, or emptied.
    Create(String),
    /// A folder was made.
    MakeFolder(String),
    /// A name was taken away.
    Remove(String),
    /// A name was changed.
    Rename(String, String),
    /// Bytes were written.
    Write(String, usize, Vec<u8>),
    /// A file's length was set.
    SetLength(String, usize),
    /// The disk was asked to keep a file or a folder; what was written before is meant.
    SyncBegun(String, u32),
    /// It said that it does.
    SyncEnded(u32),
    /// A line was said.
    Said(String),
}

/// The arguments of the tracer, which writes to `into`.
pub fn tracer(into: &Path) -> Vec<String> {
    let calls = format!("trace={CALLS}");
    [
        "strace", "-f", "-y", "-xx", "-s", "2000000", "-e", &calls, "-o",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([into.to_str().unwrap().to_owned()])
    .collect()
}

/// Whether this machine has a tracer that may trace.
pub fn demand_tracer() {
    let asked = Command::new("strace").args(["-f", "true"]).output();
    let is_there = asked.is_ok_and(|output| output.status.success());
    assert!(is_there, "strace is needed for this test: install it");
}

/// The steps of a trace under `folder`, in their order.
pub fn read(trace: &str, folder: &str) -> Vec<Step> {
    let mut reader = Reader {
        folder: folder.to_owned(),
        ..Reader::default()
    };
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        reader.line(thread, call.trim_start());
    }
    reader.steps
}

#[derive(Default)]
struct Reader {
    folder: String,
    steps: Vec<Step>,
    /// Calls that have begun and not ended, by thread.
    begun: BTreeMap<String, String>,
    syncs: BTreeMap<String, u32>,
    next_sync: u32,
}

impl Reader {
    fn line(&mut self, thread: &str, call: &str) {
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            self.begin(thread, begun);
            self.begun.insert(thread.to_owned(), begun.to_owned());
            return;
        }
        if let Some((_, rest)) = call
            .split_once(" resumed>")
            .filter(|_| call.starts_with("<..."))
        {
            let begun = self.begun.remove(thread).unwrap_or_default();
            let whole = format!("{begun}{rest}");
            self.end(thread, &whole);
            return;
        }
        if result(call).is_some() {
            self.begin(thread, call);
            self.end(thread, call);
        }
    }

    /// A sync keeps what was written before it began.
    fn begin(&mut self, thread: &str, call: &str) {
        if call.starts_with("fsync(") || call.starts_with("fdatasync(") {
            self.next_sync += 1;
            if let Some(path) = fd_path(call) {
                self.syncs.insert(thread.to_owned(), self.next_sync);
                self.push(&path, |path| Step::SyncBegun(path, 0));
                if let Some(Step::SyncBegun(_, number)) = self.steps.last_mut() {
                    *number = self.next_sync;
                }
            }
        }
    }

    fn end(&mut self, thread: &str, call: &str) {
        let (name, _) = call.split_once('(').unwrap_or_default();
        let Some((arguments, result)) = result(call) else {
            return;
        };
        if result.starts_with('-') {
            assert!(
                name == "openat" || name.starts_with("unlink") || name.starts_with("mkdir"),
                "the trace has a failing call: {}",
                &call[..call.len().min(300)]
            );
            return;
        }
        let texts = quoted(call);
        match name {
            "openat" if call.contains("O_CREAT") => {
                self.push(&texts[0], Step::Create);
            }
            "mkdir" | "mkdirat" => self.push(&texts[0], Step::MakeFolder),
            "unlink" | "unlinkat" | "rmdir" => self.push(&texts[0], Step::Remove),
            "rename" | "renameat" | "renameat2" => {
                let to = String::from_utf8(texts[1].clone()).unwrap();
                self.push(&texts[0], |from| Step::Rename(from, to));
            }
            "fsync" | "fdatasync" => {
                if let Some(number) = self.syncs.remove(thread) {
                    self.steps.push(Step::SyncEnded(number));
                }
            }
            "pwrite64" | "write" | "ftruncate" | "fallocate" => {
                self.data(name, call, arguments, texts);
            }
            _ => {}
        }
    }

    fn data(&mut self, name: &str, call: &str, arguments: &str, mut texts: Vec<Vec<u8>>) {
        let Some(path) = fd_path(call) else { return };
        let last = arguments.rsplit(", ").next();
        let last = last.and_then(|last| last.parse().ok());
        match name {
            "pwrite64" => {
                let bytes = texts.remove(0);
                self.push(&path, |path| Step::Write(path, last.unwrap(), bytes));
            }
            "ftruncate" => self.push(&path, |path| Step::SetLength(path, last.unwrap())),
            "write" if call.starts_with("write(1<") => {
                let said = String::from_utf8_lossy(&texts[0]).into_owned();
                self.steps
                    .extend(said.lines().map(|line| Step::Said(line.to_owned())));
            }
            "write" => {
                // Only files that are written from their beginning are written so.
                let bytes = texts.remove(0);
                let at = self.written(&path);
                self.push(&path, |path| Step::Write(path, at, bytes));
            }
            _ => panic!("no {name} was expected"),
        }
    }

    /// Where a file ends that is written piece by piece.
    fn written(&self, path: &[u8]) -> usize {
        let path = String::from_utf8_lossy(path);
        let last = self.steps.iter().rev().find_map(|step| match step {
            Step::Write(to, from, bytes) if *to == path => Some(from + bytes.len()),
            Step::Create(made) if *made == path => Some(0),
            Step::Create(_)
            | Step::MakeFolder(_)
            | Step::Remove(_)
            | Step::Rename(..)
            | Step::Write(..)
            | Step::SetLength(..)
            | Step::SyncBegun(..)
            | Step::SyncEnded(_)
            | Step::Said(_) => None,
        });
        last.unwrap_or(0)
    }

    fn push(&mut self, path: &[u8], step: impl FnOnce(String) -> Step) {
        let path = String::from_utf8(path.to_vec()).unwrap();
        if path.starts_with(&self.folder) {
            self.steps.push(step(path));
        }
    }
}

/// A call without its result, and its result; the tracer puts them into columns.
fn result(call: &str) -> Option<(&str, &str)> {
    let (call, result) = call.rsplit_once(" = ")?;
    Some((call.trim_end().strip_suffix(')')?, result))
}

/// The path of a call's first argument, which is a descriptor.
fn fd_path(call: &str) -> Option<Vec<u8>> {
    let (_, rest) = call.split_once('<')?;
    let (path, _) = rest.split_once('>')?;
    Some(unescape(path))
}

/// The quoted arguments of a call.
fn quoted(call: &str) -> Vec<Vec<u8>> {
    call.split('"').skip(1).step_by(2).map(unescape).collect()
}

fn unescape(text: &str) -> Vec<u8> {
    text.split("\\x")
        .skip(1)
        .map(|digits| u8::from_str_radix(&digits[..2], 16).unwrap())
        .collect()
}
