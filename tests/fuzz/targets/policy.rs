//! A policy that an organisation adds.

use std::sync::OnceLock;

use config::policy::{MATRIX, SCHEMA};
use rules::id::PolicyName;
use runtime::ledger::Judge as _;
use runtime::policy::Policies;

pub fn run(bytes: &[u8]) {
    static POLICIES: OnceLock<Policies> = OnceLock::new();
    let policies = POLICIES.get_or_init(|| Policies::new(SCHEMA, MATRIX).expect("it is ours"));
    let text = String::from_utf8_lossy(bytes);
    let name = PolicyName::new("fuzzed").expect("it is a name");
    for fault in policies.faults(&name, &text) {
        super::is_readable(&fault);
    }
}
