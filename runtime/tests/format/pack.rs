//! A folder in one file, without the zeros that most of a journal consists of.
//!
//! ```text
//! path length, path, file length, { block number, bytes of the block }…, end │ …
//! ```

use std::fs;
use std::path::{Path, PathBuf};

/// What is kept or left out at once.
const BLOCK: usize = 512;
/// Behind the last block of a file.
const END: u64 = u64::MAX;

/// Packs a folder.
pub fn pack(folder: &Path) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut paths = Vec::new();
    walk(folder, &mut paths);
    paths.sort();
    for path in paths {
        let bytes = fs::read(&path).unwrap();
        let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
        number(&mut packed, name.len() as u64);
        packed.extend(name.as_bytes());
        number(&mut packed, bytes.len() as u64);
        for (at, block) in bytes.chunks(BLOCK).enumerate() {
            if block.iter().any(|byte| *byte != 0) {
                number(&mut packed, at as u64);
                packed.extend(block);
            }
        }
        number(&mut packed, END);
    }
    packed
}

/// Unpacks it into another folder.
pub fn unpack(mut packed: &[u8], folder: &Path) {
    let packed = &mut packed;
    while !packed.is_empty() {
        let length = usize::try_from(take(packed)).unwrap();
        let name = std::str::from_utf8(cut(packed, length)).unwrap();
        let path = folder.join(name);
        let mut bytes = vec![0; usize::try_from(take(packed)).unwrap()];
        loop {
            let at = take(packed);
            if at == END {
                break;
            }
            let from = usize::try_from(at).unwrap() * BLOCK;
            let until = bytes.len().min(from + BLOCK);
            bytes[from..until].copy_from_slice(cut(packed, until - from));
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

fn number(into: &mut Vec<u8>, number: u64) {
    into.extend(number.to_le_bytes());
}

fn take(from: &mut &[u8]) -> u64 {
    u64::from_le_bytes(cut(from, 8).try_into().unwrap())
}

fn cut<'a>(from: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (first, rest) = from.split_at(length);
    *from = rest;
    first
}
