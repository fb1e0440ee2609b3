//! Looks at the box from inside: what an agent has, sees and reaches, one `name=value` each.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A closed network refuses at once; an open one that drops packets is not waited for longer.
const REACH_LIMIT: Duration = Duration::from_millis(500);

/// Where engines and daemons listen, which no agent may reach.
const SOCKETS: [&str; 5] = [
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/dbus/system_bus_socket",
    "/agent/admin.sock",
];

/// Everything that can be seen.
pub fn all() -> Vec<String> {
    let mut seen = Vec::new();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for key in [
        "Uid",
        "Gid",
        "Groups",
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapBnd",
        "CapAmb",
        "NoNewPrivs",
        "Seccomp",
    ] {
        seen.push(format!("{key}={}", field(&status, key)));
    }
    for space in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] {
        let link = fs::read_link(format!("/proc/self/ns/{space}"));
        let name = link
            .map(|link| link.display().to_string())
            .unwrap_or_default();
        seen.push(format!("ns_{space}={name}"));
    }
    seen.push(format!("root_writable={}", is_writable("/")));
    seen.push(format!("etc_writable={}", is_writable("/etc")));
    seen.push(format!(
        "in_writable={}",
        in_folder().is_some_and(|path| is_writable(&path))
    ));
    seen.push(format!("others={}", other_processes().join(",")));
    let sockets: Vec<&str> = SOCKETS
        .iter()
        .copied()
        .filter(|path| fs::metadata(path).is_ok())
        .collect();
    seen.push(format!("sockets={}", sockets.join(",")));
    seen.push(format!("interfaces={}", interfaces().join(",")));
    for (name, address) in [
        ("loopback_ssh", "127.0.0.1:22"),
        ("outside", "192.0.2.1:80"),
    ] {
        seen.push(format!("{name}_reached={}", is_reached(address)));
    }
    let address_space = field(
        &fs::read_to_string("/proc/self/limits").unwrap_or_default(),
        "Max open files",
    );
    seen.push(format!("open_files={address_space}"));
    seen.push(format!("memory_limit={}", memory_limit()));
    seen
}

/// The rest of the line that begins with `key`.
fn field(text: &str, key: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let words: Vec<&str> = line
        .unwrap_or_default()
        .trim_start_matches(':')
        .split_whitespace()
        .collect();
    words.join(" ")
}

fn is_writable(folder: &str) -> bool {
    let path = format!("{folder}/written-by-an-agent");
    let is_written = fs::write(&path, "x").is_ok();
    if is_written {
        fs::remove_file(&path).ok();
    }
    is_written
}

fn in_folder() -> Option<String> {
    std::env::var("MAJORDOMO_IN").ok()
}

/// The command names of processes that are neither init nor this agent's own.
fn other_processes() -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .bytes()
                .all(|b| b.is_ascii_digit())
        })
        .filter_map(|entry| fs::read_to_string(entry.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !["domo", "test-agent"].contains(&name.as_str()))
        .collect();
    names.sort();
    names
}

fn interfaces() -> Vec<String> {
    let table = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let names = table
        .lines()
        .skip(2)
        .filter_map(|line| line.split(':').next());
    names.map(|name| name.trim().to_owned()).collect()
}

fn is_reached(address: &str) -> bool {
    let address: SocketAddr = address.parse().expect("the address is written here");
    TcpStream::connect_timeout(&address, REACH_LIMIT).is_ok()
}

/// The memory limit that this box's own files show, whichever way they do.
fn memory_limit() -> String {
    [
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory.max",
    ]
    .iter()
    .find_map(|path| fs::read_to_string(path).ok())
    .map_or_else(|| "unseen".to_owned(), |text| text.trim().to_owned())
}
