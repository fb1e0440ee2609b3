//! The `domo` of these tests: the real init, and an agent that does what its arguments say.
//!
//! The agent is in the same static program so that it runs in a box that has nothing else.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an agent speaks on its output, and panics when its box is not what the test made"
)]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

fn main() -> ExitCode {
    let words: Vec<std::ffi::OsString> = std::env::args_os().skip(1).collect();
    if words.first().is_some_and(|word| word == "init") {
        return runtime::init::run(&words[1..]);
    }
    for word in &words {
        let word = word.to_string_lossy();
        let (verb, rest) = word.split_once(':').unwrap_or((&word, ""));
        if let Some(code) = act(verb, rest) {
            return ExitCode::from(code);
        }
    }
    ExitCode::SUCCESS
}

/// Does one thing; an answer is the exit code to end with.
fn act(verb: &str, rest: &str) -> Option<u8> {
    match verb {
        "say" => println!("{rest}"),
        "err" => eprintln!("{rest}"),
        "exit" => return Some(number(rest)),
        "kill" => nix::sys::signal::raise(Signal::try_from(number::<i32>(rest)).unwrap()).unwrap(),
        "kill-parent" => {
            nix::sys::signal::kill(nix::unistd::getppid(), Signal::SIGKILL).unwrap();
        }
        "hang" => pause_for_ever(),
        "ignore-term" => mask(Signal::SIGTERM),
        "count" => append("count", "once\n"),
        "progress" => append("progress.log", &format!("{rest}\n")),
        "result" => whole("result.json", rest),
        "write" => {
            let (name, text) = rest.split_once(':').unwrap();
            fs::write(name, text).unwrap();
        }
        "link" => {
            let (name, target) = rest.split_once(':').unwrap();
            std::os::unix::fs::symlink(target, name).unwrap();
        }
        "plant" => {
            fs::create_dir(rest).unwrap();
            fs::write(format!("{rest}/started.json"), "{}").unwrap();
        }
        "pipe" => nix::unistd::mkfifo(rest, nix::sys::stat::Mode::S_IRWXU).unwrap(),
        "beat" => beat(rest),
        "behind" => leave_behind(rest),
        "detach" => detach(rest),
        "bomb" => bomb(rest),
        "flood" => flood(number(rest)),
        "eat" => eat(number(rest)),
        "fill" => fill(number(rest)),
        "many" => (0..number::<u64>(rest)).for_each(|n| fs::write(format!("f{n}"), "").unwrap()),
        "forge" => forge(rest),
        "await" => {
            while !Path::new(rest).exists() {
                wait_us(2_000);
            }
        }
        "stdin" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).unwrap();
            println!("{text}");
        }
        "env" => println!("{}", std::env::var(rest).unwrap_or_default()),
        "cat" => println!("{}", fs::read_to_string(rest).unwrap()),
        "probe" => probe(),
        other => panic!("no such verb: {other}"),
    }
    None
}

fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse()
        .ok()
        .unwrap_or_else(|| panic!("no number: {text}"))
}

fn wait_us(us: u64) {
    std::thread::sleep(Duration::from_micros(us));
}

fn pause_for_ever() {
    loop {
        wait_us(1_000_000);
    }
}

fn mask(signal: Signal) {
    let mut set = SigSet::empty();
    set.add(signal);
    set.thread_block().unwrap();
}

fn append(name: &str, text: &str) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(name)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn whole(name: &str, text: &str) {
    fs::write(".new", text).unwrap();
    fs::rename(".new", name).unwrap();
}

/// Writes a line every few milliseconds, for as long as it lives.
fn beat(name: &str) {
    mask(Signal::SIGTERM);
    mask(Signal::SIGHUP);
    loop {
        append(name, "beat\n");
        wait_us(5_000);
    }
}

/// Starts a process that has nothing to do with this one any more, and goes on when it runs.
fn leave_behind(name: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(format!("detach:{name}")).status().unwrap();
    while !Path::new(name).exists() {
        wait_us(1_000);
    }
}

/// Leaves the session, has a child in a group of its own that beats, and ends before it.
fn detach(name: &str) {
    let _ = nix::unistd::setsid();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .arg(format!("beat:{name}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    drop(command.process_group(0).spawn().unwrap());
}

/// Has two children that do the same, as fast as they can, for ever.
fn bomb(name: &str) {
    mask(Signal::SIGTERM);
    let own = std::env::current_exe().unwrap();
    loop {
        let mut command = Command::new(&own);
        command
            .arg(format!("bomb:{name}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // Refused at the limit: then tried again.
        let _ = command.process_group(0).spawn();
    }
}

fn flood(bytes: usize) {
    let line = vec![b'x'; 64 << 10];
    let mut left = bytes;
    let mut out = std::io::stdout();
    while left > 0 {
        let now = left.min(line.len());
        out.write_all(&line[..now]).unwrap();
        left -= now;
    }
}

fn eat(bytes: usize) {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    for _ in 0..bytes.div_ceil(1 << 20) {
        // Random bytes are not needed: a page that is written to is there.
        eaten.push(vec![1; 1 << 20]);
        wait_us(200);
    }
    println!("ate {}", eaten.len());
}

fn fill(bytes: usize) {
    let block = vec![7; 1 << 20];
    for n in 0..bytes >> 20 {
        File::create(format!("block{n}"))
            .unwrap()
            .write_all(&block)
            .unwrap();
    }
}

/// Says in init's name that the attempt is over.
fn forge(text: &str) {
    let home = std::env::var("HOME").unwrap();
    fs::write(Path::new(&home).parent().unwrap().join("exit.json"), text).unwrap();
}

/// What a probe writes down.
type Seen = BTreeMap<String, String>;

/// Writes down what this process can see and do, as `probe.json`.
fn probe() {
    let mut seen = Seen::new();
    probe_rights(&mut seen);
    probe_files(&mut seen);
    probe_what_was_passed_on(&mut seen);
    whole("probe.json", &serde_json::to_string(&seen).unwrap());
}

fn probe_rights(seen: &mut Seen) {
    let keys = [
        "CapEff",
        "CapPrm",
        "CapBnd",
        "NoNewPrivs",
        "Seccomp",
        "Uid",
        "Groups",
    ];
    for line in fs::read_to_string("/proc/self/status").unwrap().lines() {
        let (key, value) = line.split_once(':').unwrap();
        if keys.contains(&key) {
            let words: Vec<&str> = value.split_whitespace().collect();
            seen.insert(key.to_owned(), words.join(" "));
        }
    }
    for space in ["mnt", "pid", "net", "ipc", "uts", "user", "cgroup"] {
        let link = fs::read_link(format!("/proc/self/ns/{space}")).unwrap_or_default();
        seen.insert(format!("ns/{space}"), link.display().to_string());
    }
    let devices = fs::read_to_string("/proc/self/net/dev").unwrap();
    let names = devices
        .lines()
        .filter_map(|line| Some(line.split_once(':')?.0.trim()));
    seen.insert("net".into(), names.collect::<Vec<_>>().join(" "));
    let user = nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER);
    seen.insert("unshare".into(), format!("{user:?}"));
    seen.insert(
        "init-mem".into(),
        File::open("/proc/1/mem").is_ok().to_string(),
    );
    seen.insert(
        "limits".into(),
        fs::read_to_string("/proc/self/limits").unwrap(),
    );
}

fn probe_files(seen: &mut Seen) {
    let attempts = [
        ("write-root", "/domo-was-here"),
        ("write-in", "/agent/in/domo-was-here"),
        ("write-run", "/agent/run/domo-was-here"),
        ("write-out", "/agent/out/domo-was-here"),
        ("write-domo", "/domo"),
        ("write-sys", "/proc/sys/kernel/hostname"),
        ("write-tmp", "/tmp/file"),
    ];
    for (key, path) in attempts {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        seen.insert(
            key.into(),
            opened.map_or_else(|e| e.to_string(), |_| "yes".to_owned()),
        );
    }
    for path in [
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/etc/shadow",
        "/root",
    ] {
        seen.insert(format!("sees {path}"), Path::new(path).exists().to_string());
    }
}

fn probe_what_was_passed_on(seen: &mut Seen) {
    let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let targets = open.map(|fd| fs::read_link(fd.path()).unwrap_or_default());
    let targets = targets.map(|to| to.display().to_string());
    // The listing itself is open too.
    let mut fds: Vec<String> = targets.filter(|to| !to.starts_with("/proc/")).collect();
    fds.sort();
    seen.insert("fds".into(), fds.join(" "));
    for (key, value) in std::env::vars() {
        seen.insert(format!("env {key}"), value);
    }
}
