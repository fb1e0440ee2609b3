//! `domo apply -f`: one YAML file with any number of documents.

use config::document::{Bundle, Known, Source, load};

/// What there is to name.
const KNOWN: Known<'_> = Known { kernels: &["cli"] };

pub fn run(bytes: &[u8]) {
    let files = [("t.yaml".to_owned(), bytes.into())].into();
    let bundle = Bundle {
        documents: vec!["t.yaml".to_owned()],
        files,
    };
    match load(Source::Bundle(&bundle), &KNOWN) {
        Ok(loaded) => assert!(!loaded.documents.is_empty(), "nothing is no description"),
        Err(mistakes) => super::is_readable(&mistakes.to_string()),
    }
}
