//! Posts that have left the state: found by their room, the newest first.
//!
//! # Why
//! The key is the room's name and the post's number. Numbers rise through all rooms and are never
//! used again, so what a room of the same name had before is below the first post of the present one.

use std::collections::BTreeSet;

use rules::id::CaseId;
use rules::room::{Post, RoomName, Shelved};

use super::{Archive, ArchiveError, NEWEST_FIRST, Standing, locked, record};
use crate::codec::{self, CodecError};
use crate::store::{Batch, Order, Space};

/// Posts in one batch: with the longest text each, it keeps well below what the journal takes.
const BATCH: usize = 8;
/// Posts that are looked through at once for what is to be erased.
const ERASED: usize = 64;

impl Archive {
    /// Posts of a room from number `from` on and below `before`, the newest first, at most `limit`.
    pub fn posts(
        &self,
        room: &RoomName,
        (from, before): (u64, u64),
        limit: usize,
    ) -> Result<Vec<Post>, ArchiveError> {
        let (first, until) = (key(room, from), key(room, before));
        let pairs = self
            .store
            .range(Space::Post, &first, Some(&until), NEWEST_FIRST, limit)?;
        let mut found = Vec::new();
        for (_, sealed) in pairs {
            found.push(opened(room, &sealed)?);
        }
        let recent = locked(&self.recent_posts);
        let fits = |shelved: &&Shelved| {
            shelved.room == *room && (from..before).contains(&shelved.post.number)
        };
        found.extend(
            recent
                .iter()
                .filter(fits)
                .map(|shelved| shelved.post.clone()),
        );
        drop(recent);
        found.sort_by_key(|post| std::cmp::Reverse(post.number));
        found.dedup_by_key(|post| post.number);
        found.truncate(limit);
        Ok(found)
    }

    /// Posts of whatever room behind a place, and the place of each, at most `limit` of them. Those
    /// are among them that were durable when [`Archive::flush`] last returned.
    pub fn posts_behind(
        &self,
        place: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Shelved)>, ArchiveError> {
        let mut from = place.to_vec();
        if !place.is_empty() {
            // The smallest key that is greater.
            from.push(0);
        }
        let pairs = self
            .store
            .range(Space::Post, &from, None, Order::Ascending, limit)?;
        let read = |(key, sealed): (Vec<u8>, Vec<u8>)| {
            let room = room_of(&key).ok_or_else(|| ArchiveError::Unreadable {
                why: "a post is in no room".to_owned(),
            })?;
            let post = opened(&room, &sealed)?;
            Ok((key, Shelved { room, post }))
        };
        pairs.into_iter().map(read).collect()
    }

    /// Takes posts out of a backup in; durable once [`Archive::settle`] has returned. Blocks.
    pub fn take_posts(&self, shelved: &[Shelved]) -> Result<(), ArchiveError> {
        let mut kept = locked(&self.standing);
        let mut standing = *kept;
        let batches = self.shelve(shelved, &mut standing);
        let batches = batches.map_err(|error| unwritten(&error))?;
        let last = batches.len().saturating_sub(1);
        for (number, batch) in batches.into_iter().enumerate() {
            if number == last {
                self.store.commit_now(batch)?;
            } else {
                self.store.submit_later(batch, |_| ())?;
            }
        }
        *kept = standing;
        Ok(())
    }

    /// Takes the texts out of posts that opened or amended one of these cases; says of how many.
    /// Durable when this returns. Blocks.
    pub(crate) fn erase_posts(&self, cases: &BTreeSet<CaseId>) -> Result<u64, ArchiveError> {
        let mut kept = self.settled()?;
        let (mut count, mut place) = (0, Vec::new());
        loop {
            let page = self.posts_behind(&place, ERASED)?;
            let Some((last, _)) = page.last() else {
                drop(kept);
                self.flush()?;
                return Ok(count);
            };
            place.clone_from(last);
            let (mut standing, mut batch) = (*kept, Batch::default());
            for (_, mut shelved) in page {
                let is_of = shelved.post.case.is_some_and(|case| cases.contains(&case));
                if !is_of || shelved.post.is_erased() {
                    continue;
                }
                let (key, before) = pair(&shelved).map_err(|error| unwritten(&error))?;
                standing.holdings.remove_post(&key, &before);
                shelved.post.erase();
                let (key, after) = pair(&shelved).map_err(|error| unwritten(&error))?;
                let mut alone = Batch::default();
                alone.put(Space::Post, key.clone(), after.clone());
                standing.holdings.add(&alone);
                batch.put(Space::Post, key, after);
                count += 1;
            }
            if !batch.is_empty() {
                record::put_standing(&mut batch, &standing).map_err(|error| unwritten(&error))?;
                self.store.submit_later(batch, |_| ())?;
                *kept = standing;
            }
        }
    }

    /// How many there are.
    pub fn post_count(&self) -> u64 {
        locked(&self.standing).holdings.post_count()
    }

    /// The batches that archive posts, each with the standing that belongs to it.
    pub(super) fn shelve(
        &self,
        shelved: &[Shelved],
        standing: &mut Standing,
    ) -> Result<Vec<Batch>, CodecError> {
        let mut batches = Vec::new();
        for some in shelved.chunks(BATCH) {
            let mut batch = Batch::default();
            for one in some {
                let (key, value) = pair(one)?;
                let mut alone = Batch::default();
                alone.put(Space::Post, key.clone(), value.clone());
                if !self.is_post_copied(&key, one.post.number, standing) {
                    standing.holdings.add(&alone);
                }
                batch.put(Space::Post, key, value);
            }
            standing.of_next += some.len() as u64;
            record::put_standing(&mut batch, standing)?;
            batches.push(batch);
        }
        Ok(batches)
    }

    /// Whether a post came from another node before the entry that shelved it.
    fn is_post_copied(&self, key: &[u8], number: u64, standing: &mut Standing) -> bool {
        if number > standing.posts_copied_to {
            return false;
        }
        let found = self.store.get(Space::Post, key);
        // Where the store does not say, all is counted anew at the next opening.
        standing.is_copying |= found.is_err();
        found.is_ok_and(|found| found.is_some())
    }
}

fn unwritten(error: &CodecError) -> ArchiveError {
    ArchiveError::Unreadable {
        why: error.to_string(),
    }
}

fn opened(room: &RoomName, sealed: &[u8]) -> Result<Post, ArchiveError> {
    codec::decode(codec::POST, sealed).map_err(|error| {
        let why = format!("a post of room {room}: {error}");
        ArchiveError::Unreadable { why }
    })
}

/// What a post is kept under, and as what.
fn pair(Shelved { room, post }: &Shelved) -> Result<(Vec<u8>, Vec<u8>), CodecError> {
    let sealed = codec::encode(codec::POST, post)?;
    Ok((key(room, post.number), sealed))
}

/// Names of rooms hold no byte below `-`, so no room's keys lie among another's.
fn key(room: &RoomName, number: u64) -> Vec<u8> {
    [room.to_string().as_bytes(), &[0], &number.to_be_bytes()].concat()
}

fn room_of(key: &[u8]) -> Option<RoomName> {
    let name = key.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(name).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rules::id::CaseId;
    use rules::room::{Persona, Post, RoomName, Shelved, Speaker};

    use super::super::Archive;
    use crate::archive::Part;
    use crate::store::{Batch, Store, StoreError, StoreKind, StoreOptions};

    fn open(dir: &tempfile::TempDir) -> Archive {
        let options = StoreOptions {
            dir: dir.path().join("store"),
            kind: StoreKind::Sled,
            free_bytes: 0,
            journal_bytes: crate::store::FILE_BYTES,
        };
        Archive::open(Store::open(&options).unwrap()).unwrap()
    }

    fn reopen(dir: &tempfile::TempDir, archive: Archive) -> Archive {
        archive.store.close();
        drop(archive);
        open(dir)
    }

    fn room(name: &str) -> RoomName {
        name.parse().unwrap()
    }

    fn shelved(name: &str, number: u64) -> Shelved {
        Shelved {
            room: room(name),
            post: Post {
                number,
                index: number * 10,
                wall_ms: 0,
                by: Speaker::Persona(Persona::Manager),
                text: format!("post {number}"),
                attachments: Vec::new(),
                answers: None,
                case: None,
                heard_by: Vec::new(),
            },
        }
    }

    fn settle(archive: &Archive) {
        let (told, durable) = std::sync::mpsc::channel();
        let then = move |result: Result<(), StoreError>| told.send(result).unwrap();
        archive.store.submit(Batch::default(), then).unwrap();
        durable.recv().unwrap().unwrap();
    }

    fn numbers(archive: &Archive, name: &str, range: (u64, u64), limit: usize) -> Vec<u64> {
        let posts = archive.posts(&room(name), range, limit).unwrap();
        posts.iter().map(|post| post.number).collect()
    }

    #[test]
    fn posts_are_found_by_their_room_before_and_after_an_opening() {
        let dir = tempfile::tempdir().unwrap();
        let mut archive = open(&dir);
        for number in 1..=20 {
            let name = ["sre", "sre-2", "ann@sre"][usize::try_from(number).unwrap() % 3];
            let posts = vec![shelved(name, number)];
            archive.add(number, Vec::new(), posts).unwrap();
        }
        for _ in 0..2 {
            assert_eq!(
                numbers(&archive, "sre", (0, u64::MAX), 99),
                [18, 15, 12, 9, 6, 3]
            );
            assert_eq!(numbers(&archive, "sre", (6, 15), 2), [12, 9]);
            assert_eq!(numbers(&archive, "ann@sre", (0, 9), 99), [8, 5, 2]);
            assert_eq!(archive.post_count(), 20);
            settle(&archive);
            archive = reopen(&dir, archive);
        }
    }

    #[test]
    fn what_a_replay_shelves_again_is_counted_once() {
        let dir = tempfile::tempdir().unwrap();
        let archive = open(&dir);
        let posts: Vec<Shelved> = (1..=20).map(|number| shelved("sre", number)).collect();
        archive.add(7, Vec::new(), posts.clone()).unwrap();
        archive.add(7, Vec::new(), posts).unwrap();
        settle(&archive);
        let archive = reopen(&dir, archive);
        assert_eq!(archive.post_count(), 20);
    }

    #[test]
    fn a_death_in_the_middle_of_an_entry_s_posts_loses_and_doubles_none() {
        let dir = tempfile::tempdir().unwrap();
        let archive = open(&dir);
        let posts: Vec<Shelved> = (1..=20).map(|number| shelved("sre", number)).collect();
        let mut standing = *super::locked(&archive.standing);
        let batches = archive.shelve(&posts, &mut standing).unwrap();
        assert!(batches.len() > 2, "the posts are in more than two batches");
        let first = batches.into_iter().next().unwrap();
        archive.store.submit(first, |_| ()).unwrap();
        settle(&archive);
        let archive = reopen(&dir, archive);
        archive.add(7, Vec::new(), posts).unwrap();
        settle(&archive);
        let archive = reopen(&dir, archive);
        assert_eq!(archive.post_count(), 20);
        let wanted: Vec<u64> = (1..=20).rev().collect();
        assert_eq!(numbers(&archive, "sre", (0, 99), 99), wanted);
    }

    #[tokio::test]
    async fn posts_from_another_node_are_counted_once_though_their_entries_come_later() {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [one, other] = dirs.each_ref().map(open);
        for number in 1..=5 {
            let posts = vec![shelved("sre", number)];
            one.add(number, Vec::new(), posts).unwrap();
        }
        settle(&one);
        for part in Part::ALL {
            let pairs = one.pairs(part, &[], usize::MAX).unwrap();
            other.take_pairs(part, pairs).await.unwrap();
        }
        other.recount().unwrap();
        other.add(4, Vec::new(), vec![shelved("sre", 4)]).unwrap();
        other.add(6, Vec::new(), vec![shelved("sre", 6)]).unwrap();
        settle(&other);
        let other = reopen(&dirs[1], other);
        assert_eq!(other.post_count(), 6);
        assert_eq!(numbers(&other, "sre", (0, 99), 99), [6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn posts_of_an_erased_case_are_without_their_texts_and_counted_on() {
        let dir = tempfile::tempdir().unwrap();
        let archive = open(&dir);
        let of_case = |number: u64| {
            let mut one = shelved("sre", number);
            one.post.case = Some(CaseId(number % 2));
            one
        };
        archive
            .add(1, Vec::new(), (1..=9).map(of_case).collect())
            .unwrap();
        let cases = BTreeSet::from([CaseId(0)]);
        assert_eq!(archive.erase_posts(&cases).unwrap(), 4);
        assert_eq!(archive.erase_posts(&cases).unwrap(), 0, "once is enough");
        settle(&archive);
        let archive = reopen(&dir, archive);
        assert_eq!(archive.post_count(), 9);
        for post in archive.posts(&room("sre"), (0, 99), 99).unwrap() {
            assert_eq!(post.is_erased(), post.number % 2 == 0, "{post:?}");
        }
    }

    #[test]
    fn an_archive_that_lacks_a_post_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let archive = open(&dir);
        archive.add(1, Vec::new(), vec![shelved("sre", 1)]).unwrap();
        settle(&archive);
        let mut batch = Batch::default();
        batch.delete(crate::store::Space::Post, super::key(&room("sre"), 1));
        archive.store.submit(batch, |_| ()).unwrap();
        settle(&archive);
        archive.store.close();
        drop(archive);
        let options = StoreOptions {
            dir: dir.path().join("store"),
            kind: StoreKind::Sled,
            free_bytes: 0,
            journal_bytes: crate::store::FILE_BYTES,
        };
        let refused = Archive::open(Store::open(&options).unwrap()).unwrap_err();
        assert!(
            refused.to_string().contains("must hold 0 closed cases"),
            "{refused}"
        );
    }
}
