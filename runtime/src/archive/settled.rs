//! What was handed over to the store is waited for: before it is changed, and before a snapshot from
//! elsewhere jumps over the entries that it came with.

use std::sync::MutexGuard;
use std::time::Duration;

use super::{Archive, ArchiveError, STANDING, Standing, copy, locked};
use crate::store::Batch;

/// How long the disk may take while others wait for the archive.
const UNDER_LOCK: Duration = Duration::from_secs(2);

impl Archive {
    /// Makes durable what was handed over, before a snapshot from elsewhere takes the place of the
    /// state: entries that it jumps over are not replayed. Blocks.
    pub(crate) fn before_jump(&self) -> Result<(), ArchiveError> {
        self.flush()?;
        let mut kept = locked(&self.standing);
        if kept.of_next == 0 {
            return Ok(());
        }
        // A death left a part of an entry here that will not come again, or comes again whole where
        // the snapshot is lost: its cases are counted anew then.
        let standing = Standing {
            of_next: 0,
            is_copying: true,
            ..*kept
        };
        let mut batch = Batch::default();
        copy::put_standing(&mut batch, &standing)?;
        self.store.submit_later(batch, |_| ())?;
        *kept = standing;
        drop(kept);
        self.flush()
    }

    /// How far the archive is, when all that was handed over can be read from the store; nothing is
    /// handed over until it is let go of. Blocks.
    ///
    /// The disk may take as long as it likes before the lock is taken, and not while it is held: those
    /// who only read wait for it.
    pub(super) fn settled(&self) -> Result<MutexGuard<'_, Standing>, ArchiveError> {
        self.flush()?;
        // What is durable is readable only once the engine has it, which the disk may refuse too.
        self.store.get(STANDING.0, STANDING.1)?;
        let kept = locked(&self.standing);
        self.store.see_within(UNDER_LOCK)?;
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use rules::id::CaseId;

    use super::super::tests::{add_all, closed_cases, listed, open, reopen};
    use super::super::{Archive, record};
    use super::*;

    /// An archive with the first of an entry's cases, as a death between two batches leaves it.
    fn half_an_entry(dir: &tempfile::TempDir, entry: u64) -> (Archive, Vec<rules::case::Case>) {
        let archive = open(dir);
        let cases = closed_cases(4);
        let mut standing = Standing::default();
        let (_, mut batch) = record::put(&cases[0]).unwrap();
        standing.holdings.add(&batch);
        (standing.through, standing.count, standing.of_next) = (entry - 1, 1, 1);
        record::put_standing(&mut batch, &standing).unwrap();
        archive.store.commit_now(batch).unwrap();
        (reopen(dir, archive), cases)
    }

    #[test]
    fn a_snapshot_that_jumps_over_half_of_an_entry_has_none_of_the_next_one_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let (archive, cases) = half_an_entry(&dir, 10);
        archive.before_jump().unwrap();
        archive.add(50, cases[2..].to_vec(), Vec::new()).unwrap();
        let archive = reopen(&dir, archive);
        assert_eq!((archive.count(), listed(&archive)), (3, vec![4, 3, 1]));
    }

    #[test]
    fn a_jump_that_a_death_prevented_leaves_each_case_there_once() {
        let dir = tempfile::tempdir().unwrap();
        let (archive, cases) = half_an_entry(&dir, 10);
        archive.before_jump().unwrap();
        let archive = reopen(&dir, archive);
        archive.add(10, cases[..2].to_vec(), Vec::new()).unwrap();
        let archive = reopen(&dir, archive);
        assert_eq!((archive.count(), listed(&archive)), (2, vec![2, 1]));
    }

    #[test]
    fn what_is_closed_while_an_archive_is_only_looked_at_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let archive = open(&dir);
        archive.close();
        archive.add(10, closed_cases(2), Vec::new()).unwrap();
        let archive = reopen(&dir, archive);
        assert_eq!((archive.count(), listed(&archive)), (0, Vec::new()));
    }

    #[test]
    fn who_reads_does_not_wait_for_a_disk_that_an_erasure_waits_for() {
        let dir = tempfile::tempdir().unwrap();
        let archive = Arc::new(open(&dir));
        add_all(&archive, &closed_cases(2));
        let stuck = archive.store.hold_up();
        let erasing = {
            let archive = Arc::clone(&archive);
            thread::spawn(move || archive.erase(CaseId(1)))
        };
        archive.store.until_waited_for();
        // Cases go on to be closed meanwhile, and are seen.
        archive
            .add(90, closed_cases(3).split_off(2), Vec::new())
            .unwrap();
        assert_eq!((archive.count(), listed(&archive)), (3, vec![3, 2, 1]));
        assert!(!erasing.is_finished());
        drop(stuck);
        assert!(erasing.join().unwrap().unwrap());
        let case = archive.case(CaseId(1)).unwrap().unwrap();
        assert!(case.is_erased(), "{case:?}");
    }
}
