//! The fuzz targets: each takes any bytes, and panics where a promise about what they are is broken.
//!
//! | target | what stands outside | what is promised |
//! |---|---|---|
//! | documents | whoever writes YAML for `domo apply` | taken, or mistakes in words, few enough to read |
//! | settings | who writes the node's TOML | likewise |
//! | roster | whoever sends a spreadsheet | likewise, and nobody is in it twice |
//! | result | an agent's `result.json` | taken, or one sentence; what is redacted once is redacted |
//! | requests | whoever speaks to the admin socket | taken or not, never a panic |
//! | peers | what comes over the links of a node | answered or dropped; the ledger goes on |
//! | envelopes | files that outlived a disk | whole, or an error; never a value from torn bytes |
//! | records | a record's export | a line is itself, or none |
//! | plans | whoever writes a plan for `domo chaos run` | taken, or mistakes in words |
//! | policy | an organisation's own policy | taken, or faults in words |
//! | talk | what people and agents write | read alike twice, and no name that is none |
//! | cluster | `kubectl get … -o json` for the example's agents | an answer or a failure, in words |

mod cluster;
mod documents;
mod envelopes;
mod peers;
mod plans;
mod policy;
mod records;
mod requests;
mod result;
mod roster;
mod settings;
mod talk;

/// Something that takes bytes from outside.
pub struct Target {
    /// Its name, and that of its folder of kept inputs.
    pub name: &'static str,
    /// Puts bytes to it.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        [$(Target { name: stringify!($name), run: $name::run }),+]
    };
}

/// All of them.
pub const TARGETS: [Target; 12] = targets![
    cluster, documents, envelopes, peers, plans, policy, records, requests, result, roster,
    settings, talk,
];

/// A refusal that a person can read: some words, and not a book.
fn is_readable(words: &str) {
    assert!(!words.trim().is_empty(), "a refusal without a word");
    assert!(
        words.len() < 256 * 1024,
        "a refusal of {} bytes",
        words.len()
    );
}
