//! Bodies that come over the admin socket; the first byte chooses which.

use node::admin::wire;
use serde::de::DeserializeOwned;

pub fn run(bytes: &[u8]) {
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    match choice % 8 {
        0 => take::<wire::OpenCase>(body),
        1 => take::<Vec<wire::Document>>(body),
        2 => take::<wire::PostMessage>(body),
        3 => take::<wire::Target>(body),
        4 => take::<wire::PutHumans>(body),
        5 => take::<wire::AmendCase>(body),
        6 => take::<wire::AnswerStage>(body),
        _ => drop(wire::parse_moment_ms(&String::from_utf8_lossy(body))),
    }
}

fn take<T: DeserializeOwned>(body: &[u8]) {
    if let Err(error) = serde_json::from_slice::<T>(body) {
        super::is_readable(&error.to_string());
    }
}
