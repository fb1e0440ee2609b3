//! Pods that wait for a node, for want of room or of a node that is open.

use serde_json::{Value, json};

use super::desk::cause;
use super::kit::{dead, member, node, owned, pod, running, set, tainted};

#[test]
fn a_shortage_is_cured_by_exactly_as_many_nodes_as_packing_needs() {
    // Five pods of 3 CPUs on nodes of 8: two on each, so three nodes; the sums alone say two.
    let mut items = vec![
        node("n1", "8", "32Gi"),
        running(pod("full", "7", "1Gi"), "n1"),
    ];
    items.extend((0..5).map(|i| member(&format!("web-{i}"), "3", "1Gi")));
    cause("", &items)
        .because(&["Shortage of cpu", "n1 lacks cpu (free 1)"])
        .advises(&["Add 3 nodes of the size of n1", "all 5 pods"]);
}

#[test]
fn unequal_pods_are_packed_exactly() {
    // 5+3+2 and 4+4+2 fill two nodes of 10; first fit, largest first, would take three.
    let mut items = vec![
        node("n1", "10", "32Gi"),
        running(pod("full", "10", "1Gi"), "n1"),
    ];
    for (i, cpu) in ["5", "4", "4", "3", "2", "2"].iter().enumerate() {
        items.push(owned(
            pod(&format!("job-{i}"), cpu, "1Gi"),
            "StatefulSet",
            &format!("s{i}"),
        ));
    }
    cause("", &items).advises(&["Add 2 nodes of the size of n1", "all 6 pods"]);
}

#[test]
fn what_runs_on_every_node_takes_room_on_an_added_one() {
    // 4 CPUs less 500m of a daemon set: one pod of 2 CPUs each, not two.
    let agent = owned(
        running(pod("agent-x", "500m", "64Mi"), "n1"),
        "DaemonSet",
        "agent",
    );
    let mut items = vec![
        node("n1", "4", "16Gi"),
        agent,
        running(pod("full", "3", "1Gi"), "n1"),
    ];
    items.extend((0..2).map(|i| member(&format!("web-{i}"), "2", "1Gi")));
    cause("", &items).advises(&["Add 2 nodes of the size of n1"]);
}

#[test]
fn init_containers_sidecars_and_overhead_count() {
    let heavy_init = set(
        pod("init", "1", "1Gi"),
        "/spec/initContainers",
        json!([
        {"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
        {"name": "unpack", "resources": {"requests": {"cpu": "3"}}}]),
    );
    let heavy_init = set(heavy_init, "/spec/overhead", json!({"cpu": "250m"}));
    cause("", &[node("n1", "4", "16Gi"), heavy_init])
        .because(&["cpu 4250m", "larger than any node"]);
}

#[test]
fn a_limit_without_a_request_is_asked_for() {
    let limited = set(
        pod("limited", "1", "1Gi"),
        "/spec/containers/0/resources",
        json!({"limits": {"cpu": "6", "memory": "1Gi"}}),
    );
    cause("", &[node("n1", "4", "16Gi"), limited]).because(&["cpu 6", "larger than any node"]);
}

#[test]
fn ended_pods_take_no_room() {
    let done = set(
        running(pod("done", "4", "1Gi"), "n1"),
        "/status/phase",
        json!("Succeeded"),
    );
    let answer = cause(
        "",
        &[node("n1", "4", "16Gi"), done, pod("web-0", "2", "1Gi")],
    );
    answer.because(&["n1 would take it by what was recorded"]);
    assert!(answer.0.confidence < 0.6);
}

#[test]
fn places_for_pods_run_out_like_cpu() {
    let small = set(
        node("n1", "64", "64Gi"),
        "/status/allocatable/pods",
        json!("2"),
    );
    let items = [
        small,
        running(pod("a", "1", "1Gi"), "n1"),
        running(pod("b", "1", "1Gi"), "n1"),
        pod("c", "1", "1Gi"),
    ];
    let answer = cause("", &items);
    answer
        .because(&["places for pods"])
        .advises(&["Add 1 node of the size of n1"]);
    answer.has(
        &answer.text(),
        &["1 Too many pods", "all 2 places for pods are taken"],
    );
}

#[test]
fn devices_and_ephemeral_storage_run_out_too() {
    let ask = |name: &str, what: &str, amount: &str| {
        set(
            pod(name, "1", "1Gi"),
            &format!("/spec/containers/0/resources/requests/{what}"),
            json!(amount),
        )
    };
    cause(
        "",
        &[node("n1", "8", "16Gi"), ask("gpu", "nvidia.com~1gpu", "1")],
    )
    .because(&["nvidia.com/gpu 1", "no node that it may use offers"]);
    cause(
        "",
        &[
            node("n1", "8", "16Gi"),
            ask("big", "ephemeral-storage", "200Gi"),
        ],
    )
    .because(&["ephemeral-storage 200Gi", "larger than any node"]);
    let broken = set(
        node("gpu-1", "8", "16Gi"),
        "/status/capacity/nvidia.com~1gpu",
        json!("4"),
    );
    cause("", &[broken, ask("gpu", "nvidia.com~1gpu", "1")])
        .because(&["gpu-1 has some of it but offers none", "device plugin"]);
}

#[test]
fn a_node_that_is_tainted_and_full_is_not_cured_by_a_toleration() {
    let items = [
        tainted(node("n1", "4", "16Gi"), "dedicated", "db", "NoSchedule"),
        running(pod("full", "4", "1Gi"), "n1"),
        node("n2", "4", "16Gi"),
        running(pod("busy", "3", "1Gi"), "n2"),
        pod("web-0", "2", "1Gi"),
    ];
    cause("", &items)
        .because(&["Shortage of cpu", "n2 lacks cpu (free 1)"])
        .advises(&[
            "Add 1 node of the size of n2",
            "Tolerating the taint (n1) would not help",
        ]);
}

#[test]
fn a_soft_taint_keeps_nothing_away() {
    let soft = tainted(
        node("n1", "4", "16Gi"),
        "dedicated",
        "db",
        "PreferNoSchedule",
    );
    cause("", &[soft, pod("web-0", "2", "1Gi")]).because(&["n1 would take it"]);
}

#[test]
fn tolerations_are_matched_by_key_value_and_effect() {
    let node_with = || tainted(node("n1", "4", "16Gi"), "team", "a", "NoSchedule");
    let wrong = set(
        pod("web-0", "1", "1Gi"),
        "/spec/tolerations",
        json!([{"key": "team", "operator": "Equal", "value": "b", "effect": "NoSchedule"}]),
    );
    cause("", &[node_with(), wrong]).because(&["taint team=a:NoSchedule", "not tolerated"]);
    let right = set(
        pod("web-0", "1", "1Gi"),
        "/spec/tolerations",
        json!([{"operator": "Exists"}]),
    );
    cause("", &[node_with(), right]).because(&["n1 would take it"]);
}

#[test]
fn a_cordoned_node_without_its_taint_is_cordoned_all_the_same() {
    let cordoned = set(node("n1", "8", "16Gi"), "/spec/unschedulable", json!(true));
    cause("", &[cordoned.clone(), pod("web-0", "1", "1Gi")])
        .because(&["n1", "cordoned"])
        .advises(&["Uncordon n1"]);
    let tolerant = set(
        pod("web-0", "1", "1Gi"),
        "/spec/tolerations",
        json!([{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]),
    );
    cause("", &[cordoned, tolerant]).because(&["n1 would take it"]);
}

#[test]
fn a_cordoned_node_that_is_full_too_is_not_the_cause() {
    let items = [
        set(node("n1", "4", "16Gi"), "/spec/unschedulable", json!(true)),
        running(pod("full", "4", "1Gi"), "n1"),
        node("n2", "4", "16Gi"),
        running(pod("busy", "3", "1Gi"), "n2"),
        pod("web-0", "2", "1Gi"),
    ];
    cause("", &items)
        .because(&["Shortage of cpu"])
        .advises(&["Add 1 node", "Uncordoning (n1) would not help"]);
}

#[test]
fn uncordoning_that_helps_some_is_said_so() {
    let mut items = vec![
        set(node("n1", "4", "16Gi"), "/spec/unschedulable", json!(true)),
        node("n2", "4", "16Gi"),
        running(pod("busy", "3", "1Gi"), "n2"),
    ];
    items.extend((0..3).map(|i| member(&format!("web-{i}"), "3", "1Gi")));
    cause("", &items)
        .because(&["Shortage of cpu"])
        .advises(&["Add 3 nodes", "Uncordoning (n1) would place only 1 of 3"]);
}

#[test]
fn an_ill_node_that_would_take_the_pod_is_the_cause() {
    let items = [
        dead(node("n1", "8", "16Gi")),
        node("n2", "2", "4Gi"),
        running(pod("full", "2", "1Gi"), "n2"),
        pod("web-0", "4", "1Gi"),
    ];
    cause("web-0 is pending", &items).because(&[
        "Node n1 is NotReady",
        "It explains what was asked",
        "web-0",
    ]);
}

#[test]
fn an_ill_node_that_would_not_take_the_pod_is_not_the_cause() {
    let items = [
        dead(node("n1", "2", "4Gi")),
        node("n2", "8", "16Gi"),
        running(pod("full", "7", "1Gi"), "n2"),
        pod("web-0", "4", "1Gi"),
    ];
    let answer = cause("web-0 is pending", &items);
    answer.because(&["Shortage of cpu", "n2 lacks cpu"]);
    answer.has(
        &answer.text(),
        &["a fault of its own: none of the pods in question runs there"],
    );
}

#[test]
fn pressure_without_its_taint_keeps_pods_away_all_the_same() {
    let full = set(
        node("n1", "8", "16Gi"),
        "/status/conditions",
        json!([
        {"type": "Ready", "status": "True"},
        {"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure",
         "message": "kubelet has disk pressure"}]),
    );
    cause("web-0 is pending", &[full, pod("web-0", "1", "1Gi")])
        .because(&["Node n1 has DiskPressure", "web-0"]);
}

#[test]
fn preemption_is_noticed() {
    let low = running(pod("low", "3", "1Gi"), "n1");
    let high = set(pod("high", "2", "1Gi"), "/spec/priority", json!(1000));
    let answer = cause("", &[node("n1", "4", "16Gi"), low.clone(), high.clone()]);
    answer.has(
        &answer.text(),
        &[
            "priority 1000",
            "ending those on n1 would make room (preemption)",
        ],
    );
    let shy = set(high, "/spec/preemptionPolicy", json!("Never"));
    let answer = cause("", &[node("n1", "4", "16Gi"), low, shy]);
    answer.has(&answer.text(), &["preemptionPolicy Never"]);
}

#[test]
fn room_that_is_promised_to_another_pod_is_not_free() {
    let first = set(pod("first", "3", "1Gi"), "/spec/priority", json!(10));
    let first = set(first, "/status/nominatedNodeName", json!("n1"));
    let answer = cause(
        "second",
        &[node("n1", "4", "16Gi"), first, pod("second", "2", "1Gi")],
    );
    answer.because(&["second", "cpu"]);
}

#[test]
fn a_large_cluster_is_answered_in_time_and_in_bounds() {
    let mut items: Vec<Value> = Vec::new();
    for n in 0..300 {
        items.push(node(&format!("n{n}"), "4", "16Gi"));
        items.push(running(
            pod(&format!("full-{n}"), "3500m", "8Gi"),
            &format!("n{n}"),
        ));
    }
    items.extend((0..100).map(|i| member(&format!("web-{i}"), "1", "2Gi")));
    let answer = cause("", &items);
    answer
        .because(&["100 pods of StatefulSet shop/web"])
        .advises(&["Add 25 nodes of the size of n0", "all 100 pods"]);
    assert!(answer.0.json().len() < 64 * 1024);
}

#[test]
fn what_an_uncordoned_node_frees_is_shared_by_all_that_wait() {
    // Both would fit on n1 alone; together only the older one does.
    let items = [
        set(node("n1", "4", "16Gi"), "/spec/unschedulable", json!(true)),
        node("n2", "4", "16Gi"),
        running(pod("busy", "3", "1Gi"), "n2"),
        set(
            member("first-0", "3", "1Gi"),
            "/metadata/creationTimestamp",
            json!("2026-03-10T07:00:00Z"),
        ),
        member("second-0", "3", "1Gi"),
    ];
    cause("first", &items).because(&["n1", "cordoned"]);
    cause("second", &items)
        .because(&["Shortage of cpu"])
        .advises(&["Uncordoning (n1) would not help"]);
}

#[test]
fn workloads_that_wait_for_the_same_room_are_packed_together() {
    let items = [
        node("n1", "4", "16Gi"),
        running(pod("busy", "3", "1Gi"), "n1"),
        member("a-0", "2", "1Gi"),
        member("b-0", "2", "1Gi"),
        member("c-0", "3", "1Gi"),
    ];
    let answer = cause("a-0", &items);
    answer.advises(&[
        "Add 2 nodes of the size of n1",
        "all 3 pods of the 3 workloads",
    ]);
    answer.has(&answer.0.summary, &["The same holds up 2 more workloads"]);
}

#[test]
fn a_scheduler_that_says_nothing_is_the_cause_only_where_a_node_would_take_the_pod() {
    let silent =
        |name: &str, cpu: &str| set(member(name, cpu, "1Gi"), "/status/conditions", json!([]));
    let items = [
        node("n1", "4", "16Gi"),
        silent("web-0", "1"),
        super::kit::event("other", "Other", "so that there is a time"),
    ];
    cause("", &items).because(&["scheduler default-scheduler", "has not looked at it"]);
    let items = [node("n1", "4", "16Gi"), silent("web-0", "8")];
    cause("", &items).because(&["cpu 8", "larger than any node"]);
}

#[test]
fn the_smallest_size_that_does_is_chosen_and_the_others_are_offered() {
    let mut items = vec![
        node("big", "32", "128Gi"),
        running(pod("full-b", "32", "1Gi"), "big"),
        node("small", "4", "16Gi"),
        running(pod("full-s", "4", "1Gi"), "small"),
    ];
    items.extend((0..4).map(|i| member(&format!("web-{i}"), "2", "1Gi")));
    let answer = cause("", &items);
    answer.advises(&["Add 1 node of the size of big"]);
    answer.has(&answer.text(), &["instead: 2 nodes of the size of small"]);
}
