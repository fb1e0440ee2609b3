//! What every engine must do: one suite for both.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn options(dir: &Path, kind: StoreKind) -> StoreOptions {
    StoreOptions {
        dir: dir.join("store"),
        kind,
        free_bytes: 0,
        journal_bytes: FILE_BYTES,
    }
}

fn new(kind: StoreKind) -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&options(dir.path(), kind)).unwrap();
    (dir, store)
}

fn commit(store: &Store, change: impl FnOnce(&mut Batch)) {
    let mut batch = Batch::default();
    change(&mut batch);
    let (told, answer) = std::sync::mpsc::channel();
    store
        .submit(batch, move |result| told.send(result).unwrap())
        .unwrap();
    answer.recv().unwrap().unwrap();
}

fn keys(store: &Store, from: &[u8], until: Option<&[u8]>, order: Order, limit: usize) -> String {
    let pairs = store.range(Space::Log, from, until, order, limit).unwrap();
    let keys = pairs
        .iter()
        .map(|(key, _)| String::from_utf8_lossy(key).into_owned());
    keys.collect::<Vec<_>>().join(" ")
}

/// Runs a test for each engine.
macro_rules! for_each_engine {
    ($($test:ident)*) => {
        mod sled {
            $(#[test] fn $test() { super::$test(super::StoreKind::Sled); })*
        }
        mod redb {
            $(#[test] fn $test() { super::$test(super::StoreKind::Redb); })*
        }
    };
}

for_each_engine! {
    what_was_answered_is_read_and_outlives_the_store
    a_range_is_in_order_from_either_end_and_stays_in_its_space
    long_values_come_back_whole_and_leave_nothing_behind
    a_range_of_keys_goes_away_at_once
    many_who_write_at_once_share_their_syncs
    a_second_opening_is_refused_while_the_first_lasts
    a_batch_that_no_frame_holds_is_refused
    a_closed_store_says_so
    an_engine_that_lost_what_was_settled_is_refused
    a_store_without_its_journal_is_refused
    a_damaged_frame_with_a_whole_one_behind_it_is_refused_with_its_place
    whatever_is_written_a_map_would_hold_too
}

fn reopen(dir: &TempDir, kind: StoreKind, store: Store) -> Store {
    store.close();
    drop(store);
    Store::open(&options(dir.path(), kind)).unwrap()
}

fn damage(error: &StoreError) -> String {
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    error.to_string()
}

fn what_was_answered_is_read_and_outlives_the_store(kind: StoreKind) {
    let (dir, mut store) = new(kind);
    commit(&store, |batch| {
        batch.put(Space::Meta, *b"vote", *b"1");
        batch.put(Space::Meta, *b"other", *b"2");
    });
    commit(&store, |batch| {
        batch.put(Space::Meta, *b"vote", *b"3");
        batch.delete(Space::Meta, *b"other");
    });
    for _ in 0..3 {
        assert_eq!(
            store.get(Space::Meta, b"vote").unwrap(),
            Some(b"3".to_vec())
        );
        assert_eq!(store.get(Space::Meta, b"other").unwrap(), None);
        assert_eq!(store.get(Space::Log, b"vote").unwrap(), None);
        store = reopen(&dir, kind, store);
    }
}

fn a_range_is_in_order_from_either_end_and_stays_in_its_space(kind: StoreKind) {
    let (_dir, store) = new(kind);
    commit(&store, |batch| {
        for key in ["d", "a", "c", "b"] {
            batch.put(Space::Log, key, *b"");
            batch.put(Space::Meta, key, *b"");
            batch.put(Space::Case, key, *b"");
        }
    });
    assert_eq!(keys(&store, b"", None, Order::Ascending, 10), "a b c d");
    assert_eq!(keys(&store, b"", None, Order::Descending, 10), "d c b a");
    assert_eq!(keys(&store, b"b", Some(b"d"), Order::Ascending, 10), "b c");
    assert_eq!(keys(&store, b"b", Some(b"d"), Order::Descending, 1), "c");
    assert_eq!(keys(&store, b"e", None, Order::Ascending, 10), "");
}

fn long_values_come_back_whole_and_leave_nothing_behind(kind: StoreKind) {
    let (dir, store) = new(kind);
    let long = |bytes: usize| -> Vec<u8> { (0..bytes).map(|at| at.to_le_bytes()[0]).collect() };
    let sizes = [0, 1, 4095, 4096, 4097, 300_000, 7];
    for bytes in sizes {
        commit(&store, |batch| batch.put(Space::Log, *b"long", long(bytes)));
        let found = store.get(Space::Log, b"long").unwrap();
        assert!(found == Some(long(bytes)), "{bytes}");
        let pairs = store
            .range(Space::Log, b"", None, Order::Ascending, 9)
            .unwrap();
        assert!(pairs == [(b"long".to_vec(), long(bytes))], "{bytes}");
    }
    commit(&store, |batch| {
        batch.put(Space::Log, *b"long", long(200_000));
    });
    let store = reopen(&dir, kind, store);
    assert!(store.get(Space::Log, b"long").unwrap() == Some(long(200_000)));
    commit(&store, |batch| batch.delete(Space::Log, *b"long"));
    assert_eq!(keys(&store, b"", None, Order::Ascending, 9), "");
}

fn a_range_of_keys_goes_away_at_once(kind: StoreKind) {
    let (dir, store) = new(kind);
    commit(&store, |batch| {
        for key in 0..100_u8 {
            batch.put(Space::Log, [key], vec![key; 1000]);
        }
        batch.delete_range(Space::Log, [10], [90]);
        batch.put(Space::Log, [50], *b"after");
    });
    let store = reopen(&dir, kind, store);
    let pairs = store
        .range(Space::Log, b"", None, Order::Ascending, 999)
        .unwrap();
    let left: Vec<u8> = pairs.iter().map(|(key, _)| key[0]).collect();
    let expected: Vec<u8> = (0..10).chain([50]).chain(90..100).collect();
    assert_eq!(left, expected);
}

fn many_who_write_at_once_share_their_syncs(kind: StoreKind) {
    let (_dir, store) = new(kind);
    let (told, answers) = std::sync::mpsc::channel();
    for number in 0..500_u32 {
        let mut batch = Batch::default();
        batch.put(Space::Log, number.to_be_bytes(), *b"value");
        let told = told.clone();
        store
            .submit(batch, move |result| {
                told.send((number, result.is_ok())).unwrap();
            })
            .unwrap();
    }
    drop(told);
    let order: Vec<(u32, bool)> = answers.iter().collect();
    assert!(
        order
            .iter()
            .copied()
            .eq((0..500).map(|number| (number, true)))
    );
    let counts = store.counts();
    assert_eq!(counts.batches, 500);
    assert!(counts.groups < 250, "{counts:?}");
    assert_eq!(
        store
            .range(Space::Log, b"", None, Order::Ascending, 999)
            .unwrap()
            .len(),
        500
    );
}

fn a_second_opening_is_refused_while_the_first_lasts(kind: StoreKind) {
    let (dir, store) = new(kind);
    let error = Store::open(&options(dir.path(), kind)).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    reopen(&dir, kind, store);
}

fn a_batch_that_no_frame_holds_is_refused(kind: StoreKind) {
    let (_dir, store) = new(kind);
    let mut batch = Batch::default();
    batch.put(Space::Log, *b"key", vec![0; 2 * 1024 * 1024]);
    let error = store.submit(batch, |_| ()).unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
}

fn a_closed_store_says_so(kind: StoreKind) {
    let (_dir, store) = new(kind);
    store.close();
    let error = store.submit(Batch::default(), |_| ()).unwrap_err();
    assert!(matches!(error, StoreError::Closed), "{error}");
    assert!(store.get(Space::Meta, b"key").is_err());
}

fn an_engine_that_lost_what_was_settled_is_refused(kind: StoreKind) {
    let (dir, store) = new(kind);
    let engine = dir.path().join("store").join(match kind {
        StoreKind::Sled => "sled",
        StoreKind::Redb => "redb",
    });
    commit(&store, |batch| batch.put(Space::Log, *b"key", *b"value"));
    let store = reopen(&dir, kind, store);
    store.close();
    let is_removed = std::fs::remove_file(&engine).or_else(|_| std::fs::remove_dir_all(&engine));
    assert!(is_removed.is_ok());
    let said = damage(&Store::open(&options(dir.path(), kind)).unwrap_err());
    assert!(
        said.contains("durable to frame 1") && said.contains("restore"),
        "{said}"
    );
}

fn a_store_without_its_journal_is_refused(kind: StoreKind) {
    let (dir, store) = new(kind);
    commit(&store, |batch| batch.put(Space::Log, *b"key", *b"value"));
    store.close();
    for name in ["journal.b", "journal.a"] {
        std::fs::remove_file(dir.path().join("store").join(name)).unwrap();
        damage(&Store::open(&options(dir.path(), kind)).unwrap_err());
    }
}

fn a_damaged_frame_with_a_whole_one_behind_it_is_refused_with_its_place(kind: StoreKind) {
    let (dir, store) = new(kind);
    let path = dir.path().join("store/journal.a");
    let mut whole = Vec::new();
    // What is on the disk before the engine has settled any of it: as a power cut would leave it.
    for number in 0..3_u8 {
        commit(&store, |batch| {
            batch.put(Space::Log, [number], vec![number; 100]);
        });
        whole = std::fs::read(&path).unwrap();
    }
    store.close();
    let cut = tempfile::tempdir().unwrap();
    let before = Store::open(&options(cut.path(), kind)).unwrap();
    before.close();
    let second = frame::find_all(&whole)[1].0;
    let open_with = |bytes: &[u8]| {
        std::fs::write(cut.path().join("store/journal.a"), bytes).unwrap();
        Store::open(&options(cut.path(), kind))
    };
    let mut bytes = whole.clone();
    bytes[second + frame::HEAD_BYTES + 20] ^= 1;
    let said = damage(&open_with(&bytes).unwrap_err());
    assert!(
        said.contains("journal.a") && said.contains("frame 2"),
        "{said}"
    );
    // The same at the end of the journal is a torn write, and is cut.
    let mut bytes = whole.clone();
    let third = frame::find_all(&whole)[2].0;
    bytes[third + frame::HEAD_BYTES + 20] ^= 1;
    let store = open_with(&bytes).unwrap();
    assert_eq!(
        store
            .range(Space::Log, b"", None, Order::Ascending, 9)
            .unwrap()
            .len(),
        2
    );
}

fn whatever_is_written_a_map_would_hold_too(kind: StoreKind) {
    let op = prop_oneof![
        4 => (any::<u8>(), 0..70_000_usize).prop_map(|(key, bytes)| (0, key, bytes)),
        2 => any::<u8>().prop_map(|key| (1, key, 0)),
        1 => (any::<u8>(), 0..40_usize).prop_map(|(from, count)| (2, from, count)),
        1 => Just((3, 0, 0)),
    ];
    let runs = proptest::collection::vec(op, 1..40);
    let config = ProptestConfig::with_cases(8);
    proptest!(config, |(ops in runs)| {
        let (dir, mut store) = new(kind);
        let mut model = BTreeMap::new();
        for (what, key, number) in ops {
            let until = key.saturating_add(u8::try_from(number).unwrap_or(0));
            let value = vec![key; number];
            match what {
                0 => {
                    commit(&store, |batch| batch.put(Space::Log, [key], value.clone()));
                    model.insert(vec![key], value);
                }
                1 => {
                    commit(&store, |batch| batch.delete(Space::Log, [key]));
                    model.remove(&vec![key]);
                }
                2 => {
                    commit(&store, |batch| batch.delete_range(Space::Log, [key], [until]));
                    model.retain(|at, _| at[0] < key || at[0] >= until);
                }
                _ => store = reopen(&dir, kind, store),
            }
        }
        let mut found = Pairs::new();
        loop {
            let from = found.last().map_or(vec![], |(key, _): &(Vec<u8>, _)| [&key[..], &[0]].concat());
            let more = store.range(Space::Log, &from, None, Order::Ascending, 50).unwrap();
            if more.is_empty() {
                break;
            }
            found.extend(more);
        }
        prop_assert!(found == model.into_iter().collect::<Pairs>());
    });
}
