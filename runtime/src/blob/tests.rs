//! What is promised of blobs.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

fn blobs() -> (TempDir, Blobs) {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open_keeping(dir.path(), 0).unwrap();
    (dir, blobs)
}

async fn put(blobs: &Blobs, bytes: &[u8]) -> BlobRef {
    let source = io::Cursor::new(bytes.to_vec());
    blobs.put(source, &Allowance::default()).await.unwrap()
}

fn incoming(dir: &TempDir) -> usize {
    fs::read_dir(dir.path().join("incoming")).unwrap().count()
}

#[tokio::test]
async fn what_was_put_is_given_back_under_the_name_of_its_bytes() {
    let (dir, blobs) = blobs();
    let long: Vec<u8> = (0..CHUNK_BYTES * 2 + 17)
        .map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1])
        .collect();
    for bytes in [&b""[..], b"a", &long] {
        let blob = put(&blobs, bytes).await;
        assert_eq!(blob.sha256, <[u8; 32]>::from(Sha256::digest(bytes)));
        assert_eq!(blobs.read_limited(&blob, u64::MAX).await.unwrap(), bytes);
        let in_memory = blobs
            .put_bytes(bytes.to_vec(), &Allowance::default())
            .await
            .unwrap();
        assert_eq!(in_memory, blob);
    }
    assert_eq!(incoming(&dir), 0);
}

#[tokio::test]
async fn bytes_that_are_here_already_are_not_written_again() {
    let (_dir, blobs) = blobs();
    let blob = put(&blobs, b"once").await;
    let inode = || fs::metadata(blobs.0.place(&blob)).unwrap().ino();
    let before = inode();
    put(&blobs, b"once").await;
    assert_eq!(inode(), before);
}

#[tokio::test]
async fn more_than_is_allowed_is_refused_by_the_limits_name_and_leaves_nothing() {
    let (dir, blobs) = blobs();
    let allowance = Allowance {
        limit: "blob bytes of team sre".to_owned(),
        left_bytes: 10,
    };
    for _ in 0..2 {
        let source = io::Cursor::new(vec![1; 11]);
        let error = blobs.put(source, &allowance).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "limit blob bytes of team sre = 10 bytes is reached"
        );
        let error = blobs.put_bytes(vec![1; 11], &allowance).await.unwrap_err();
        assert!(
            matches!(error, BlobError::TooLarge { max: 10, .. }),
            "{error}"
        );
    }
    assert_eq!(incoming(&dir), 0);
}

#[tokio::test]
async fn a_damaged_blob_is_never_given_and_can_be_handed_over_again() {
    let (_dir, blobs) = blobs();
    let blob = put(&blobs, b"the truth and nothing else").await;
    for damaged in [
        &b"the truth and nothing elsf"[..],
        b"the truth",
        b"the truth and nothing else at all",
    ] {
        fs::write(blobs.0.place(&blob), damaged).unwrap();
        let error = blobs.read_limited(&blob, 100).await.unwrap_err();
        assert!(
            matches!(error, BlobError::Damaged(found) if found == blob),
            "{error}"
        );
        assert!(!blobs.has(&blob));
        assert_eq!(put(&blobs, b"the truth and nothing else").await, blob);
        assert!(blobs.read_limited(&blob, 100).await.is_ok());
    }
}

#[tokio::test]
async fn a_missing_blob_is_said_to_be_missing() {
    let (_dir, blobs) = blobs();
    let blob = BlobRef {
        sha256: [7; 32],
        bytes: 1,
    };
    assert!(!blobs.has(&blob));
    let error = blobs.read_limited(&blob, 100).await.unwrap_err();
    assert!(matches!(error, BlobError::Missing(_)), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_said_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open_keeping(dir.path(), u64::MAX).unwrap();
    let error = blobs
        .put_bytes(vec![1], &Allowance::default())
        .await
        .unwrap_err();
    assert!(matches!(error, BlobError::DiskFull { .. }), "{error}");
    assert_eq!(incoming(&dir), 0);
}

#[tokio::test]
async fn what_a_cut_off_put_left_is_cleared_at_the_next_opening() {
    let (dir, blobs) = blobs();
    let blob = put(&blobs, b"whole").await;
    fs::write(dir.path().join("incoming/9"), b"hal").unwrap();
    let again = Blobs::open_keeping(dir.path(), 0).unwrap();
    assert_eq!(incoming(&dir), 0);
    assert!(again.has(&blob));
}

#[tokio::test]
async fn what_nothing_names_is_removed_once_it_is_old_and_what_is_named_stays() {
    let (_dir, blobs) = blobs();
    let (named, other) = (put(&blobs, b"named").await, put(&blobs, b"other").await);
    let day = Duration::from_hours(24);
    let swept = blobs.sweep(|_| false, day).await.unwrap();
    assert_eq!((swept.kept, swept.removed), (2, 0));
    let swept = blobs
        .sweep(move |blob| *blob == named, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!((swept.kept, swept.removed, swept.removed_bytes), (1, 1, 5));
    assert!(blobs.has(&named) && !blobs.has(&other));
}

#[tokio::test]
async fn a_blob_from_before_the_start_is_left_alone_for_a_while() {
    let (dir, blobs) = blobs();
    let blob = put(&blobs, b"on its way to an entry").await;
    let again = Blobs::open_keeping(dir.path(), 0).unwrap();
    let file = fs::File::open(again.0.place(&blob)).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    let swept = again
        .sweep(|_| false, Duration::from_hours(1))
        .await
        .unwrap();
    assert_eq!((swept.kept, swept.removed), (1, 0));
}
