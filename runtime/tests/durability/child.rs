//! The child: this binary again, with a task in its environment; it says each answer on a line.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use runtime::store::{Store, StoreKind, StoreOptions};

use crate::{damage, faults, kill, model, read_only};

/// Where a child finds its task.
const TASK: &str = "DOMO_DURABILITY_TASK";
/// Batches that a child hands over before it waits for an answer.
pub const IN_FLIGHT: u64 = 8;

/// What a child is to do.
#[derive(Clone, Debug)]
pub struct Task {
    /// `store` writes batches of the model, `ledger` opens cases, `make` makes a whole ledger, `full`
    /// fills its disk, `lost-disk` loses it, `found-disk` has it back.
    pub role: &'static str,
    /// Where.
    pub dir: PathBuf,
    /// Which engine.
    pub kind: StoreKind,
    /// Which batches.
    pub seed: u64,
    /// How many at most; for `ledger` the first number, for `full` the bytes to be left free.
    pub count: u64,
}

impl Task {
    fn text(&self) -> String {
        let kind = name(self.kind);
        let dir = self.dir.to_str().unwrap();
        format!("{} {kind} {} {} {dir}", self.role, self.seed, self.count)
    }

    /// A command that runs it, behind `before`: a tracer, a shell, or nothing.
    pub fn command(&self, before: &[&str]) -> Command {
        let own = std::env::current_exe().unwrap();
        let own = own.to_str().unwrap();
        let line = [
            before,
            &[
                own,
                "--exact",
                "child::a_child_does_its_task",
                "--nocapture",
            ],
        ]
        .concat();
        let mut command = Command::new(line[0]);
        command
            .args(&line[1..])
            .env(TASK, self.text())
            .env("RUST_BACKTRACE", "0");
        command
    }

    /// Starts it, its lines being ours.
    pub fn start(&self, before: &[&str]) -> Child {
        self.command(before).stdout(Stdio::piped()).spawn().unwrap()
    }
}

pub fn name(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Sled => "sled",
        StoreKind::Redb => "redb",
    }
}

pub fn options(dir: &Path, kind: StoreKind) -> StoreOptions {
    StoreOptions {
        dir: dir.to_owned(),
        kind,
        free_bytes: 0,
        journal_bytes: runtime::store::FILE_BYTES,
    }
}

/// Without a task this is a small story of its own.
#[test]
fn a_child_does_its_task() {
    let Ok(text) = std::env::var(TASK) else {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&options(dir.path(), StoreKind::Sled)).unwrap();
        write(&store, 1, 20);
        assert!(model::Model::new(1).is_held_by(&store, 20));
        return store.close();
    };
    let words: Vec<&str> = text.splitn(5, ' ').collect();
    let [role, kind, seed, count, dir] = words[..] else {
        panic!("no task: {text}");
    };
    let kind = if kind == "sled" {
        StoreKind::Sled
    } else {
        StoreKind::Redb
    };
    let (seed, count) = (seed.parse().unwrap(), count.parse().unwrap());
    match role {
        "store" => {
            let store = Store::open(&options(Path::new(dir), kind)).unwrap();
            write(&store, seed, count);
        }
        "make" => damage::make(Path::new(dir), kind),
        "lost-disk" => read_only::run_lost(Path::new(dir), kind),
        "found-disk" => read_only::run_found(Path::new(dir), kind),
        "full" => faults::run_full(Path::new(dir), kind, count),
        _ => kill::open_cases(Path::new(dir), kind, count),
    }
    // No closing: what follows is what a death leaves.
    std::process::exit(0);
}

/// Writes the model's next batches, and says when each is answered.
fn write(store: &Store, seed: u64, count: u64) {
    let first = model::count(store) + 1;
    println!("holds {}", first - 1);
    let (told, answers) = mpsc::channel();
    let mut waiting = 0;
    for number in first..first + count {
        let told = told.clone();
        let batch = model::batch(seed, number);
        let then = move |result: Result<(), _>| told.send((number, result)).unwrap();
        store.submit(batch, then).unwrap();
        waiting += 1;
        while waiting >= IN_FLIGHT || (waiting > 0 && number + 1 == first + count) {
            let (number, result): (u64, Result<(), runtime::store::StoreError>) =
                answers.recv().unwrap();
            result.unwrap();
            println!("answered {number}");
            waiting -= 1;
        }
    }
}
