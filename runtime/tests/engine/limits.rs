//! What an agent may use, and that going beyond is said by its name.

use std::collections::BTreeMap;
use std::fs;

use runtime::engine::{BoxLimits, BoxSpec};
use runtime::kernel::FailKind;
use runtime::spool::{AttemptLimits, AttemptObserved, Ending, Stopped};

use crate::bench::{Bench, Kind, failure, processes_with, spec};

pub async fn a_hanging_agent_ends_at_its_time_limit_without_the_daemon(bench: Bench) {
    let limits = AttemptLimits {
        time_limit_ms: Some(300),
        grace_ms: 100,
        ..Default::default()
    };
    let attempt = bench.run_within(&["ignore-term", "hang"], limits).await;
    let exit = attempt.exit().await;
    assert_eq!(exit.stopped, Some(Stopped::TimeLimit), "{exit:?}");
    assert!(exit.duration_ms >= 400, "{exit:?}");
    assert_eq!(failure(&attempt, &exit).0, FailKind::TimeLimit);
    bench.tidy().await;
}

pub async fn a_fork_bomb_stays_in_its_box_and_ends_with_its_attempt(bench: Bench) {
    let limits = AttemptLimits {
        time_limit_ms: Some(1_500),
        grace_ms: 100,
        ..Default::default()
    };
    let word = format!("bomb:{}", bench.word());
    let attempt = bench.run_within(&[&word], limits).await;
    let most = attempt
        .until("at its limit", |attempt| {
            let count = processes_with(&word).len();
            let is_over = matches!(attempt.observe(), AttemptObserved::Exited(_));
            (count >= 40 || is_over).then_some(count)
        })
        .await;
    assert!(most <= 90, "{most} processes");
    let exit = attempt.exit().await;
    assert_eq!(exit.stopped, Some(Stopped::TimeLimit), "{exit:?}");
    assert_eq!(processes_with(&word), Vec::<String>::new());
    // And the box is as good as new.
    let next = bench.order(
        attempt.spool.clone(),
        "a-2",
        &["say:x"],
        AttemptLimits::default(),
    );
    assert!(next.exit().await.is_clean());
    bench.tidy().await;
}

pub async fn a_flood_of_output_is_bounded_and_said_to_be(bench: Bench) {
    let limits = AttemptLimits {
        log_bytes: 100_000,
        ..AttemptLimits::default()
    };
    let attempt = bench.run_within(&["flood:30000000"], limits).await;
    let exit = attempt.exit().await;
    assert_eq!(exit.ending, Ending::Code(0));
    assert_eq!(
        (exit.stdout.stored_bytes, exit.stdout.dropped_bytes),
        (100_000, 29_900_000)
    );
    let log = attempt.spool.run_folder(&attempt.name).join("stdout.log");
    assert_eq!(fs::metadata(log).unwrap().len(), 100_000);
    let (kind, text) = failure(&attempt, &exit);
    assert_eq!(kind, FailKind::BadResult);
    assert!(
        text.contains("has 30000000 bytes, at most 262144 are read"),
        "{text}"
    );
    bench.tidy().await;
}

pub async fn an_agent_that_fills_the_disk_is_stopped(bench: Bench) {
    let limits = AttemptLimits {
        out_bytes: 20 << 20,
        log_bytes: 1 << 10,
        ..Default::default()
    };
    let attempt = bench
        .run_within(&["fill:200000000", "hang"], limits.clone())
        .await;
    let exit = attempt.exit().await;
    assert_eq!(exit.stopped, Some(Stopped::OutLimit), "{exit:?}");
    assert_eq!(failure(&attempt, &exit).0, FailKind::OutputLimit);
    let limits = AttemptLimits {
        out_entries: 100,
        ..limits
    };
    let many = bench.order(
        attempt.spool.clone(),
        "a-2",
        &["many:20000", "hang"],
        limits,
    );
    assert_eq!(many.exit().await.stopped, Some(Stopped::OutLimit));
    bench.tidy().await;
}

pub async fn memory_beyond_the_limit_is_said_to_be_the_cause(bench: Bench) {
    let small = BoxSpec {
        limits: BoxLimits {
            memory_bytes: 64 << 20,
            ..spec().limits
        },
        ..spec()
    };
    let spool = bench.engine.ensure(&small).await.unwrap().spool;
    let attempt = bench.order(spool, "a-1", &["eat:500000000"], AttemptLimits::default());
    let exit = attempt.exit().await;
    assert!(exit.oom, "{exit:?}");
    let (kind, text) = failure(&attempt, &exit);
    assert_eq!(kind, FailKind::OutOfMemory, "{text}");
    let next = bench.order(attempt.spool, "a-2", &["say:x"], AttemptLimits::default());
    let exit = next.exit().await;
    assert!(exit.is_clean() && !exit.oom, "{exit:?}");
    bench.tidy().await;
}

/// What the agent sees of the world around it, from inside.
pub async fn isolation_holds_as_seen_from_inside(bench: Bench) {
    let attempt = bench.run(&["probe", "write:done:"]).await;
    let exit = attempt.exit().await;
    assert!(
        exit.stopped.is_none() && exit.ending == Ending::Code(0),
        "{}",
        attempt.collect().stderr_text(4_096)
    );
    let seen: BTreeMap<String, String> = serde_json::from_str(&attempt.text("probe.json")).unwrap();
    let is = |key: &str, value: &str| assert_eq!(seen[key], value, "{key}: {seen:#?}");
    is("CapEff", "0000000000000000");
    is("CapPrm", "0000000000000000");
    is("NoNewPrivs", "1");
    assert!(!seen["Uid"].starts_with("0 "), "{seen:#?}");
    is(
        "Groups",
        if bench.kind == Kind::Bubblewrap {
            ""
        } else {
            seen["Groups"].as_str()
        },
    );
    assert!(seen["limits"].contains("Max core file size        0                    0"));
    assert_eq!(seen["fds"].matches("pipe:").count(), 2, "{}", seen["fds"]);
    assert_eq!(seen["fds"].split(' ').count(), 3, "{}", seen["fds"]);
    assert_eq!(seen["init-mem"], "false");
    assert!(
        !seen.keys().any(|key| key.starts_with("env CARGO")),
        "{seen:#?}"
    );
    if bench.kind == Kind::OwnUid {
        bench.tidy().await;
        return;
    }
    is("CapBnd", "0000000000000000");
    is("Seccomp", "2");
    is("net", "lo");
    has_namespaces_of_its_own(&seen);
    // A daemon that is not root is the owner of these two trees, and his agents with him.
    let shared = ["write-run", "write-out"];
    let shared = if nix::unistd::geteuid().is_root() {
        &shared[..]
    } else {
        &[]
    };
    for key in ["write-root", "write-in", "write-domo", "write-sys"]
        .iter()
        .chain(shared)
    {
        assert_ne!(seen[*key], "yes", "{key}");
    }
    is("write-tmp", "yes");
    // The filter's own answer: where only namespaces are used up it would be another.
    is("unshare", "Err(EPERM)");
    for path in [
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/etc/shadow",
        "/root",
    ] {
        is(&format!("sees {path}"), "false");
    }
    bench.tidy().await;
}

fn has_namespaces_of_its_own(seen: &BTreeMap<String, String>) {
    for space in ["mnt", "pid", "net", "ipc", "uts", "cgroup"] {
        let host = fs::read_link(format!("/proc/self/ns/{space}")).unwrap();
        assert_ne!(
            seen[&format!("ns/{space}")],
            host.display().to_string(),
            "{space}"
        );
    }
}
