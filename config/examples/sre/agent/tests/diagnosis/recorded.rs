//! The clusters of the example, each with what must be found in it.

use agent::outcome::Severity;

use super::desk::Desk;

#[test]
fn the_gateway_pods_lack_cpu_and_memory_and_two_more_nodes_take_them() {
    let answer =
        Desk::recorded("mse-gateway", "pod mse-gateway-0 is Pending").ask("k8s-root-cause");
    answer
        .because(&[
            "mse/mse-gateway",
            "4 of 4 pods",
            "cpu",
            "memory",
            "work-d",
            "dedicated=ingress",
        ])
        .because(&["work-a lacks cpu (free 1340m)", "work-b lacks memory"])
        .advises(&[
            "Add 2 nodes of the size of work-a",
            "all 4 pods",
            "only 1 of 4",
        ]);
    let numbers = answer.text();
    answer.has(
        &numbers,
        &[
            "0/4 nodes are available: 1 node(s) had untolerated taint {dedicated: ingress}, \
         2 Insufficient cpu, 2 Insufficient memory.",
            "cpu requested 2580m of 3920m, free 1340m",
            "mse-gateway-0 is not in the recording",
        ],
    );
    let store = answer
        .faults()
        .into_iter()
        .find(|f| f.title.contains("data-mse-store-0"));
    answer.has(
        &store.unwrap().detail,
        &["alicloud-disk-essd", "does not exist"],
    );
    assert!(
        !answer.root().contains("alicloud"),
        "the store's claim is a fault of its own"
    );
}

#[test]
fn the_store_pod_is_answered_first_when_it_is_named() {
    for brief in [
        "why is mse-store-0 pending?",
        "mse/mse-store-0",
        "the store pod does not start",
    ] {
        let answer = Desk::recorded("mse-gateway", brief).ask("k8s-root-cause");
        answer.because(&["alicloud-disk-essd", "does not exist", "mse-store-0"]);
        assert!(
            answer.text().contains("mse-gateway"),
            "the other fault is named too"
        );
    }
}

#[test]
fn the_bottleneck_is_told_node_by_node() {
    let answer = Desk::recorded("mse-gateway", "").ask("resource-bottleneck");
    answer.advises(&["Add 2 nodes of the size of work-a"]);
    let text = answer.text();
    answer.has(
        &text,
        &[
            "work-c: cpu requested 3080m of 3920m, free 840m",
            "Requests against",
        ],
    );
    assert!(
        !text.contains("alicloud-disk-essd"),
        "a missing class is no shortage"
    );
}

#[test]
fn the_status_counts_the_pods_and_names_the_sick_ones() {
    let answer = Desk::recorded("mse-gateway", "").ask("instance-status");
    answer.has(
        &answer.0.summary,
        &["22 pods", "17 Running", "5 Pending", "4 of 4 nodes ready"],
    );
    assert_eq!(answer.faults().len(), 2);
    assert!(answer.0.root_cause.is_none(), "the status names no cause");
}

#[test]
fn a_healthy_cluster_has_no_fault_whatever_its_past() {
    for skill in ["k8s-root-cause", "instance-status", "resource-bottleneck"] {
        Desk::recorded("healthy", "is anything wrong?")
            .ask(skill)
            .is_healthy();
    }
    let answer = Desk::recorded("healthy", "cart keeps restarting").ask("k8s-root-cause");
    answer.is_healthy();
    assert!(answer.text().contains("6 restarts"), "its past is a note");
}

/// A recorded cluster, words of its root cause, words of what to do.
const EXPECTED: [(&str, &[&str], &[&str]); 15] = [
    (
        "taint-only",
        &["taint dedicated=batch:NoSchedule", "batch-a"],
        &["toleration"],
    ),
    (
        "cordoned",
        &["node-3", "cordoned"],
        &["kubectl uncordon", "node-3"],
    ),
    (
        "anti-affinity",
        &["must not be near", "app=broker"],
        &["1 node of the size of node-1"],
    ),
    (
        "volume-zone",
        &["node-a1", "cordoned", "zone-a"],
        &["Uncordon node-a1"],
    ),
    (
        "oom",
        &["OOMKilled", "256Mi", "exit code 137"],
        &["memory limit"],
    ),
    (
        "image-pull",
        &["catalog:2.5.0-rc7", "not found", "ImagePullBackOff"],
        &["tag"],
    ),
    ("probes", &["readiness probe", "503"], &["probe"]),
    (
        "node-not-ready",
        &["edge-1", "NotReady", "stopped posting"],
        &["edge-1"],
    ),
    (
        "too-large",
        &["memory 96Gi", "larger than any node", "big-1"],
        &["Lower the request"],
    ),
    (
        "config-missing",
        &["config map gateway-routes"],
        &["Create the config map"],
    ),
    ("evicted", &["n1", "DiskPressure"], &["disk"]),
    (
        "quota",
        &["exceeded quota: compute", "team-a"],
        &["Raise the quota"],
    ),
    (
        "red-herrings",
        &["nodeSelector disktype=nvme", "indexer-0"],
        &["Label a fitting node"],
    ),
    (
        "dependency",
        &["storage class shared does not exist", "redis-0"],
        &["storage class"],
    ),
    (
        "gpu",
        &["nvidia.com/gpu"],
        &["Add 2 nodes of the size of gpu-1", "all 3 pods"],
    ),
];

#[test]
fn each_recorded_cluster_has_the_cause_that_was_put_into_it() {
    for (name, root, advice) in EXPECTED {
        let answer = Desk::recorded(name, "").ask("k8s-root-cause");
        answer.because(root).advises(advice);
        assert!(
            answer.0.confidence >= 0.7,
            "{name}: {}",
            answer.0.confidence
        );
        assert!(answer.0.impact.is_some(), "{name} says who suffers");
    }
}

#[test]
fn the_brief_decides_which_of_two_faults_is_answered() {
    let answer = Desk::recorded("probes", "checkout keeps restarting").ask("k8s-root-cause");
    answer.because(&["checkout", "liveness probe", "port 9090", "8080"]);
    let answer = Desk::recorded("probes", "search gets no traffic").ask("k8s-root-cause");
    answer.because(&["search", "readiness probe"]);
    let answer = Desk::recorded("config-missing", "orders").ask("k8s-root-cause");
    answer.because(&["secret orders-db"]);
}

#[test]
fn a_crash_that_follows_from_another_workload_leads_to_that_one() {
    let answer = Desk::recorded("dependency", "cart crashes").ask("k8s-root-cause");
    answer.because(&["storage class shared", "It explains what was asked", "cart"]);
    assert!(
        answer.0.confidence < 0.9,
        "a name in last words is no proof"
    );
}

#[test]
fn a_quota_that_was_raised_since_is_no_fault() {
    let answer = Desk::recorded("quota", "api").ask("k8s-root-cause");
    assert!(
        !answer
            .text()
            .contains("Deployment team-a/api: its pods cannot"),
        "{}",
        answer.text()
    );
}

#[test]
fn a_folder_of_lists_whose_items_name_no_kind_is_read() {
    let answer = Desk::recorded("folder", "").ask("k8s-root-cause");
    answer.because(&["wordpress", "init container wait-for-db", "39 min"]);
    let text = answer.text();
    answer.has(
        &text,
        &["db-proxy", "free cpu", "notes.txt: text, not JSON"],
    );
    let damage = answer
        .0
        .findings
        .iter()
        .any(|f| f.severity > Severity::Info && f.title.contains("file"));
    assert!(!damage, "a note beside the recording is no fault");
}

#[test]
fn misleading_traces_are_named_as_such() {
    let answer = Desk::recorded("red-herrings", "").ask("k8s-root-cause");
    let text = answer.text();
    answer.has(
        &text,
        &["old event FailedScheduling of app/api", "is stable now"],
    );
    assert_eq!(answer.faults().len(), 1, "{text}");
}
