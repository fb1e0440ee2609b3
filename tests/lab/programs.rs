//! The programs that tests start, built before they are used: a stale one would prove nothing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The `domo` of this workspace.
pub fn domo_path() -> PathBuf {
    path_of("DOMO_TEST_BINARY")
}

/// The agent of the tests, a static program that does what its brief says.
pub fn agent_path() -> PathBuf {
    path_of("DOMO_TEST_AGENT")
}

/// Nextest has them built once for all tests; any other runner has it done here.
fn path_of(variable: &str) -> PathBuf {
    static BUILT: OnceLock<String> = OnceLock::new();
    let named = std::env::var_os(variable).map(PathBuf::from);
    named.unwrap_or_else(|| {
        let built = BUILT.get_or_init(build);
        let path = built
            .lines()
            .find_map(|line| line.strip_prefix(variable)?.strip_prefix('='));
        PathBuf::from(path.expect("tests/build prints where each program is"))
    })
}

fn build() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("build");
    let output = Command::new(&script).env_remove("NEXTEST_ENV").output();
    let output = output.expect("tests/build can be started");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tests/build failed:\n{words}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
