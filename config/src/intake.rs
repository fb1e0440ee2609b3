//! Bytes from outside: never more than a limit, then UTF-8 or a complaint.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::measure::show_bytes;
use crate::mistake::Wrong;

/// Reads what a person named on the command line: a file or a pipe, of at most `limit_bytes`.
pub(crate) fn read(path: &Path, what: &str, limit_bytes: u64) -> Result<Vec<u8>, Wrong> {
    let unreadable = |error: std::io::Error| Wrong::Unreadable(error.to_string());
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(Wrong::Unreadable("it is a folder".to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(limit_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    check_len(&bytes, what, limit_bytes)?;
    Ok(bytes)
}

/// Complains about more bytes than the limit.
pub(crate) fn check_len(bytes: &[u8], what: &str, limit_bytes: u64) -> Result<(), Wrong> {
    if bytes.len() as u64 > limit_bytes {
        return Err(Wrong::TooLarge {
            what: what.to_owned(),
            limit: show_bytes(limit_bytes),
        });
    }
    Ok(())
}

/// Reads bytes as UTF-8 and drops a byte-order mark; says what else it may be.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Wrong> {
    let hint = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => " (it looks like UTF-16: save it as UTF-8)",
        _ => "",
    };
    let text = std::str::from_utf8(bytes).map_err(|error| Wrong::NotUtf8 {
        offset: error.valid_up_to(),
        hint,
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_byte_order_mark_is_dropped_and_another_encoding_is_named() {
        assert_eq!(text(b"\xef\xbb\xbfa"), Ok("a"));
        let wrong = text(b"\xff\xfea\0").unwrap_err().to_string();
        assert!(wrong.contains("UTF-16"), "{wrong}");
        let wrong = text(b"ab\xc3(").unwrap_err().to_string();
        assert!(wrong.contains("offset 2"), "{wrong}");
    }
}
