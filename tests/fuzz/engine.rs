//! One libFuzzer program for all targets: `FUZZ_TARGET` names the one that is run.
//!
//! # Invariant
//! It is no part of the workspace: `tests/fuzz/run` writes its manifest, because it is compiled otherwise.
//!
//! # Why
//! One program and not one for each target: what takes long is to compile the rooms, and so it is done once.
#![no_main]

use std::sync::OnceLock;

#[path = "targets/mod.rs"]
mod targets;

use targets::{TARGETS, Target};

fn target() -> &'static Target {
    static TARGET: OnceLock<&'static Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let found = TARGETS.iter().find(|target| target.name == name);
        found.unwrap_or_else(|| panic!("FUZZ_TARGET={name} is none of the targets"))
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (target().run)(bytes));
