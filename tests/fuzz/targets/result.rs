//! What an agent leaves as its result.

use runtime::redact::redacted;
use runtime::spool::result::{from_text, parse};

pub fn run(bytes: &[u8]) {
    match parse("result.json", bytes) {
        Ok(result) => drop(result.redacted()),
        Err(bad) => super::is_readable(&bad.to_string()),
    }
    let text = String::from_utf8_lossy(bytes);
    drop(from_text(&text));
    let once = redacted(text.into_owned());
    assert_eq!(redacted(once.clone()), once, "redacted twice");
}
