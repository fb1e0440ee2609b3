//! Memory: how often the kernel killed for it, and, where no cgroup does, watching over it.

use std::fs;
use std::path::Path;

use super::{BoxSettings, Reap};

/// Size of a page, as `/proc/<pid>/statm` counts, on every machine that this runs on.
const PAGE_BYTES: u64 = 4_096;

/// How many processes of this box the kernel has killed for memory, where that can be read.
pub(super) fn oom_kills(settings: &BoxSettings) -> Option<u64> {
    match &settings.cgroup {
        Some(folder) => oom_kills_in(folder),
        // A container shows its own groups where a host shows all.
        None if settings.memory_watch_bytes.is_none() => {
            let top = Path::new("/sys/fs/cgroup");
            oom_kills_in(top).or_else(|| oom_kills_in(&top.join("memory")))
        }
        // Without a group of its own the count is someone else's.
        None => None,
    }
}

/// The same, from the folder with the memory controller's files.
pub(crate) fn oom_kills_in(folder: &Path) -> Option<u64> {
    let files = ["memory.events", "memory.oom_control"];
    files
        .iter()
        .find_map(|file| count(&fs::read_to_string(folder.join(file)).ok()?))
}

/// The number behind `oom_kill` in either version's file.
fn count(text: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// Resident memory of all processes of the box but init.
pub(super) fn resident_bytes(reap: Reap) -> u64 {
    let pids = match reap {
        Reap::Namespace => all_pids(),
        Reap::Uid => all_pids().into_iter().filter(|pid| is_own(*pid)).collect(),
        Reap::Descendants => super::end::descendants(),
    };
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let others: Vec<i32> = pids.into_iter().filter(|pid| *pid != own).collect();
    resident_of(&others)
}

/// Resident memory of these processes together.
pub(super) fn resident_of(pids: &[i32]) -> u64 {
    pids.iter().filter_map(|pid| resident(*pid)).sum()
}

fn resident(pid: i32) -> Option<u64> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}

/// All processes that `/proc` shows.
pub(super) fn all_pids() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn is_own(pid: i32) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(Path::new("/proc").join(pid.to_string()))
        .is_ok_and(|seen| seen.uid() == nix::unistd::geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_the_count_are_read() {
        assert_eq!(
            count("low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 0\n"),
            Some(2)
        );
        assert_eq!(
            count("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"),
            Some(5)
        );
        assert_eq!(count("nothing"), None);
    }
}
