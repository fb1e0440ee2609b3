//! What this host has for agents: processors and memory, as placement counts them.

/// Thousandths of cores, and bytes of memory; `/proc/meminfo` is read for the latter.
pub fn of_this_host() -> (u64, u64) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory_bytes = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| total_bytes(&text))
        .unwrap_or(USUAL_MEMORY_BYTES);
    (cores as u64 * 1000, memory_bytes)
}

/// What a host is taken to have that does not say.
const USUAL_MEMORY_BYTES: u64 = 4 << 30;

fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_total_is_read_and_not_the_free_memory() {
        let text = "MemTotal:       24576 kB\nMemFree: 12 kB\n";
        assert_eq!(super::total_bytes(text), Some(24_576 * 1024));
    }
}
