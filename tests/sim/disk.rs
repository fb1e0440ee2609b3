//! A disk that keeps what was synced apart from what was not, and at a crash keeps, drops or tears
//! the latter.
//!
//! # Invariant
//! What a sync said was durable is there after every crash, unless the sync before it failed: then
//! the pages of that one are clean to the kernel, on the disk or not.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use runtime::disk::OpenOptions;

use super::pairs::Pairs;
use super::rare::Rare;
use lab::Dice;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// A file's number.
pub type Number = u64;

#[derive(Clone, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Write(at, bytes) => {
                let end = at + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[*at..end].copy_from_slice(bytes);
            }
            Self::SetLen(len) => to.resize(*len, 0),
        }
    }
}

#[derive(Clone)]
enum Naming {
    Is(PathBuf, Number),
    Gone(PathBuf),
}

impl Naming {
    fn path(&self) -> &Path {
        match self {
            Self::Is(path, _) | Self::Gone(path) => path,
        }
    }

    fn apply(&self, to: &mut BTreeMap<PathBuf, Number>) {
        match self {
            Self::Is(path, number) => drop(to.insert(path.clone(), *number)),
            Self::Gone(path) => drop(to.remove(path)),
        }
    }
}

/// How a disk behaves now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mood {
    /// Each sync and write fails, one in so many; 0 for none.
    pub fails_one_in: usize,
    /// Nothing is free.
    pub is_full: bool,
    /// Writes wait this long more, in microseconds.
    pub slow_us: u64,
}

/// A disk.
pub struct Disk {
    names: BTreeMap<PathBuf, Number>,
    durable_names: BTreeMap<PathBuf, Number>,
    pending_names: Vec<Naming>,
    contents: BTreeMap<Number, Content>,
    next: Number,
    pub pairs: Pairs,
    pub mood: Mood,
    /// The machine dies at the so manieth change from now.
    pub dies_in: Option<u64>,
    /// Whether it ever failed: what is lost then is nobody's fault.
    pub has_failed: bool,
    dice: Dice,
    pub rare: Rare,
}

/// What comes of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is made.
    Done,
    /// The disk refuses.
    Fails,
    /// The machine dies in the middle of it.
    Dies,
}

fn failing() -> io::Error {
    io::Error::from_raw_os_error(5)
}

fn dead() -> io::Error {
    io::Error::other("the machine is dead")
}

impl Disk {
    pub fn new(seed: u64, rare: Rare) -> Self {
        Self {
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending_names: Vec::new(),
            contents: BTreeMap::new(),
            next: 0,
            pairs: Pairs::default(),
            mood: Mood::default(),
            dies_in: None,
            has_failed: false,
            dice: Dice::new(seed),
            rare,
        }
    }

    /// What comes of the next change.
    pub fn fate(&mut self) -> Fate {
        if let Some(left) = &mut self.dies_in {
            if *left == 0 {
                self.dies_in = None;
                return Fate::Dies;
            }
            *left -= 1;
        }
        let odds = self.mood.fails_one_in;
        if odds > 0 && self.dice.is_in(odds) {
            self.has_failed = true;
            self.rare.saw("the disk failed a write or sync");
            return Fate::Fails;
        }
        Fate::Done
    }

    fn change(&mut self, number: Number, change: Change) -> io::Result<()> {
        let fate = self.fate();
        let content = self.contents.entry(number).or_default();
        if let Change::Write(0, head) = &change
            && head.len() == 4096
            && content.live.len() > head.len()
        {
            self.rare.saw("a file of the journal was begun");
        }
        match (fate, &change) {
            (Fate::Done, _) => {}
            (Fate::Fails, _) => return Err(failing()),
            (Fate::Dies, Change::Write(at, bytes)) => {
                // Some of it reached the disk.
                let kept = self.dice.below(bytes.len() + 1);
                let part = Change::Write(*at, bytes[..kept].to_vec());
                part.apply(&mut content.live);
                content.pending.push(part);
                self.rare.saw("a machine died in the middle of a write");
                return Err(dead());
            }
            (Fate::Dies, Change::SetLen(_)) => return Err(dead()),
        }
        if let Change::Write(at, bytes) = &change
            && self.mood.is_full
            && at + bytes.len() > content.live.len()
        {
            self.rare.saw("the disk was full");
            return Err(io::ErrorKind::StorageFull.into());
        }
        change.apply(&mut content.live);
        content.pending.push(change);
        Ok(())
    }

    pub fn write_at(&mut self, number: Number, at: u64, bytes: &[u8]) -> io::Result<()> {
        let at = usize::try_from(at).map_err(io::Error::other)?;
        self.change(number, Change::Write(at, bytes.to_vec()))
    }

    pub fn set_len(&mut self, number: Number, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.change(number, Change::SetLen(len))
    }

    pub fn sync(&mut self, number: Number) -> io::Result<()> {
        let fate = self.fate();
        let content = self.contents.entry(number).or_default();
        match fate {
            Fate::Done => {}
            Fate::Fails => {
                // The kernel calls these pages clean from now on.
                for change in content.pending.drain(..) {
                    if self.dice.is_in(2) {
                        change.apply(&mut content.durable);
                    }
                }
                self.rare
                    .saw("a failed sync lost pages that the kernel calls clean");
                return Err(failing());
            }
            Fate::Dies if self.dice.is_in(2) => {
                self.rare.saw("a machine died before a sync");
                return Err(dead());
            }
            Fate::Dies => {
                self.rare
                    .saw("a machine died after a sync and before it was told");
                content.settle();
                return Err(dead());
            }
        }
        content.settle();
        Ok(())
    }

    pub fn read_at(&self, number: Number, at: u64, into: &mut [u8]) -> usize {
        let Some(content) = self.contents.get(&number) else {
            return 0;
        };
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let from = content.live.get(at..).unwrap_or_default();
        let count = from.len().min(into.len());
        into[..count].copy_from_slice(&from[..count]);
        count
    }

    pub fn len(&self, number: Number) -> u64 {
        let content = self.contents.get(&number);
        content.map_or(0, |content| content.live.len() as u64)
    }

    pub fn open(&mut self, path: &Path, options: &OpenOptions) -> io::Result<Number> {
        if let Some(number) = self.names.get(path).copied() {
            if options.create_new {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            if options.truncate {
                self.set_len(number, 0)?;
            }
            return Ok(number);
        }
        if !options.create && !options.create_new {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.next += 1;
        let number = self.next;
        self.rename_to(Naming::Is(path.to_owned(), number))?;
        self.contents.insert(number, Content::default());
        Ok(number)
    }

    fn rename_to(&mut self, naming: Naming) -> io::Result<()> {
        match self.fate() {
            Fate::Done => {}
            Fate::Fails => return Err(failing()),
            Fate::Dies => return Err(dead()),
        }
        naming.apply(&mut self.names);
        self.pending_names.push(naming);
        Ok(())
    }

    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let number = *self.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        match from.file_name().and_then(|name| name.to_str()) {
            Some("snapshot.coming") => self.rare.saw("a snapshot came from another node"),
            Some("snapshot.new") => self.rare.saw("a snapshot was made"),
            Some(name) if name.ends_with(".coming") => {
                self.rare.saw("records were filled in from another node");
            }
            _ => {}
        }
        self.rename_to(Naming::Is(to.to_owned(), number))?;
        // One change for the disk: the old name goes with it.
        let gone = Naming::Gone(from.to_owned());
        gone.apply(&mut self.names);
        self.pending_names.push(gone);
        Ok(())
    }

    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        if !self.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.rename_to(Naming::Gone(path.to_owned()))
    }

    pub fn list(&self, dir: &Path) -> Vec<PathBuf> {
        let names = self.names.keys();
        names
            .filter(|path| path.parent() == Some(dir))
            .cloned()
            .collect()
    }

    pub fn sync_folder(&mut self, dir: &Path) -> io::Result<()> {
        match self.fate() {
            Fate::Done => {}
            Fate::Fails => return Err(failing()),
            Fate::Dies => return Err(dead()),
        }
        let (now, later) = std::mem::take(&mut self.pending_names)
            .into_iter()
            .partition(|naming: &Naming| naming.path().parent() == Some(dir));
        self.pending_names = later;
        for naming in now {
            naming.apply(&mut self.durable_names);
        }
        Ok(())
    }

    /// The power goes: of what was not synced some is there, some is not, and some is torn.
    pub fn lose_power(&mut self) {
        for path in self.names.keys() {
            match path.file_name().and_then(|name| name.to_str()) {
                Some("snapshot.coming") => self.rare.saw("a node crashed while a snapshot came"),
                Some("snapshot.new") => self.rare.saw("a node crashed while a snapshot was made"),
                _ => {}
            }
        }
        let pending = std::mem::take(&mut self.pending_names);
        let kept = self.dice.below(pending.len() + 1);
        if kept < pending.len() {
            self.rare.saw("a name was lost that was not synced");
        }
        for naming in &pending[..kept] {
            naming.apply(&mut self.durable_names);
        }
        self.names = self.durable_names.clone();
        let (dice, rare) = (&mut self.dice, &self.rare);
        let is_all = dice.is_in(4);
        for content in self.contents.values_mut() {
            for change in content.pending.drain(..) {
                match dice.below(3) {
                    _ if is_all => change.apply(&mut content.durable),
                    0 => rare.saw("a write was lost that was not synced"),
                    1 => change.apply(&mut content.durable),
                    _ => {
                        rare.saw("a write was torn");
                        torn(&change, dice).apply(&mut content.durable);
                    }
                }
            }
            content.live = content.durable.clone();
        }
        self.pairs.lose_power(&mut self.dice);
        let named: std::collections::BTreeSet<Number> = self.names.values().copied().collect();
        self.contents.retain(|number, _| named.contains(number));
    }

    /// Only the process goes: the kernel still has all that was written.
    pub fn lose_process(&mut self) {
        self.pairs.lose_process(&mut self.dice);
    }
}

impl Content {
    fn settle(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }
}

/// What is left of a write of which some sectors reached the disk.
fn torn(change: &Change, dice: &mut Dice) -> Change {
    match change {
        Change::Write(at, bytes) => {
            let kept = dice.below(bytes.len() + 1);
            let kept = if dice.is_in(2) {
                kept
            } else {
                kept / SECTOR_BYTES * SECTOR_BYTES
            };
            Change::Write(*at, bytes[..kept].to_vec())
        }
        Change::SetLen(len) => Change::SetLen(*len),
    }
}
