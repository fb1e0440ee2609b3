//! Recordings that mislead: old events, earlier pods of the same name, several faults at once.

use serde_json::json;

use super::desk::{Desk, cause};
use super::kit::{
    crashing, dead, event, member, node, owned, pod, running, seen_at, set, troubled, waiting,
};

#[test]
fn events_of_an_earlier_pod_of_the_same_name_are_no_evidence() {
    let killing = set(
        event(
            "web-0",
            "Killing",
            "Container main failed liveness probe, will be restarted",
        ),
        "/involvedObject/uid",
        json!("an-earlier-pod"),
    );
    let answer = cause(
        "",
        &[
            node("n1", "8", "16Gi"),
            crashing(member("web-0", "1", "1Gi"), "n1", 1, "Error", "bad config"),
            killing,
        ],
    );
    answer.because(&["exit code 1", "bad config"]);
    assert!(!answer.root().contains("liveness"));
}

#[test]
fn a_running_pod_with_an_old_scheduling_event_is_well() {
    let old = seen_at(
        event(
            "web-0",
            "FailedScheduling",
            "0/1 nodes are available: 1 Insufficient cpu.",
        ),
        "2026-03-10T08:00:01Z",
    );
    cause(
        "web-0 is pending",
        &[
            node("n1", "8", "16Gi"),
            running(pod("web-0", "1", "1Gi"), "n1"),
            old,
        ],
    )
    .is_healthy();
}

#[test]
fn the_static_pods_of_a_node_take_events_by_their_own_hash() {
    let mirror = set(
        owned(pod("kube-apiserver-n1", "250m", "64Mi"), "Node", "n1"),
        "/metadata/annotations",
        json!({"kubernetes.io/config.hash": "abc123"}),
    );
    let mirror = crashing(mirror, "n1", 137, "Error", "");
    let event = |reason: &str, message: &str| {
        set(
            event("kube-apiserver-n1", reason, message),
            "/involvedObject/uid",
            json!("abc123"),
        )
    };
    cause(
        "",
        &[
            node("n1", "8", "16Gi"),
            mirror,
            event("Unhealthy", "Liveness probe failed: 500"),
            event(
                "Killing",
                "Container main failed liveness probe, will be restarted",
            ),
        ],
    )
    .because(&["liveness probe"]);
}

#[test]
fn events_in_the_new_form_count_like_those_in_the_old() {
    let new = json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "type": "Warning",
        "metadata": {"name": "e1", "namespace": "shop"}, "reason": "FailedCreatePodSandBox",
        "note": "plugin cni failed", "eventTime": "2026-03-10T09:29:00.000001Z",
        "deprecatedFirstTimestamp": null, "deprecatedLastTimestamp": null,
        "series": {"count": 12, "lastObservedTime": "2026-03-10T09:29:50.000000Z"},
        "regarding": {"kind": "Pod", "namespace": "shop", "name": "web-0", "uid": "pod-web-0"}});
    let creating = troubled(
        pod("web-0", "1", "1Gi"),
        "n1",
        &waiting("ContainerCreating", ""),
        &json!({}),
        0,
    );
    let answer = cause("", &[node("n1", "8", "16Gi"), creating, new]);
    answer.because(&["CNI"]);
    answer.has(&answer.text(), &["12 times, last 2026-03-10T09:29:50Z"]);
}

#[test]
fn two_faults_are_kept_apart() {
    let items = [
        node("n1", "4", "16Gi"),
        running(pod("full", "3", "1Gi"), "n1"),
        member("web-0", "2", "1Gi"),
        crashing(member("db-0", "100m", "1Gi"), "n1", 139, "Error", ""),
    ];
    let web = cause("web-0 is pending", &items);
    web.because(&["Shortage of cpu"]);
    web.has(
        &web.text(),
        &["a fault of its own: it touches other pods", "SIGSEGV"],
    );
    assert!(!web.root().contains("SIGSEGV"));
    cause("db keeps crashing", &items).because(&["SIGSEGV"]);
}

#[test]
fn a_dead_node_that_nobody_asked_about_is_not_blamed_for_a_wrong_image() {
    let state = waiting("ImagePullBackOff", "manifest unknown");
    let items = [
        dead(node("n1", "4", "16Gi")),
        node("n2", "4", "16Gi"),
        troubled(member("web-0", "1", "1Gi"), "n2", &state, &json!({}), 0),
        running(member("db-0", "1", "1Gi"), "n1"),
    ];
    let answer = cause("web-0 does not start", &items);
    answer.because(&["image"]);
    assert!(!answer.root().contains("NotReady"), "{}", answer.root());
    answer.has(&answer.text(), &["Node n1 is NotReady"]);
}

#[test]
fn a_pod_that_is_well_is_said_to_be_well_though_others_are_not() {
    let items = [
        node("n1", "4", "16Gi"),
        running(member("web-0", "1", "1Gi"), "n1"),
        crashing(
            member("db-0", "1", "1Gi"),
            "n1",
            1,
            "Error",
            "disk is read only",
        ),
    ];
    let answer = cause("web is slow", &items);
    answer.has(&answer.0.summary, &["No fault found in web", "db"]);
    assert!(answer.0.confidence <= 0.5);
}

#[test]
fn two_versions_of_one_object_are_one_and_the_newer_counts() {
    let old = set(
        member("web-0", "1", "1Gi"),
        "/metadata/resourceVersion",
        json!("100"),
    );
    let new = set(
        running(member("web-0", "1", "1Gi"), "n1"),
        "/metadata/resourceVersion",
        json!("200"),
    );
    cause("", &[node("n1", "4", "16Gi"), new.clone(), old.clone()]).is_healthy();
    cause("", &[node("n1", "4", "16Gi"), old, new]).is_healthy();
}

#[test]
fn a_recording_without_nodes_says_what_it_lacks() {
    let told = set(
        pod("web-0", "1", "1Gi"),
        "/status/conditions/0/message",
        json!("0/4 nodes are available: 4 Insufficient memory."),
    );
    let answer = cause("", &[told]);
    answer
        .because(&["4 Insufficient memory"])
        .advises(&["Record them as well"]);
    assert!(answer.0.confidence <= 0.5);
}

#[test]
fn events_alone_are_no_diagnosis() {
    let answer = cause(
        "",
        &[event(
            "web-0",
            "BackOff",
            "Back-off restarting failed container",
        )],
    );
    assert!(answer.0.root_cause.is_none() && answer.0.confidence < 0.1);
    answer.has(
        &answer.text(),
        &[
            "events only",
            "kubectl get nodes,pods",
            "Back-off restarting",
        ],
    );
}

#[test]
fn the_same_fault_in_all_replicas_is_one_finding_that_names_them() {
    let mut items = vec![node("n1", "64", "256Gi")];
    items.extend((0..30).map(|i| {
        let pod = owned(pod(&format!("web-{i}"), "1", "1Gi"), "StatefulSet", "web");
        crashing(pod, "n1", 1, "Error", "boom")
    }));
    let answer = cause("", &items);
    assert_eq!(answer.faults().len(), 1);
    answer.has(&answer.text(), &["30 of 30 pods", "web-0", "22 more"]);
}

#[test]
fn shuffled_objects_give_the_same_answer() {
    for name in [
        "mse-gateway",
        "red-herrings",
        "node-not-ready",
        "probes",
        "cordoned",
    ] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../clusters/{name}/all.json"));
        let list: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let mut items = list["items"].as_array().unwrap().clone();
        let ask = |items: &[serde_json::Value]| {
            let desk = Desk::with("", items);
            ["k8s-root-cause", "instance-status", "resource-bottleneck"].map(|s| desk.ask(s).text())
        };
        let expected = ask(&items);
        let mut dice = super::hostile::Dice::new(7);
        for _ in 0..5 {
            for i in (1..items.len()).rev() {
                items.swap(i, dice.below(i + 1));
            }
            assert_eq!(ask(&items), expected, "{name}");
        }
    }
}
