//! Bytes that outlived a process: the envelope, and what is read out of it without one.

use rules::{Proposal, State};
use runtime::codec::{self, Form};

pub fn run(bytes: &[u8]) {
    let forms: [Form; 4] = [
        codec::RECORD,
        codec::VOTE,
        codec::SNAPSHOT_PIECE,
        codec::CASE_PIECE,
    ];
    for form in forms {
        if let Err(error) = codec::decode::<Vec<u8>>(form, bytes) {
            super::is_readable(&error.to_string());
        }
    }
    if let Ok(proposal) = codec::decode_body::<Proposal>(bytes) {
        let again =
            codec::encode(codec::RECORD, &proposal).expect("it was read, so it can be written");
        let read = codec::decode::<Proposal>(codec::RECORD, &again);
        assert_eq!(
            read.ok().as_ref(),
            Some(&proposal),
            "written otherwise than read"
        );
    }
    drop(codec::decode_body::<State>(bytes));
}
