//! What a file really is, by its bytes: its name says nothing that can be relied on.
//!
//! # Invariant
//! A packed file that is let through unpacks to at most [`MOST_UNPACKED_BYTES`], and promises its
//! reader no more strings than it has bytes: a reader may believe it.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::measure::show_bytes;
use crate::mistake::Wrong;

use super::{MOST_UNPACKED_BYTES, refused};

/// More parts than this has no workbook that people made.
const MOST_PARTS: usize = 4_096;

/// What can be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A workbook of `.xlsx`.
    Workbook,
    /// Text, perhaps CSV.
    Text,
}

/// Says what the bytes are, or why they cannot be read.
pub(super) fn of(bytes: &[u8]) -> Result<Kind, Wrong> {
    match bytes {
        [] => Err(refused("the file is empty")),
        [b'P', b'K', 3 | 5 | 7, ..] => packed(bytes),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Err(compound(bytes)),
        _ => text(bytes),
    }
}

/// A workbook that is encrypted, or one of the old kind: both are the same kind of file outside.
fn compound(bytes: &[u8]) -> Wrong {
    let wide: Vec<u8> = "EncryptedPackage"
        .bytes()
        .flat_map(|byte| [byte, 0])
        .collect();
    if contains(bytes, &wide) {
        return refused(
            "the workbook is protected with a password: save a copy without one, or as CSV",
        );
    }
    refused("this is an old .xls workbook or another Office file: save it as .xlsx or as CSV")
}

fn text(bytes: &[u8]) -> Result<Kind, Wrong> {
    let head = &bytes[..bytes.len().min(512)];
    let begins = |mark: &str| {
        let trimmed = head.trim_ascii_start();
        trimmed.len() >= mark.len() && trimmed[..mark.len()].eq_ignore_ascii_case(mark.as_bytes())
    };
    if ["<html", "<!doctype", "<?xml", "<table"]
        .iter()
        .any(|mark| begins(mark))
    {
        return Err(refused(
            "this is a web page or XML, whatever its name says: open it in a spreadsheet program and save it as .xlsx or as CSV",
        ));
    }
    let is_wide = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    if !is_wide && bytes.contains(&0) {
        return Err(refused(
            "this is no spreadsheet: .xlsx and CSV files are read",
        ));
    }
    Ok(Kind::Text)
}

/// Unpacks all of it into nothing, counting: what the file says of its sizes is not believed.
fn packed(bytes: &[u8]) -> Result<Kind, Wrong> {
    let damaged =
        |error: &dyn std::fmt::Display| Wrong::Refused(format!("the file is damaged: {error}"));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let has = |part: &str| archive.index_for_name(part).is_some();
    if !has("xl/workbook.xml") {
        let what = if has("content.xml") {
            "this is an OpenDocument file"
        } else if has("xl/workbook.bin") {
            "this is a binary workbook (.xlsb)"
        } else {
            "this is a packed file (ZIP), but no spreadsheet"
        };
        return Err(Wrong::Refused(format!(
            "{what}: save it as .xlsx or as CSV"
        )));
    }
    if archive.len() > MOST_PARTS {
        return Err(Wrong::TooLarge {
            what: "the number of parts of the workbook".to_owned(),
            limit: MOST_PARTS.to_string(),
        });
    }
    let mut left = MOST_UNPACKED_BYTES;
    let mut part = Vec::new();
    for index in 0..archive.len() {
        part.clear();
        let file = archive.by_index(index).map_err(|error| damaged(&error))?;
        let read = file.take(left + 1).read_to_end(&mut part);
        read.map_err(|error| damaged(&error))?;
        left = left
            .checked_sub(part.len() as u64)
            .ok_or_else(|| Wrong::TooLarge {
                what: "the workbook, unpacked,".to_owned(),
                limit: show_bytes(MOST_UNPACKED_BYTES),
            })?;
        if promised(&part) > part.len() as u64 {
            return Err(refused(
                "the file is damaged: it promises more strings than it has bytes",
            ));
        }
    }
    Ok(Kind::Workbook)
}

/// The largest number of strings that a part claims to have.
fn promised(part: &[u8]) -> u64 {
    const CLAIM: &[u8] = b"uniqueCount";
    let mut most = 0;
    let mut rest = part;
    while let Some(at) = find(rest, CLAIM) {
        rest = &rest[at + CLAIM.len()..];
        let digits = rest
            .iter()
            .skip_while(|byte| {
                byte.is_ascii_whitespace() || matches!(byte, b'=' | b'"' | b'\'' | b'+')
            })
            .take_while(|byte| byte.is_ascii_digit());
        let claim = digits.fold(0_u64, |sum, digit| {
            sum.saturating_mul(10)
                .saturating_add(u64::from(digit - b'0'))
        });
        most = most.max(claim);
    }
    most
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    find(bytes, what).is_some()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let first = what.first()?;
    let mut from = 0;
    while let Some(step) = bytes[from..].iter().position(|byte| byte == first) {
        if bytes[from + step..].starts_with(what) {
            return Some(from + step);
        }
        from += step + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{find, promised};

    #[test]
    fn claims_are_found_however_they_are_written() {
        assert_eq!(promised(b"<sst uniqueCount=\"12\" count='3'>"), 12);
        assert_eq!(
            promised(b"<sst uniqueCount = '99999999999999999999999'>"),
            u64::MAX
        );
        assert_eq!(promised(b"<sst>"), 0);
        assert_eq!(find(b"aab", b"ab"), Some(1));
    }
}
