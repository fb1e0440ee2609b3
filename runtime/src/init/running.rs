//! One attempt while it runs: its first process, its two streams, its limits and its end.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;

use super::capture::Capture;
use super::exec::{NOT_STARTED_CODE, START_ERROR, START_ERROR_LIMIT_BYTES};
use super::measure::Measured;
use super::port::Port;
use super::signals::Signals;
use super::{BoxSettings, end, memory, tried};
use crate::clock::{BootMs, Deadline, boot};
use crate::spool::{
    AttemptName, CONTRACT_VERSION, Ending, Exit, Folder, LogName, Order, Started, Stopped, TOKEN,
    to_json,
};

/// Shortest time between two looks at what the attempt has written.
const MEASURE_EVERY: Duration = Duration::from_millis(500);
/// Time between two looks at memory, where init itself watches over it.
pub(super) const MEMORY_EVERY: Duration = Duration::from_millis(50);
/// Longest time that one turn counts as running: what is beyond it the box was frozen.
const COUNTED_TURN: Duration = Duration::from_secs(2);
/// Where programs are looked for when neither the order nor the box says.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A running attempt.
pub(super) struct Running {
    pub(super) attempt: AttemptName,
    order: Order,
    run: PathBuf,
    out: PathBuf,
    pid: Pid,
    port: Option<Port>,
    stdout: Capture<ChildStdout>,
    stderr: Capture<ChildStderr>,
    ending: Option<Ending>,
    stopped: Option<Stopped>,
    kill_at: Option<Deadline>,
    has_outgrown_memory: bool,
    oom_kills_before: Option<u64>,
    started: BootMs,
    counted: Duration,
    last_turn: BootMs,
    measure_at: Deadline,
    memory_at: Deadline,
}

impl Running {
    /// Marks the attempt as started, durably, then starts it.
    ///
    /// An error is one of the attempt's own: it becomes the reason in its exit.
    pub(super) fn start(
        folder: &Path,
        attempt: &AttemptName,
        order: Order,
        settings: &BoxSettings,
    ) -> Result<Running, String> {
        let run = folder.join("run").join(attempt.as_str());
        let out = folder.join("out").join(attempt.as_str());
        let started = boot();
        mark_started(&run, started)?;
        let oom_kills_before = memory::oom_kills(settings);
        let port = order.gateway.as_deref().map(Port::open).transpose();
        let port = port.map_err(tried("no loopback port leads to the gateway"))?;
        let mut child = spawn(folder, attempt, &order, (&run, &out), port.as_ref())?;
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(0));
        let limit = order.limits.log_bytes;
        let (stdout, stderr) = child
            .stdout
            .take()
            .zip(child.stderr.take())
            .ok_or("no pipes")?;
        let log = |name: LogName| run.join(name.file_name());
        let stdout = Capture::new(stdout, &log(LogName::Stdout), limit)
            .map_err(tried("standard output cannot be stored"))?;
        let stderr = Capture::new(stderr, &log(LogName::Stderr), limit)
            .map_err(tried("standard error cannot be stored"))?;
        Ok(Running {
            attempt: attempt.clone(),
            order,
            run,
            out,
            pid,
            port,
            stdout,
            stderr,
            ending: None,
            stopped: None,
            kill_at: None,
            has_outgrown_memory: false,
            oom_kills_before,
            started,
            counted: Duration::ZERO,
            last_turn: started,
            measure_at: Deadline::after(MEASURE_EVERY),
            memory_at: Deadline::after(MEMORY_EVERY),
        })
    }

    /// The streams and the port, to wait for.
    pub(super) fn pipes(&self) -> impl Iterator<Item = std::os::fd::BorrowedFd<'_>> {
        let port = self.port.as_ref().and_then(Port::waiting);
        let streams = self.stdout.pipe().into_iter().chain(self.stderr.pipe());
        streams.chain(port)
    }

    /// When the next look is due even if nothing happens.
    pub(super) fn due(&self, settings: &BoxSettings) -> Duration {
        let mut due = self.measure_at.left();
        if settings.memory_watch_bytes.is_some() {
            due = due.min(self.memory_at.left());
        }
        if let Some(kill_at) = self.kill_at {
            due = due.min(kill_at.left());
        }
        if let Some(limit_ms) = self.order.limits.time_limit_ms {
            due = due.min(Duration::from_millis(limit_ms).saturating_sub(self.counted));
        }
        due
    }

    /// Takes note of a reaped process.
    pub(super) fn reaped(&mut self, status: WaitStatus) {
        if let (Some(port), Some(pid)) = (&mut self.port, status.pid()) {
            port.reaped(pid);
        }
        match status {
            WaitStatus::Exited(pid, code) if pid == self.pid => {
                self.ending = Some(Ending::Code(code));
            }
            WaitStatus::Signaled(pid, signal, _) if pid == self.pid => {
                self.ending = Some(Ending::Signal(signal as i32));
            }
            // A child of the agent that was left to init.
            WaitStatus::Exited(..)
            | WaitStatus::Signaled(..)
            | WaitStatus::Stopped(..)
            | WaitStatus::PtraceEvent(..)
            | WaitStatus::PtraceSyscall(_)
            | WaitStatus::Continued(_)
            | WaitStatus::StillAlive => {}
        }
    }

    /// Begins to end the attempt, politely first. The first reason stands.
    pub(super) fn stop(&mut self, why: Stopped, grace: Option<Duration>) {
        if self.stopped.is_some() {
            return;
        }
        self.stopped = Some(why);
        let grace = grace.unwrap_or(Duration::from_millis(self.order.limits.grace_ms));
        self.kill_at = Some(Deadline::after(grace));
        // The group is the agent's own session; it may already be gone.
        let _ = killpg(self.pid, Signal::SIGTERM);
    }

    /// Moves on: streams, time, limits. True when the attempt's first process has ended or must.
    pub(super) fn turn(&mut self, settings: &BoxSettings) -> bool {
        self.stdout.drain();
        self.stderr.drain();
        if let Some(port) = &mut self.port {
            port.turn();
        }
        let now = boot();
        self.counted += now.since(self.last_turn).min(COUNTED_TURN);
        self.last_turn = now;
        let limit = self.order.limits.time_limit_ms.map(Duration::from_millis);
        if limit.is_some_and(|limit| self.counted >= limit) {
            self.stop(Stopped::TimeLimit, None);
        }
        self.watch_memory(settings);
        if self.measure_at.is_over() {
            let measured = self.measure();
            let spent = boot().since(now);
            self.measure_at = Deadline::after(MEASURE_EVERY.max(spent.saturating_mul(20)));
            if self.is_too_much(measured) {
                self.stop(Stopped::OutLimit, Some(Duration::ZERO));
            }
        }
        self.ending.is_some() || self.kill_at.is_some_and(Deadline::is_over)
    }

    /// Kills all that is left, takes the rest of the streams and says how it ended.
    pub(super) fn finish(mut self, settings: &BoxSettings, signals: &mut Signals) -> Exit {
        if let Some(port) = self.port.take() {
            port.close();
        }
        let killed = end::kill_the_rest(settings.reap, signals);
        let is_ended_by_itself = self.ending.is_some();
        // All writers are dead, so what is in the pipes is all there will be.
        while self.stdout.drain() || self.stderr.drain() {}
        let ending = self
            .ending
            .take()
            .unwrap_or(Ending::Signal(Signal::SIGKILL as i32));
        let measured = self.measure();
        if self.stopped.is_none() && self.is_too_much(measured) {
            self.stopped = Some(Stopped::OutLimit);
        }
        let oom_kills = memory::oom_kills(settings);
        let left_behind = killed.saturating_sub(u32::from(!is_ended_by_itself));
        Exit {
            version: CONTRACT_VERSION,
            ending: self.start_error(&ending).map_or(ending, Ending::NotStarted),
            stopped: self.stopped,
            oom: self.has_outgrown_memory || oom_kills > self.oom_kills_before,
            stdout: self.stdout.captured,
            stderr: self.stderr.captured,
            out_bytes: measured.bytes,
            left_behind,
            duration_ms: boot().0.saturating_sub(self.started.0),
        }
    }

    /// Ends the attempt because its box has no memory left and it has most of it.
    pub(super) fn outgrow_memory(&mut self) {
        if !self.has_outgrown_memory {
            self.has_outgrown_memory = true;
            self.kill_at = Some(Deadline::after(Duration::ZERO));
        }
    }

    fn watch_memory(&mut self, settings: &BoxSettings) {
        let Some(limit) = settings.memory_watch_bytes else {
            return;
        };
        if self.memory_at.is_over() && !self.has_outgrown_memory {
            self.memory_at = Deadline::after(MEMORY_EVERY);
            if memory::resident_bytes(settings.reap) > limit {
                self.outgrow_memory();
            }
        }
    }

    fn written_limits(&self) -> (u64, u64) {
        // The two logs lie in the same folders and have their own limit.
        let logs = self.order.limits.log_bytes.saturating_mul(2);
        (
            self.order.limits.out_bytes.saturating_add(logs),
            self.order.limits.out_entries,
        )
    }

    /// A single file that the kernel cut at its limit counts too: what is left of it is no output.
    fn is_too_much(&self, measured: Measured) -> bool {
        measured.is_over(self.written_limits())
            || measured.largest_file > self.order.limits.out_bytes
    }

    fn measure(&self) -> Measured {
        let mut measured = Measured::default();
        if let Ok(folder) = Folder::open(&self.out) {
            measured.add(&folder, self.written_limits());
        }
        // The logs in the other folder have their own limit.
        let largest_file = measured.largest_file;
        if let Ok(folder) = Folder::open(&self.run) {
            measured.add(&folder, self.written_limits());
        }
        Measured {
            largest_file,
            ..measured
        }
    }

    fn start_error(&self, ending: &Ending) -> Option<String> {
        if *ending != Ending::Code(i32::from(NOT_STARTED_CODE)) {
            return None;
        }
        let uid = nix::unistd::geteuid().as_raw();
        let (file, _) = Folder::open(&self.run)
            .ok()?
            .file(START_ERROR.as_ref(), uid)
            .ok()?;
        let mut bytes = Vec::new();
        let most = u64::try_from(START_ERROR_LIMIT_BYTES).unwrap_or(u64::MAX);
        file.take(most).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Writes the mark that the attempt was started. Only one can ever do so, also after a power cut.
fn mark_started(run: &Path, at: BootMs) -> Result<(), String> {
    let mark = Started {
        version: CONTRACT_VERSION,
        at_boot_ms: at.0,
    };
    let write = || -> std::io::Result<()> {
        let mut file = File::create_new(run.join("started.json"))?;
        file.write_all(&to_json(&mark))?;
        // Its name is the mark; what it says is for people, and may be lost.
        File::open(run)?.sync_all()
    };
    write().map_err(tried("its start cannot be noted"))
}

fn spawn(
    folder: &Path,
    attempt: &AttemptName,
    order: &Order,
    (run, out): (&Path, &Path),
    port: Option<&Port>,
) -> Result<Child, String> {
    let input = folder.join("in").join(attempt.as_str());
    let home = run.join("home");
    lay_home(&input.join("home"), &home)?;
    let stdin = match &order.stdin {
        None => Stdio::null(),
        Some(name) => {
            let file = File::open(input.join(name));
            file.map_err(tried("standard input cannot be opened"))?
                .into()
        }
    };
    let own = std::env::current_exe().map_err(tried("the own program is unknown"))?;
    let mut command = Command::new(own);
    command
        .args(["init", "--become"])
        .arg(folder)
        .arg(attempt.as_str());
    if std::env::var_os("PATH").is_none() {
        command.env("PATH", PATH);
    }
    command.env("HOME", &home).envs(&order.env);
    command
        .env("MAJORDOMO_IN", &input)
        .env("MAJORDOMO_OUT", out);
    if let (Some(port), Some(socket)) = (port, &order.gateway) {
        command
            .env("MAJORDOMO_GATEWAY", port.url())
            .env("MAJORDOMO_GATEWAY_SOCKET", socket)
            .env("MAJORDOMO_TOKEN_FILE", input.join(TOKEN));
    }
    command
        .current_dir(out)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().map_err(tried("no process can be started"))
}

/// Copies the kernel's configuration files to where the agent may change them.
fn lay_home(from: &Path, home: &Path) -> Result<(), String> {
    let make = |path: &Path| {
        let made = fs::DirBuilder::new().mode(0o700).create(path);
        made.map_err(tried(path.display()))
    };
    make(home)?;
    let mut waiting = vec![PathBuf::new()];
    while let Some(at) = waiting.pop() {
        // Most kernels give none.
        let Ok(entries) = fs::read_dir(from.join(&at)) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = at.join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                make(&home.join(&path))?;
                waiting.push(path);
            } else {
                let copied = fs::copy(from.join(&path), home.join(&path));
                copied.map_err(tried(path.display()))?;
            }
        }
    }
    Ok(())
}
