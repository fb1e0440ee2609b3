//! Healing: all faults are taken off, and everything must come to its end within a bound.

use std::collections::BTreeMap;
use std::time::Duration;

use runtime::clock::Deadline;
use serde_json::Value;

use crate::cluster::{Cluster, voters};
use crate::fault::{self, Active};
use crate::http;
use crate::sweep::Leftover;
use crate::wait::{rest, tell};

/// All that was begun ends within this, with both cores busy.
const BOUND: Duration = Duration::from_mins(1);
/// Between two looks.
const STEP: Duration = Duration::from_millis(100);
/// An answer of a healed node.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Rows of a page of cases.
const PAGE: usize = 1000;

/// Takes all faults off, and starts every daemon that does not run; says which had ended by itself.
pub fn heal(cluster: &mut Cluster, active: Vec<Active>) -> Vec<usize> {
    for fault in active {
        fault.take_off(cluster);
    }
    let mut fallen = Vec::new();
    for number in 1..=cluster.size() {
        let node = cluster.node_mut(number);
        if !node.is_running() {
            let log = node.log();
            let last = log.lines().last().unwrap_or_default();
            tell(&format!("n{number} had ended by itself: {last}"));
            fallen.push(number);
            node.spawn();
        }
    }
    for number in 1..=cluster.size() {
        cluster.node_mut(number).wait_ready();
    }
    fault::make_good(cluster);
    fallen
}

/// Waits until all is over, and says what is not when the bound is reached.
pub fn settle(cluster: &Cluster) -> Vec<String> {
    let deadline = Deadline::after(BOUND);
    loop {
        let unsettled = unsettled(cluster);
        if unsettled.is_empty() || deadline.is_over() {
            return unsettled;
        }
        rest(STEP);
    }
}

/// Waits until nothing of the agents' boxes is left, and says what is when the bound is reached.
pub fn sweep(cluster: &Cluster) -> Vec<String> {
    let deadline = Deadline::after(BOUND);
    loop {
        let numbers = 1..=cluster.size();
        let left: Vec<String> = numbers
            .flat_map(|number| {
                let boxes = cluster.node(number).boxes().into_iter();
                let boxes = boxes.filter(Leftover::runs);
                boxes.map(move |left| format!("n{number}: {left}"))
            })
            .collect();
        if left.is_empty() || deadline.is_over() {
            return left;
        }
        rest(STEP);
    }
}

/// Every case, as a node shows it.
pub fn cases(cluster: &Cluster, number: usize) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = get(cluster, number, &format!("/v1/cases?limit={PAGE}{after}"));
        let page = page.unwrap_or_default();
        for line in page["cases"].as_array().into_iter().flatten() {
            let id = line["id"].as_str().unwrap_or_default();
            let path = format!("/v1/cases/{id}?consistency=local");
            if let Some(case) = get(cluster, number, &path) {
                all.insert(id.to_owned(), case);
            }
        }
        let Some(next) = page["next"].as_str() else {
            return all;
        };
        after = format!("&after={next}");
    }
}

fn unsettled(cluster: &Cluster) -> Vec<String> {
    let mut wrongs = Vec::new();
    for number in 1..=cluster.size() {
        let Some(status) = get(cluster, number, "/v1/status") else {
            wrongs.push(format!("n{number} does not answer"));
            continue;
        };
        if status["cluster"]["leader"].is_null() {
            wrongs.push(format!("n{number} knows no leader"));
        }
        for node in status["cluster"]["nodes"].as_array().into_iter().flatten() {
            if node["health"] != "up" {
                wrongs.push(format!(
                    "n{number} holds {} for {}",
                    node["id"], node["health"]
                ));
            }
        }
        let voting = voters(&status);
        if voting != cluster.wanted_voters() {
            wrongs.push(format!("n{number} holds {voting} nodes for voters"));
        }
        for kind in ["open", "planned", "running", "reporting"] {
            if status["cases"][kind] != 0 {
                wrongs.push(format!(
                    "n{number} has {} cases {kind}",
                    status["cases"][kind]
                ));
            }
        }
        if status["workers"]["busy"] != 0 {
            wrongs.push(format!(
                "n{number} has {} workers busy",
                status["workers"]["busy"]
            ));
        }
    }
    wrongs
}

fn get(cluster: &Cluster, number: usize, path: &str) -> Option<Value> {
    let socket = cluster.node(number).socket();
    let reply = http::wish(&socket, ("GET", path), None, "", ANSWER_LIMIT).ok()?;
    let is_good = reply.status == 200;
    serde_json::from_str(&reply.body).ok().filter(|_| is_good)
}
