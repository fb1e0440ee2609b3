//! Claims, volumes and classes.

use serde_json::{Value, json};

use super::desk::cause;
use super::kit::{about, claim, class, mounting, node, pod, running, set, volume};

fn waiting_for(claim_or_none: &[Value], more: &[Value]) -> super::desk::Answer {
    let mut items = vec![
        node("n1", "8", "16Gi"),
        mounting(pod("db-0", "1", "1Gi"), "data"),
    ];
    items.extend_from_slice(claim_or_none);
    items.extend_from_slice(more);
    cause("", &items)
}

#[test]
fn a_claim_that_does_not_exist_is_named() {
    let other = claim("other", &json!("fast"), "Bound");
    waiting_for(&[other], &[]).because(&["Claim shop/data does not exist", "db-0"]);
    // Without any recorded claim, the scheduler's words are needed.
    let told = set(
        mounting(pod("db-0", "1", "1Gi"), "data"),
        "/status/conditions/0/message",
        json!("persistentvolumeclaim \"data\" not found"),
    );
    cause("", &[node("n1", "8", "16Gi"), told]).because(&["Claim shop/data does not exist"]);
}

#[test]
fn claims_that_were_not_recorded_are_judged_by_the_schedulers_words_only() {
    let told = set(
        mounting(pod("db-0", "1", "1Gi"), "data"),
        "/status/conditions/0/message",
        json!("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."),
    );
    let answer = cause("", &[node("n1", "8", "16Gi"), told]);
    answer.because(&["unbound immediate PersistentVolumeClaims"]);
    assert!(answer.0.confidence <= 0.5);
}

#[test]
fn a_missing_class_is_named_with_those_there_are() {
    let standard = class("standard", "disk.example.com", "Immediate");
    waiting_for(&[claim("data", &json!("premium"), "Pending")], &[standard])
        .because(&["storage class premium does not exist", "standard"]);
}

#[test]
fn a_claim_without_a_class_needs_a_default_one() {
    let plain = || class("standard", "disk.example.com", "Immediate");
    waiting_for(&[claim("data", &json!(null), "Pending")], &[plain()])
        .because(&["names no storage class", "default"])
        .advises(&["is-default-class"]);
    let default = set(
        plain(),
        "/metadata/annotations",
        json!({"storageclass.kubernetes.io/is-default-class": "true"}),
    );
    let answer = waiting_for(&[claim("data", &json!(null), "Pending")], &[default]);
    answer.because(&["provisioner disk.example.com has made no volume"]);
}

#[test]
fn a_claim_that_waits_for_its_first_pod_is_normal() {
    let late = class("late", "disk.example.com", "WaitForFirstConsumer");
    cause(
        "",
        &[
            node("n1", "8", "16Gi"),
            claim("data", &json!("late"), "Pending"),
            late.clone(),
        ],
    )
    .is_healthy();
    // Its pod waits for room, not for the claim.
    let full = running(pod("full", "8", "1Gi"), "n1");
    waiting_for(&[claim("data", &json!("late"), "Pending")], &[late, full])
        .because(&["Shortage of cpu"]);
}

#[test]
fn a_provisioner_that_fails_is_quoted_whatever_the_binding_mode() {
    for mode in ["Immediate", "WaitForFirstConsumer"] {
        let failed = about(
            "PersistentVolumeClaim",
            "shop",
            "data",
            "claim-data",
            "ProvisioningFailed",
            "failed to provision volume: quota of disks exceeded",
        );
        let fast = class("fast", "disk.example.com", mode);
        waiting_for(&[claim("data", &json!("fast"), "Pending")], &[fast, failed])
            .because(&["disk.example.com", "quota of disks exceeded"]);
    }
}

#[test]
fn volumes_made_by_hand_are_explained_one_by_one() {
    let static_claim = claim("data", &json!(""), "Pending");
    let small = volume("pv-small", "", "5Gi");
    let taken = set(
        set(
            volume("pv-taken", "", "50Gi"),
            "/spec/claimRef",
            json!({"namespace": "shop", "name": "old"}),
        ),
        "/status/phase",
        json!("Released"),
    );
    let shared = set(
        volume("pv-rwx", "", "50Gi"),
        "/spec/accessModes",
        json!(["ReadWriteMany"]),
    );
    let classy = volume("pv-class", "fast", "50Gi");
    let answer = waiting_for(&[static_claim], &[small, taken, shared, classy]);
    answer.because(&[
        "pv-small",
        "it has 5Gi, the claim wants 10Gi",
        "pv-taken",
        "it is released and belongs to shop/old",
        "pv-rwx",
        "ReadWriteOnce",
        "it has class fast, the claim wants no class",
    ]);
}

#[test]
fn a_lost_claim_and_one_that_is_being_deleted_are_told() {
    waiting_for(&[claim("data", &json!("fast"), "Lost")], &[]).because(&["Lost", "volume is gone"]);
    let leaving = set(
        claim("data", &json!("fast"), "Bound"),
        "/metadata/deletionTimestamp",
        json!("2026-03-10T09:29:50Z"),
    );
    waiting_for(&[leaving], &[]).because(&["is being deleted"]);
}

#[test]
fn a_claim_that_insists_on_a_volume_gets_no_other() {
    let picky = set(
        claim("data", &json!("fast"), "Pending"),
        "/spec/volumeName",
        json!("pv-1"),
    );
    let fast = class("fast", "disk.example.com", "Immediate");
    let taken = set(
        set(
            volume("pv-1", "fast", "10Gi"),
            "/spec/claimRef",
            json!({"namespace": "shop", "name": "other"}),
        ),
        "/status/phase",
        json!("Bound"),
    );
    waiting_for(&[picky], &[fast, taken]).because(&["insists on volume pv-1", "shop/other"]);
}

#[test]
fn a_volume_in_another_zone_keeps_the_pod_there() {
    let zone = |name: &str, zone: &str| {
        set(
            node(name, "8", "16Gi"),
            "/metadata/labels/topology.kubernetes.io~1zone",
            json!(zone),
        )
    };
    let bound = set(
        claim("data", &json!("fast"), "Bound"),
        "/spec/volumeName",
        json!("pv-1"),
    );
    let volume = set(
        volume("pv-1", "fast", "10Gi"),
        "/spec/nodeAffinity/required",
        json!({"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a"]}]}]}),
    );
    let db = || mounting(pod("db-0", "1", "1Gi"), "data");
    cause("", &[zone("b1", "b"), bound.clone(), volume.clone(), db()]).because(&[
        "volume pv-1",
        "only reached from topology.kubernetes.io/zone=a",
    ]);
    // Where a node of the zone exists but is full, room there is what is missing.
    let full = running(pod("full", "8", "1Gi"), "a1");
    cause(
        "",
        &[zone("a1", "a"), zone("b1", "b"), full, bound, volume, db()],
    )
    .because(&["Shortage of cpu", "a1 lacks cpu"])
    .advises(&["Add 1 node of the size of a1"]);
}

#[test]
fn a_local_volume_that_no_node_offers_is_told() {
    let local = class(
        "local",
        "kubernetes.io/no-provisioner",
        "WaitForFirstConsumer",
    );
    waiting_for(&[claim("data", &json!("local"), "Pending")], &[local])
        .because(&["no free volume of class local", "shop/data"]);
}

#[test]
fn a_claim_for_one_pod_alone_is_not_given_to_two() {
    let alone = set(
        claim("data", &json!("fast"), "Bound"),
        "/spec/accessModes",
        json!(["ReadWriteOncePod"]),
    );
    let user = running(mounting(pod("web-0", "1", "1Gi"), "data"), "n1");
    waiting_for(&[alone], &[user]).because(&["ReadWriteOncePod", "shop/web-0 uses"]);
}

#[test]
fn pods_of_the_provisioner_that_fail_are_the_cause_behind_the_claim() {
    let csi = super::kit::crashing(
        super::kit::owned(
            pod("csi-nfs-controller-0", "1", "1Gi"),
            "StatefulSet",
            "csi-nfs-controller",
        ),
        "n1",
        1,
        "Error",
        "cannot read credentials",
    );
    let nfs = class("shared", "nfs.csi.k8s.io", "Immediate");
    let mut items = vec![
        node("n1", "8", "16Gi"),
        mounting(pod("db-0", "1", "1Gi"), "data"),
    ];
    items.extend([claim("data", &json!("shared"), "Pending"), nfs, csi]);
    cause("db-0 is pending", &items).because(&[
        "csi-nfs-controller",
        "cannot read credentials",
        "db-0",
    ]);
}
