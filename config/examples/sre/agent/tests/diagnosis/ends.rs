//! Ends of life, nodes that do not work, and what follows from what.

use serde_json::{Value, json};

use super::desk::cause;
use super::kit::{
    about, crashing, dead, event, member, node, owned, pod, running, set, troubled, waiting,
};

fn one(pod: Value, more: &[Value]) -> super::desk::Answer {
    let mut items = vec![node("n1", "8", "16Gi"), pod];
    items.extend_from_slice(more);
    cause("", &items)
}

#[test]
fn a_volume_that_is_attached_elsewhere_names_its_holder_and_a_dead_node_behind_it() {
    let with_claim = |name: &str| super::kit::mounting(member(name, "1", "1Gi"), "data");
    let holder = running(with_claim("db-0"), "n2");
    let waits = troubled(
        with_claim("web-0"),
        "n1",
        &waiting("ContainerCreating", ""),
        &json!({}),
        0,
    );
    let multi = event(
        "web-0",
        "FailedAttachVolume",
        "Multi-Attach error for volume \"pvc-1\" Volume is already used by pod(s) db-0",
    );
    let claim = super::kit::claim("data", &json!("fast"), "Bound");
    let items = [
        node("n1", "8", "16Gi"),
        node("n2", "8", "16Gi"),
        claim.clone(),
        holder.clone(),
        waits.clone(),
        multi.clone(),
    ];
    cause("", &items).because(&["Multi-Attach", "pod shop/db-0 on n2"]);
    let items = [
        node("n1", "8", "16Gi"),
        dead(node("n2", "8", "16Gi")),
        claim,
        holder,
        waits,
        multi,
    ];
    cause("web-0", &items).because(&["Node n2 is NotReady", "web-0"]);
}

#[test]
fn pods_of_a_dead_node_follow_from_it() {
    let unready = |pod: Value| {
        set(
            running(pod, "n1"),
            "/status/conditions/0/status",
            json!("False"),
        )
    };
    let leaving = set(
        unready(member("db-0", "1", "1Gi")),
        "/metadata/deletionTimestamp",
        json!("2026-03-10T09:15:30Z"),
    );
    let items = [
        dead(node("n1", "8", "16Gi")),
        node("n2", "8", "16Gi"),
        unready(member("web-0", "1", "1Gi")),
        leaving,
    ];
    let answer = cause("db-0 is stuck", &items);
    answer.because(&["Node n1 is NotReady", "db-0"]);
    answer.has(answer.0.impact.as_deref().unwrap(), &["web", "db"]);
}

#[test]
fn a_node_without_network_follows_from_the_network_plugins_pod() {
    let cni = owned(
        pod("calico-node-x1", "100m", "64Mi"),
        "DaemonSet",
        "calico-node",
    );
    let state = waiting("ImagePullBackOff", "i/o timeout");
    let cni = troubled(cni, "n1", &state, &json!({}), 0);
    let ill = set(
        node("n1", "8", "16Gi"),
        "/status/conditions",
        json!([{"type": "Ready",
        "status": "False", "reason": "KubeletNotReady",
        "message": "container runtime network not ready: cni plugin not initialized"}]),
    );
    cause("n1 is not ready", &[ill, cni]).because(&["calico-node", "image", "Node n1 is NotReady"]);
}

#[test]
fn a_stuck_deletion_names_its_finalizer() {
    let stuck = set(
        running(pod("web-0", "1", "1Gi"), "n1"),
        "/metadata/deletionTimestamp",
        json!("2026-03-10T09:00:00Z"),
    );
    let held = set(
        stuck.clone(),
        "/metadata/finalizers",
        json!(["example.com/backup"]),
    );
    one(held, &[event("x", "Other", "so that there is a time")])
        .because(&["stuck Terminating", "example.com/backup"]);
    one(stuck, &[event("x", "Other", "m")]).because(&["kubelet of n1"]);
    let in_grace = set(
        running(pod("web-0", "1", "1Gi"), "n1"),
        "/metadata/deletionTimestamp",
        json!("2026-03-10T09:30:20Z"),
    );
    one(in_grace, &[event("x", "Other", "m")]).is_healthy();
}

#[test]
fn evicted_pods_are_a_fault_only_while_nothing_has_replaced_them() {
    let evicted = |name: &str| {
        let pod = set(
            running(
                owned(pod(name, "1", "1Gi"), "ReplicaSet", "web-7d9cf856c9"),
                "n1",
            ),
            "/status",
            json!({"phase": "Failed", "reason": "Evicted",
                "message": "The node was low on resource: memory. "}),
        );
        set(
            pod,
            "/metadata/labels/pod-template-hash",
            json!("7d9cf856c9"),
        )
    };
    one(evicted("web-7d9cf856c9-aaaaa"), &[]).because(&["Evicted", "low on memory"]);
    let new = set(
        owned(
            running(pod("web-7d9cf856c9-bbbbb", "1", "1Gi"), "n1"),
            "ReplicaSet",
            "web-7d9cf856c9",
        ),
        "/metadata/labels/pod-template-hash",
        json!("7d9cf856c9"),
    );
    let new = set(
        new,
        "/metadata/creationTimestamp",
        json!("2026-03-10T08:30:00Z"),
    );
    let answer = one(evicted("web-7d9cf856c9-aaaaa"), &[new]);
    answer.is_healthy();
    assert!(answer.text().contains("a trace"), "{}", answer.text());
}

#[test]
fn jobs_that_ended_well_are_well_and_failed_ones_only_until_a_later_one_succeeds() {
    let job = |name: &str, job: &str, phase: &str, made: &str| {
        let code = i32::from(phase == "Failed");
        let pod = set(
            owned(pod(name, "1", "1Gi"), "Job", job),
            "/spec/restartPolicy",
            json!("Never"),
        );
        let pod = set(pod, "/spec/nodeName", json!("n1"));
        let pod = set(pod, "/metadata/creationTimestamp", json!(made));
        set(
            pod,
            "/status",
            json!({"phase": phase, "containerStatuses": [{"name": "main",
            "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": code,
                "reason": if code == 0 { "Completed" } else { "Error" }, "finishedAt": made}}}]}),
        )
    };
    let good = job(
        "backup-28912345-aaaaa",
        "backup-28912345",
        "Succeeded",
        "2026-03-10T09:00:00Z",
    );
    let bad = job(
        "backup-28912285-bbbbb",
        "backup-28912285",
        "Failed",
        "2026-03-10T08:00:00Z",
    );
    one(good.clone(), &[]).is_healthy();
    one(bad.clone(), &[]).because(&["(CronJob backup)", "exit code 1"]);
    one(bad, &[good]).is_healthy();
}

#[test]
fn a_pod_on_a_node_that_is_no_more_is_seen() {
    one(running(pod("web-0", "1", "1Gi"), "gone"), &[]).because(&["node gone", "does not exist"]);
    let lost = set(
        running(pod("web-0", "1", "1Gi"), "n1"),
        "/status/phase",
        json!("Unknown"),
    );
    one(lost, &[]).because(&["state is unknown", "n1"]);
}

#[test]
fn names_that_cannot_be_resolved_lead_to_the_clusters_dns() {
    let dns = set(
        crashing(
            owned(
                pod("coredns-5d78c9869d-abcde", "100m", "64Mi"),
                "ReplicaSet",
                "coredns-5d78c9869d",
            ),
            "n1",
            1,
            "Error",
            "plugin/loop: Loop detected",
        ),
        "/metadata/namespace",
        json!("kube-system"),
    );
    let web = crashing(
        pod("web-0", "1", "1Gi"),
        "n1",
        1,
        "Error",
        "lookup api.example.com: no such host",
    );
    cause("web-0 crashes", &[node("n1", "8", "16Gi"), dns, web]).because(&[
        "coredns",
        "Loop detected",
        "web-0",
    ]);
}

#[test]
fn pods_that_a_controller_cannot_make_are_seen_by_its_own_numbers() {
    let set_of = |ready: i64| {
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "web-7d9cf856c9", "namespace": "shop",
            "ownerReferences": [{"kind": "Deployment", "name": "web", "controller": true}]},
        "spec": {"replicas": 1}, "status": {"replicas": ready, "readyReplicas": ready}})
    };
    let failed = about(
        "ReplicaSet",
        "shop",
        "web-7d9cf856c9",
        "",
        "FailedCreate",
        "Error creating: pods \"web-7d9cf856c9-\" is forbidden: violates PodSecurity \"restricted:latest\"",
    );
    let answer = cause(
        "web is down",
        &[node("n1", "8", "16Gi"), set_of(0), failed.clone()],
    );
    answer.because(&["Deployment shop/web", "pod security"]);
    let made = owned(
        running(pod("web-7d9cf856c9-aaaaa", "1", "1Gi"), "n1"),
        "ReplicaSet",
        "web-7d9cf856c9",
    );
    cause(
        "web is down",
        &[node("n1", "8", "16Gi"), set_of(1), made, failed],
    )
    .is_healthy();
}

#[test]
fn a_workload_that_is_scaled_to_zero_is_no_fault_but_is_said() {
    let idle = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 0}, "status": {}});
    let answer = cause("web is down", &[node("n1", "8", "16Gi"), idle]);
    answer.is_healthy();
    answer.has(&answer.text(), &["Deployment shop/web is scaled to 0 pods"]);
}

#[test]
fn nodes_that_are_down_for_one_reason_are_one_fault_and_a_zone_is_named() {
    let zoned = |name: &str, zone: &str| {
        let node = node(name, "8", "16Gi");
        set(
            node,
            "/metadata/labels/topology.kubernetes.io~1zone",
            json!(zone),
        )
    };
    let items = [
        dead(zoned("a1", "a")),
        dead(zoned("a2", "a")),
        zoned("b1", "b"),
        running(member("web-0", "1", "1Gi"), "a1"),
        running(member("db-0", "1", "1Gi"), "a2"),
    ];
    let answer = cause("", &items);
    answer.because(&[
        "2 nodes (a1 and a2) are NotReady",
        "all nodes of zone a",
        "web-0",
    ]);
    assert_eq!(answer.faults().len(), 1, "{}", answer.text());
}

#[test]
fn a_controller_that_failed_long_ago_still_says_so_in_its_condition() {
    let set_of = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "web-7d9cf856c9", "namespace": "shop"},
        "spec": {"replicas": 2}, "status": {"replicas": 0, "conditions": [{"type": "ReplicaFailure",
            "status": "True", "reason": "FailedCreate", "message": "pods \"web-7d9cf856c9-x\" is \
            forbidden: exceeded quota: compute, requested: pods=1, used: pods=5, limited: pods=5"}]}});
    cause(
        "web",
        &[
            node("n1", "8", "16Gi"),
            set_of,
            running(pod("x", "1", "1Gi"), "n1"),
        ],
    )
    .because(&["Deployment shop/web", "exceeded quota: compute"]);
}

#[test]
fn a_workload_that_lacks_pods_without_any_word_is_said_so() {
    let web = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 3}, "status": {}});
    let answer = cause(
        "web",
        &[
            node("n1", "8", "16Gi"),
            web,
            running(pod("x", "1", "1Gi"), "n1"),
        ],
    );
    answer.because(&["wants 3 pods but only 0 exist"]);
    assert!(answer.0.confidence <= 0.6);
}

#[test]
fn a_running_pod_of_which_only_the_phase_was_recorded_is_well() {
    let bare = set(
        running(member("web-0", "1", "1Gi"), "n1"),
        "/status",
        json!({"phase": "Running"}),
    );
    let plain = set(node("n1", "8", "16Gi"), "/status/conditions", json!([]));
    cause("", &[plain, bare]).is_healthy();
}
