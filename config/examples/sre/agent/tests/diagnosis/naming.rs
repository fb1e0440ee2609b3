//! What a brief names, and what is answered when it names something that is not there.

use serde_json::json;

use super::desk::cause;
use super::kit::{crashing, member, node, owned, pod, running, set};

fn shop() -> Vec<serde_json::Value> {
    let gateway = owned(
        pod("checkout-api-7d9cf856c9-x2k4p", "1", "1Gi"),
        "ReplicaSet",
        "checkout-api-7d9cf856c9",
    );
    let gateway = set(
        gateway,
        "/metadata/labels/pod-template-hash",
        json!("7d9cf856c9"),
    );
    let gateway = set(gateway, "/metadata/labels/app", json!("checkout-api"));
    let elsewhere = set(
        crashing(member("db-0", "1", "1Gi"), "n1", 2, "Error", "bad flag"),
        "/metadata/namespace",
        json!("data"),
    );
    vec![
        node("n1", "64", "256Gi"),
        crashing(gateway, "n1", 1, "Error", "no route"),
        crashing(member("catalog-0", "1", "1Gi"), "n1", 139, "Error", ""),
        running(member("web-0", "1", "1Gi"), "n1"),
        elsewhere,
    ]
}

#[test]
fn pods_workloads_labels_and_parts_of_names_are_understood() {
    for brief in [
        "checkout-api-7d9cf856c9-x2k4p is in CrashLoopBackOff",
        "pod shop/checkout-api-7d9cf856c9-x2k4p",
        "pod/checkout-api-7d9cf856c9-x2k4p",
        "The deployment `checkout-api` keeps restarting!",
        "deploy/checkout-api crashes",
        "checkout keeps restarting",
        "CHECKOUT-API is down",
    ] {
        cause(brief, &shop()).because(&["checkout-api", "no route"]);
    }
    for brief in [
        "catalog crashes",
        "catalog-0",
        "statefulset catalog",
        "shop/catalog-0 fails",
    ] {
        cause(brief, &shop()).because(&["catalog", "SIGSEGV"]);
    }
}

#[test]
fn a_namespace_means_all_that_is_in_it() {
    cause("pods in namespace data crash", &shop()).because(&["data/db-0", "bad flag"]);
    let answer = cause("what is wrong in data?", &shop());
    answer.because(&["bad flag"]);
}

#[test]
fn a_replaced_pod_is_said_to_be_gone_and_its_workload_is_answered() {
    for brief in [
        "checkout-api-5c6d7f8b9d-aaaaa restarts",
        "pod checkout-api-0 crashes",
    ] {
        let answer = cause(brief, &shop());
        answer.because(&["no route"]);
        answer.has(&answer.0.summary, &["not in the recording", "checkout-api"]);
    }
}

#[test]
fn what_is_not_there_is_said_and_everything_is_diagnosed() {
    for brief in ["payments-0 is Pending", "the deployment ledger fails"] {
        let answer = cause(brief, &shop());
        answer.has(
            &answer.0.summary,
            &["not in the recording, so everything was looked at"],
        );
        assert_eq!(answer.faults().len(), 3, "{}", answer.text());
    }
}

#[test]
fn ordinary_words_are_no_names() {
    for brief in [
        "since 2026-03-10 09:00 several pods keep crashing, please find the root cause",
        "",
        "All our pods are unhealthy. Why?",
    ] {
        let answer = cause(brief, &shop());
        assert!(
            !answer.text().contains("not in the recording"),
            "{brief}: {}",
            answer.text()
        );
        assert_eq!(answer.faults().len(), 3);
    }
}

#[test]
fn a_node_and_a_claim_can_be_named() {
    let mut items = shop();
    items.push(super::kit::dead(node("worker-7.example.com", "4", "8Gi")));
    cause("worker-7 is not ready", &items).because(&["Node worker-7.example.com is NotReady"]);
    items.push(super::kit::claim("cache", &json!("nothing"), "Pending"));
    cause("pvc cache stays pending", &items).because(&["storage class nothing"]);
}

#[test]
fn the_hint_decides_between_faults_of_equal_weight() {
    let items = vec![
        node("n1", "4", "8Gi"),
        member("a-0", "64", "1Gi"),
        crashing(member("b-0", "1", "1Gi"), "n1", 1, "Error", "boom"),
    ];
    cause("pods are pending", &items).because(&["cpu 64"]);
    cause("something keeps restarting", &items).because(&["boom"]);
}
