//! What the kernel says of a process: processor time and memory; and children that end with the bench.

use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use runtime::clock::Deadline;

use super::BenchError;

/// Steps of the processor time in `/proc`, in milliseconds: a hundred a second on every Linux that
/// Rust runs on, whatever the kernel's own tick is.
const TICK_MS: u64 = 10;
/// How often a child is asked whether it has ended.
const ASK_EVERY: Duration = Duration::from_millis(2);
/// A child that is killed is gone at once, unless its disk hangs.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// Processor time that a process has used, all its threads together, in milliseconds.
pub fn cpu_ms(pid: u32) -> Result<u64, BenchError> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).map_err(BenchError::io(&path))?;
    // The program's name stands in brackets and may hold anything, brackets too.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    // Fields 14 and 15 of the whole line: user and system time.
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok((user + system) * TICK_MS),
        _ => Err(BenchError::Ended(format!(
            "{path} is not as it was expected"
        ))),
    }
}

/// Memory of a process that is in RAM, in bytes.
pub fn resident_bytes(pid: u32) -> Result<u64, BenchError> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).map_err(BenchError::io(&path))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| BenchError::Ended(format!("{path} is not as it was expected")))
}

/// A child process that does not outlive this value.
#[derive(Debug)]
pub struct Ending {
    child: Child,
}

impl Ending {
    /// Starts it.
    pub fn start(command: &mut Command) -> Result<Self, BenchError> {
        let what = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().map_err(BenchError::io(what))?;
        Ok(Self { child })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process itself.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Asks it to end, or ends it, and waits until it has.
    pub async fn end(&mut self, signal: Signal, limit: Duration) -> Result<(), BenchError> {
        self.signal(signal)?;
        self.ended(limit).await
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<(), BenchError> {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap_or(i32::MAX));
        let gone = |error| BenchError::Ended(format!("a child takes no signal: {error}"));
        kill(pid, signal).map_err(gone)
    }

    /// Waits until it has ended.
    async fn ended(&mut self, limit: Duration) -> Result<(), BenchError> {
        let deadline = Deadline::after(limit);
        loop {
            if self
                .child
                .try_wait()
                .map_err(BenchError::io("a child"))?
                .is_some()
            {
                return Ok(());
            }
            if deadline.is_over() {
                return Err(BenchError::Ended(format!(
                    "process {} did not end within {} s",
                    self.pid(),
                    limit.as_secs()
                )));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let deadline = Deadline::after(KILL_LIMIT);
        while matches!(self.child.try_wait(), Ok(None)) && !deadline.is_over() {
            std::thread::sleep(ASK_EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_and_has_used_the_processor() {
        let me = std::process::id();
        assert!(resident_bytes(me).unwrap() > 1 << 20);
        assert!(cpu_ms(me).is_ok());
        assert!(cpu_ms(u32::MAX).is_err());
    }

    #[test]
    fn a_child_ends_with_its_owner() {
        let child = Ending::start(Command::new("sleep").arg("1000")).unwrap();
        let path = format!("/proc/{}", child.pid());
        assert!(std::path::Path::new(&path).exists());
        drop(child);
        assert!(!std::path::Path::new(&path).exists());
    }
}
