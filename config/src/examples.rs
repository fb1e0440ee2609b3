//! The example team, compiled in: `domo demo` works where there is nothing but the binary.
//!
//! # Invariant
//! The table holds every file of the example but its program; a test compares it with the folder.

use crate::document::Bundle;

/// A file of the example: its path in the example's folder, and its bytes.
pub type ExampleFile = (&'static str, &'static [u8]);

/// What the example's case says.
pub const SRE_BRIEF: &str = "pod mse-gateway-0 is Pending";

/// What is attached to the example's case: one of the files of [`sre`].
pub const SRE_ATTACHMENT: &str = "clusters/mse-gateway/all.json";

/// The documents of the example.
const SRE_DOCUMENTS: [&str; 1] = ["team.yaml"];

macro_rules! files {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_bytes!(concat!("../examples/", $folder, "/", $path)))),+]
    };
}

/// The files of the site-reliability example.
pub fn sre() -> &'static [ExampleFile] {
    files!("sre":
        "clusters/mse-gateway/all.json",
        "skills/instance-status/SKILL.md",
        "skills/k8s-root-cause/SKILL.md",
        "skills/plan/SKILL.md",
        "skills/resource-bottleneck/SKILL.md",
        "souls/instance-status.md",
        "souls/k8s-root-cause.md",
        "souls/resource-bottleneck.md",
        "souls/sre-bot.md",
        "team.yaml",
    )
}

/// The documents of the site-reliability example with the files that they name.
pub fn sre_bundle() -> Bundle {
    Bundle {
        documents: SRE_DOCUMENTS.map(str::to_owned).to_vec(),
        files: sre()
            .iter()
            .map(|(path, bytes)| ((*path).to_owned(), (*bytes).into()))
            .collect(),
    }
}
