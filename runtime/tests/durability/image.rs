//! What a disk may hold after a power cut, made from what was done before it.
//!
//! # Invariant
//! What a sync had ended for is there. Of all other writes each may be there, missing, or torn at a
//! sector, whatever their order; names change in their order, and any number of the last ones may
//! not have changed yet.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::model::Dice;
use crate::trace::Step;

/// What a disk writes as one.
const SECTOR: usize = 512;

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing that was written: the process dies, the machine goes on.
    Nothing,
    /// Everything that was not synced.
    Unsynced,
    /// Each unsynced write with even odds.
    Some,
    /// As that, and what is there may be torn.
    Torn,
}

/// A change of a name.
#[derive(Clone)]
enum Naming {
    Create(String, usize),
    Folder(String),
    Remove(String),
    Rename(String, String),
}

/// A change of a file's bytes.
struct Change<'a> {
    file: usize,
    at: usize,
    /// None sets the file's length to `at`.
    bytes: Option<&'a [u8]>,
    is_kept: bool,
}

/// A disk as it stood when the power went.
pub struct Disk<'a> {
    names: Vec<Naming>,
    /// Names up to here are kept.
    names_kept: usize,
    changes: Vec<Change<'a>>,
    files: BTreeMap<String, usize>,
    folders: BTreeSet<String>,
    next_file: usize,
    syncs: BTreeMap<u32, Begun>,
    /// The last answer that was given.
    pub answered: u64,
}

enum Begun {
    File(usize, usize),
    Folder(String, usize),
}

impl<'a> Disk<'a> {
    /// The disk after these steps.
    pub fn after(steps: &'a [Step]) -> Self {
        let mut disk = Self {
            names: Vec::new(),
            names_kept: 0,
            changes: Vec::new(),
            files: BTreeMap::new(),
            folders: BTreeSet::new(),
            next_file: 0,
            syncs: BTreeMap::new(),
            answered: 0,
        };
        for step in steps {
            disk.step(step);
        }
        disk
    }

    fn step(&mut self, step: &'a Step) {
        match step {
            Step::Create(path) => self.create(path),
            Step::MakeFolder(path) => {
                self.folders.insert(path.clone());
                self.names.push(Naming::Folder(path.clone()));
            }
            Step::Remove(path) => {
                self.files.remove(path);
                self.names.push(Naming::Remove(path.clone()));
            }
            Step::Rename(from, to) => self.rename(from, to),
            Step::Write(path, at, bytes) => self.change(path, *at, Some(bytes)),
            Step::SetLength(path, length) => self.change(path, *length, None),
            Step::SyncBegun(path, number) => {
                let begun = match self.files.get(path) {
                    Some(file) => Begun::File(*file, self.changes.len()),
                    None => Begun::Folder(path.clone(), self.names.len()),
                };
                self.syncs.insert(*number, begun);
            }
            Step::SyncEnded(number) => match self.syncs.remove(number) {
                Some(Begun::File(file, until)) => {
                    let meant = self.changes[..until].iter_mut();
                    meant
                        .filter(|change| change.file == file)
                        .for_each(|change| change.is_kept = true);
                }
                Some(Begun::Folder(folder, until)) => self.keep_names(&folder, until),
                None => {}
            },
            Step::Said(line) => {
                if let Some(number) = line.strip_prefix("answered ") {
                    self.answered = number.parse().unwrap();
                }
            }
        }
    }

    fn create(&mut self, path: &str) {
        if self.files.contains_key(path) {
            return;
        }
        self.files.insert(path.to_owned(), self.next_file);
        self.names
            .push(Naming::Create(path.to_owned(), self.next_file));
        self.next_file += 1;
    }

    fn rename(&mut self, from: &str, to: &str) {
        let moved: Vec<String> = self
            .files
            .keys()
            .filter(|path| *path == from || path.starts_with(&format!("{from}/")))
            .cloned()
            .collect();
        for path in moved {
            let file = self.files.remove(&path).unwrap();
            self.files.insert(path.replacen(from, to, 1), file);
        }
        self.names
            .push(Naming::Rename(from.to_owned(), to.to_owned()));
    }

    fn change(&mut self, path: &str, at: usize, bytes: Option<&'a [u8]>) {
        let Some(file) = self.files.get(path).copied() else {
            return;
        };
        self.changes.push(Change {
            file,
            at,
            bytes,
            is_kept: false,
        });
    }

    /// A folder's sync keeps the names in it, and with them all that came before: there is one journal.
    fn keep_names(&mut self, folder: &str, until: usize) {
        let in_it = |path: &str| Path::new(path).parent() == Some(Path::new(folder));
        let last = self.names[..until].iter().rposition(|naming| match naming {
            Naming::Create(path, _) | Naming::Folder(path) | Naming::Remove(path) => in_it(path),
            Naming::Rename(from, to) => in_it(from) || in_it(to),
        });
        if let Some(last) = last {
            self.names_kept = self.names_kept.max(last + 1);
        }
    }

    /// Writes what is left of it under `into`, which stands for `folder`.
    pub fn write(&self, folder: &str, into: &Path, cut: Cut, dice: &mut Dice) {
        let lost = self.names.len() - self.names_kept;
        let names = match cut {
            Cut::Nothing => self.names.len(),
            Cut::Unsynced => self.names_kept,
            Cut::Some | Cut::Torn => self.names_kept + dice.place(lost + 1),
        };
        let files = self.bytes(cut, dice);
        let place =
            |path: &str| into.join(path.strip_prefix(folder).unwrap().trim_start_matches('/'));
        let mut at: BTreeMap<String, Option<usize>> = BTreeMap::new();
        for naming in &self.names[..names] {
            match naming {
                Naming::Create(path, file) => drop(at.insert(path.clone(), Some(*file))),
                Naming::Folder(path) => drop(at.insert(path.clone(), None)),
                Naming::Remove(path) => drop(at.remove(path)),
                Naming::Rename(from, to) => {
                    let below = format!("{from}/");
                    let moved: Vec<String> = at
                        .keys()
                        .filter(|path| *path == from || path.starts_with(&below))
                        .cloned()
                        .collect();
                    for path in moved {
                        let what = at.remove(&path).unwrap();
                        at.insert(path.replacen(from.as_str(), to, 1), what);
                    }
                }
            }
        }
        for (path, what) in at {
            let path = place(&path);
            match what {
                None => fs::create_dir_all(path).unwrap(),
                Some(file) => {
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, files.get(&file).map_or(&[][..], Vec::as_slice)).unwrap();
                }
            }
        }
    }

    fn bytes(&self, cut: Cut, dice: &mut Dice) -> BTreeMap<usize, Vec<u8>> {
        let mut files: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for change in &self.changes {
            let is_there = change.is_kept
                || match cut {
                    Cut::Nothing => true,
                    Cut::Unsynced => false,
                    Cut::Some | Cut::Torn => dice.below(2) == 0,
                };
            if !is_there {
                continue;
            }
            let file = files.entry(change.file).or_default();
            let Some(bytes) = change.bytes else {
                file.resize(change.at, 0);
                continue;
            };
            let end = change.at + bytes.len();
            if file.len() < end {
                file.resize(end, 0);
            }
            if cut == Cut::Torn && !change.is_kept && dice.below(2) == 0 {
                tear(&mut file[change.at..end], change.at, bytes, dice);
            } else {
                file[change.at..end].copy_from_slice(bytes);
            }
        }
        files
    }
}

/// Writes some of the sectors.
fn tear(mut into: &mut [u8], mut at: usize, mut bytes: &[u8], dice: &mut Dice) {
    while !bytes.is_empty() {
        let count = (SECTOR - at % SECTOR).min(bytes.len());
        if dice.below(2) == 0 {
            into[..count].copy_from_slice(&bytes[..count]);
        }
        (into, bytes, at) = (&mut into[count..], &bytes[count..], at + count);
    }
}

/// A folder for an image: in memory where there is one, since an image needs no disk.
pub fn folder() -> tempfile::TempDir {
    let in_memory = Path::new("/dev/shm");
    if in_memory.is_dir() {
        return tempfile::tempdir_in(in_memory).unwrap();
    }
    tempfile::tempdir().unwrap()
}
