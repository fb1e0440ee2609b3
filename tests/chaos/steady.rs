//! A cluster under half of what it can carry holds no more in the end than it did when it was warm.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use lab::{Cluster, Engine, Lab, Node, Stage, Team, Worker, request, rest, scale, tell};
use runtime::clock::{self, Deadline};
use serde_json::Value;

const TEAMS: [&str; 3] = ["red", "green", "blue"];
/// Clients, each with one case at a time.
const CLIENTS: usize = 6;
/// How long they hand over as fast as they can, so that half of that is known.
const PEAK: Duration = Duration::from_secs(5);
/// How long the load goes on in a landing.
const LENGTH: Duration = Duration::from_secs(12);
/// Between two looks at a case.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Longest wait for one case, with both cores busy.
const CASE_LIMIT: Duration = Duration::from_mins(1);
/// Looks at each node: the second quarter of them is compared with the last.
const LOOKS: u32 = 24;
/// Connections and files come and go: so many more at one look than at another are none that stay.
const MORE_DESCRIPTORS: u64 = 24;
const MORE_TASKS: u64 = 64;
/// Caches fill until their bounds, and the allocator keeps what it had at once.
const MORE_BYTES: u64 = 48 << 20;

/// What a daemon holds at some moment.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    bytes: u64,
    descriptors: u64,
    tasks: u64,
}

impl Held {
    fn by(node: &Node) -> Held {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", node.pid()));
        let status = request(&node.socket(), "GET", "/v1/status", "").expect("it answers");
        Held {
            bytes: node.resident_bytes(),
            descriptors: descriptors.expect("it runs").count() as u64,
            tasks: status.json()["node"]["tasks"].as_u64().expect("a number"),
        }
    }

    fn most(of: &[Held]) -> Held {
        let most = |what: fn(&Held) -> u64| of.iter().map(what).max().unwrap_or(0);
        Held {
            bytes: most(|held| held.bytes),
            descriptors: most(|held| held.descriptors),
            tasks: most(|held| held.tasks),
        }
    }
}

/// Hands one case over and waits until it is closed; how many were closed is counted.
fn one_case(socket: &Path, team: &str, closed: &AtomicUsize) {
    let body = serde_json::json!({"team": team, "title": "steady", "brief": "look"}).to_string();
    let Ok(opened) = request(socket, "POST", "/v1/cases", &body) else {
        return;
    };
    let opened: Value = serde_json::from_str(&opened.body).unwrap_or_default();
    let Some(case) = opened["case"].as_str() else {
        return;
    };
    let path = format!("/v1/cases/{case}?consistency=local");
    let deadline = Deadline::after(CASE_LIMIT);
    while !deadline.is_over() {
        let seen = request(socket, "GET", &path, "").map(|reply| reply.body);
        let seen: Value = serde_json::from_str(&seen.unwrap_or_default()).unwrap_or_default();
        if seen["status"] == "closed" {
            closed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        rest(LOOK_AGAIN);
    }
}

/// Keeps clients at it for so long, each beginning a case so often; says how many were closed.
fn load(sockets: &[PathBuf], each: Duration, lasts: Duration, meanwhile: impl FnOnce()) -> usize {
    let closed = AtomicUsize::new(0);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let closed = &closed;
            let (socket, team) = (
                &sockets[client % sockets.len()],
                TEAMS[client % TEAMS.len()],
            );
            scope.spawn(move || {
                let deadline = Deadline::after(lasts);
                while !deadline.is_over() {
                    let begun = clock::boot();
                    one_case(socket, team, closed);
                    let left = each.saturating_sub(clock::boot().since(begun));
                    rest(left.min(deadline.left()));
                }
            });
        }
        meanwhile();
    });
    closed.into_inner()
}

#[test]
fn memory_descriptors_and_tasks_are_flat_under_half_of_the_load() {
    let lab = Lab::new();
    let idle = ("agents.idle_after_ms", "1m");
    let build = |number: usize| Node::named(&lab, &format!("n{number}"), &Engine::Process, &[idle]);
    let cluster = Cluster::start_apart(3, build);
    for name in TEAMS {
        let team = Team::new(&lab, name)
            .worker(Worker::new("hand").line("parallel: 4"))
            .stage(Stage::new("work", "hand"));
        cluster.node(1).apply(&team.yaml()).ok();
        let first = cluster.node(1).submit(name, "before");
        cluster.node(1).wait_closed(&first);
    }
    let sockets: Vec<PathBuf> = (1..=3)
        .map(|number| cluster.node(number).socket())
        .collect();
    let peak = load(&sockets, Duration::ZERO, PEAK, || ());
    assert!(peak >= CLIENTS, "{peak} cases in {PEAK:?}");
    // Each client begins one so often that all together are half as fast.
    let each = PEAK * 2 * u32::try_from(CLIENTS).unwrap_or(1) / u32::try_from(peak).unwrap_or(1);
    let lasts = LENGTH * u32::try_from(scale(1)).unwrap_or(1);
    let mut looks: Vec<[Held; 3]> = Vec::new();
    let closed = load(&sockets, each, lasts, || {
        for _ in 0..LOOKS {
            rest(lasts / LOOKS);
            looks.push([1, 2, 3].map(|number| Held::by(cluster.node(number))));
        }
    });
    tell(&format!(
        "{peak} cases in {PEAK:?}, then {closed} in {lasts:?}"
    ));
    for at in 0..3 {
        let of_node: Vec<Held> = looks.iter().map(|look| look[at]).collect();
        let quarter = of_node.len() / 4;
        let warm = Held::most(&of_node[quarter..2 * quarter]);
        let last = Held::most(&of_node[3 * quarter..]);
        tell(&format!("n{}: {warm:?}, then {last:?}", at + 1));
        let is_flat = last.bytes <= warm.bytes + MORE_BYTES
            && last.descriptors <= warm.descriptors + MORE_DESCRIPTORS
            && last.tasks <= warm.tasks + MORE_TASKS;
        assert!(is_flat, "n{}: {of_node:#?}", at + 1);
    }
}
