//! Lines of the record, as an export or a file has them.

use runtime::audit::line::{FileHead, Kept};

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        if let Some((first, before)) = FileHead::read(line) {
            assert_eq!(
                FileHead::line(first, &before).trim_end(),
                line,
                "another line is taken for it"
            );
        }
        if let Some(kept) = Kept::read(line) {
            assert!(line.contains(kept.record), "the record stands in its line");
        }
    }
}
