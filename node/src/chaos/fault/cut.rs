//! The node is cut off: packets between it and the other nodes are dropped, both ways.
//!
//! # Why
//! The rules stand in a chain of their own, so that they are taken away as one, and nobody else's are
//! touched. They name the nodes' addresses and ports: whatever else passes between the hosts does.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::Stdio;

use nix::unistd::geteuid;
use tokio::process::Command;

use crate::chaos::orders::Orders;

/// The tables of both families.
const PROGRAMS: [&str; 2] = ["iptables", "ip6tables"];
/// Where the chain is looked at.
const HOOKS: [&str; 2] = ["INPUT", "OUTPUT"];

pub(super) async fn check(orders: &Orders) -> Result<(), String> {
    if orders.port.is_none() || orders.peers.is_empty() {
        return Err("it knows no other node".to_owned());
    }
    if !geteuid().is_root() {
        return Err("that takes root".to_owned());
    }
    for peer in &orders.peers {
        // Only this host's own addresses can be bound.
        if UdpSocket::bind((peer.ip(), 0)).is_ok() {
            return Err(format!(
                "node at {peer} is on the same host: nobody can be cut off from itself"
            ));
        }
    }
    for program in programs(orders) {
        run(program, &["--list-rules"]).await?;
    }
    Ok(())
}

pub(super) async fn make(orders: &Orders) -> Result<(), String> {
    let chain = chain(orders);
    for program in programs(orders) {
        run(program, &["--new-chain", &chain]).await?;
        for peer in &orders.peers {
            if (program == PROGRAMS[0]) == peer.is_ipv4() {
                drop_all(program, &chain, *peer, orders.port.unwrap_or_default()).await?;
            }
        }
        for hook in HOOKS {
            run(program, &["--insert", hook, "--jump", &chain]).await?;
        }
    }
    Ok(())
}

/// Takes the chain away, and whatever of it there is.
pub(in crate::chaos) async fn join(orders: &Orders) -> Result<(), String> {
    let chain = chain(orders);
    for program in programs(orders) {
        for hook in HOOKS {
            // It may stand there more than once, or never have come to stand there.
            while run(program, &["--delete", hook, "--jump", &chain])
                .await
                .is_ok()
            {}
        }
        if run(program, &["--list-rules", &chain]).await.is_ok() {
            run(program, &["--flush", &chain]).await?;
            run(program, &["--delete-chain", &chain]).await?;
        }
    }
    Ok(())
}

async fn drop_all(
    program: &str,
    chain: &str,
    peer: SocketAddr,
    own_port: u16,
) -> Result<(), String> {
    let (ip, theirs, ours) = (
        peer.ip().to_string(),
        peer.port().to_string(),
        own_port.to_string(),
    );
    for (side, end, port) in [
        ("--source", "--sport", &theirs),
        ("--source", "--dport", &ours),
        ("--destination", "--dport", &theirs),
        ("--destination", "--sport", &ours),
    ] {
        let rule = [
            "--append",
            chain,
            side,
            &ip,
            "--protocol",
            "tcp",
            end,
            port,
            "--jump",
            "DROP",
        ];
        run(program, &rule).await?;
    }
    Ok(())
}

/// The chain of this node: another one of the same host has its own.
fn chain(orders: &Orders) -> String {
    format!("DOMO-CHAOS-{}", orders.port.unwrap_or_default())
}

/// Those of the programs that are needed.
fn programs(orders: &Orders) -> impl Iterator<Item = &'static str> {
    let needs = |is_four: bool| {
        let ips = orders.peers.iter().map(SocketAddr::ip);
        ips.clone().any(|ip| matches!(ip, IpAddr::V4(_)) == is_four)
    };
    let needed = [needs(true), needs(false)];
    PROGRAMS
        .into_iter()
        .zip(needed)
        .filter_map(|(program, is_needed)| is_needed.then_some(program))
}

async fn run(program: &str, words: &[&str]) -> Result<(), String> {
    let mut command = Command::new(program);
    // Nobody waits for one that is broken off: it must not add a rule later.
    command.kill_on_drop(true);
    command.arg("--wait").args(words).stdin(Stdio::null());
    let ended = command.output().await;
    let ended = ended.map_err(|error| format!("{program} cannot be run: {error}"))?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let last = said.lines().next().unwrap_or("it says nothing");
    Err(format!("{program} {}: {last}", words.join(" ")))
}
