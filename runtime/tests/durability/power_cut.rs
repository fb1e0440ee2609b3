//! A power cut at any moment loses nothing that was answered, whatever of the rest the disk kept.

use std::fs;
use std::path::Path;

use runtime::store::{Store, StoreKind};

use crate::child::{self, IN_FLIGHT, Task};
use crate::image::{self, Cut, Disk};
use crate::long::Long;
use crate::model::{self, Model};
use crate::trace::{self, Step};

/// Cuts of each engine in a landing.
const SLICE: u64 = 60;
/// Batches of each of a writer's lives; it has three, and is killed at the end of each.
const BATCHES: u64 = 1000;

/// Lets a writer live three times under a tracer.
fn record(dir: &Path, kind: StoreKind, seed: u64) -> Vec<Step> {
    let folder = dir.join("store");
    let mut steps = vec![Step::MakeFolder(folder.to_str().unwrap().to_owned())];
    fs::create_dir(&folder).unwrap();
    for life in 0..3 {
        let task = Task {
            role: "store",
            dir: folder.clone(),
            kind,
            seed,
            count: BATCHES,
        };
        let into = dir.join(format!("trace{life}"));
        let tracer = trace::tracer(&into);
        let before: Vec<&str> = tracer.iter().map(String::as_str).collect();
        let output = task.command(&before).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "the writer ended with {}: {said}",
            output.status
        );
        let text = fs::read_to_string(&into).unwrap();
        steps.extend(trace::read(&text, folder.to_str().unwrap()));
    }
    steps
}

fn cut(kind: StoreKind) {
    trace::demand_tracer();
    let dir = tempfile::tempdir().unwrap();
    let seed = 11;
    let steps = record(dir.path(), kind, seed);
    let folder = dir.path().join("store");
    let folder = folder.to_str().unwrap();
    let mut model = Model::new(seed);
    for one in Long::of(&format!("power-cuts-{}", child::name(kind)), SLICE) {
        let (number, mut dice) = (one.number, one.dice);
        let at = dice.place(steps.len()) + 1;
        let cut = [Cut::Nothing, Cut::Unsynced, Cut::Some, Cut::Torn][dice.place(4)];
        let what = format!(
            "{}, cut {number} ({cut:?}) after step {at}",
            child::name(kind)
        );
        let disk = Disk::after(&steps[..at]);
        let image = image::folder();
        disk.write(folder, image.path(), cut, &mut dice);
        let store = Store::open(&child::options(image.path(), kind))
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let count = model::count(&store);
        let answered = disk.answered;
        assert!(
            count >= answered,
            "{what}: {answered} were answered, {count} are there"
        );
        assert!(
            count <= answered + 2 * IN_FLIGHT,
            "{what}: {count} after {answered}"
        );
        assert!(
            model.is_held_by(&store, count),
            "{what}: not what {count} batches leave"
        );
        store.close();
    }
}

#[test]
fn sled_keeps_what_was_answered_through_power_cuts() {
    cut(StoreKind::Sled);
}

#[test]
fn redb_keeps_what_was_answered_through_power_cuts() {
    cut(StoreKind::Redb);
}
