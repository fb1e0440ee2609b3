//! What is promised of blobs.

use super::*;

fn blobs(folder: &tempfile::TempDir, limit_bytes: u64) -> Blobs {
    Blobs::open(folder.path().join("blobs"), limit_bytes).unwrap()
}

#[tokio::test]
async fn what_was_put_is_read_back_under_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = blobs(&folder, BLOB_LIMIT_BYTES);
    let blob = blobs.put_bytes(b"hello".to_vec()).await.unwrap();
    assert!(blob.to_string().starts_with("2cf24dba5fb0a30e"), "{blob}");
    assert_eq!(blobs.read_limited(&blob, 10).await.unwrap(), b"hello");
    assert_eq!(blobs.put_bytes(b"hello".to_vec()).await.unwrap(), blob);
}

#[tokio::test]
async fn a_blob_that_is_too_large_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = blobs(&folder, 4);
    let refused = blobs.put_bytes(b"hello".to_vec()).await;
    assert!(matches!(
        refused,
        Err(BlobError::TooLarge { limit_bytes: 4 })
    ));
    let left = fs::read_dir(folder.path().join("blobs/tmp"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn damaged_bytes_are_never_handed_out() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = blobs(&folder, BLOB_LIMIT_BYTES);
    let blob = blobs.put_bytes(b"hello".to_vec()).await.unwrap();
    fs::write(blobs.path(&blob), b"jello").unwrap();
    let read = blobs.read_limited(&blob, 10).await;
    assert!(matches!(read, Err(BlobError::Damaged(_))), "{read:?}");
}

#[tokio::test]
async fn only_old_blobs_that_nobody_names_are_swept() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = blobs(&folder, BLOB_LIMIT_BYTES);
    let kept = blobs.put_bytes(b"kept".to_vec()).await.unwrap();
    let gone = blobs.put_bytes(b"gone".to_vec()).await.unwrap();
    let name = kept.to_string();
    assert_eq!(
        blobs
            .sweep(|_| false, Duration::from_hours(1))
            .await
            .unwrap(),
        0
    );
    let removed = blobs
        .sweep(move |named| named == name, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(removed, 1);
    assert!(blobs.has(&kept) && !blobs.has(&gone));
}

#[tokio::test]
async fn over_their_quota_blobs_are_refused_by_its_name_until_others_go() {
    let folder = tempfile::tempdir().unwrap();
    blobs(&folder, BLOB_LIMIT_BYTES)
        .put_bytes(vec![1; 60])
        .await
        .unwrap();
    // What was there before counts too.
    let blobs = blobs(&folder, BLOB_LIMIT_BYTES);
    blobs.bound(100);
    assert_eq!(blobs.used(), None, "nobody has counted yet");
    blobs.count().unwrap();
    assert_eq!(blobs.used(), Some((60, 100)));
    let refused = blobs.put_bytes(vec![2; 41]).await.unwrap_err();
    assert!(
        refused.to_string().contains("limits.blobs_bytes"),
        "{refused}"
    );
    let kept = blobs.put_bytes(vec![2; 40]).await.unwrap();
    assert_eq!(blobs.used(), Some((100, 100)));
    // What is there already takes nothing more.
    assert_eq!(blobs.put_bytes(vec![2; 40]).await.unwrap(), kept);
    let name = kept.to_string();
    let is_named = move |named: &str| named == name;
    assert_eq!(blobs.sweep(is_named, Duration::ZERO).await.unwrap(), 1);
    assert_eq!(blobs.used(), Some((40, 100)));
    blobs.put_bytes(vec![3; 60]).await.unwrap();
}
