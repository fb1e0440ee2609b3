//! Pods that wait for a node because of a rule of their own: labels, neighbours, spread, ports, gates.

use serde_json::{Value, json};

use super::desk::cause;
use super::kit::{event, member, node, owned, pod, running, set};

fn anti(pod: Value, app: &str, key: &str) -> Value {
    set(
        pod,
        "/spec/affinity/podAntiAffinity",
        json!({"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key}]}),
    )
}

#[test]
fn selectors_and_affinity_are_told_with_what_the_nodes_have() {
    let picky = set(
        pod("web-0", "1", "1Gi"),
        "/spec/nodeSelector",
        json!({"disk": "ssd"}),
    );
    let hdd = set(
        node("n1", "4", "16Gi"),
        "/metadata/labels/disk",
        json!("hdd"),
    );
    cause("", &[hdd, node("n2", "4", "16Gi"), picky]).because(&[
        "nodeSelector disk=ssd",
        "the node's label is hdd",
        "is not set",
    ]);
    for (operator, values, fits) in [
        ("In", json!(["b"]), false),
        ("In", json!(["a", "b"]), true),
        ("NotIn", json!(["a"]), false),
        ("Exists", json!([]), true),
        ("DoesNotExist", json!([]), false),
        ("Gt", json!(["5"]), false),
        ("Lt", json!(["5"]), false),
    ] {
        let rule = json!({"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "pool", "operator": operator, "values": values}]}]});
        let pod = set(
            pod("web-0", "1", "1Gi"),
            "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution",
            rule,
        );
        let labelled = set(node("n1", "4", "16Gi"), "/metadata/labels/pool", json!("a"));
        let answer = cause("", &[labelled, pod]);
        answer.because(&[if fits {
            "n1 would take it"
        } else {
            "node affinity pool"
        }]);
    }
}

#[test]
fn a_pod_that_fits_only_where_its_selector_points_lacks_room_there() {
    let picky = set(
        pod("web-0", "2", "1Gi"),
        "/spec/nodeSelector",
        json!({"pool": "a"}),
    );
    let items = [
        set(node("a1", "4", "16Gi"), "/metadata/labels/pool", json!("a")),
        running(pod("full", "3", "1Gi"), "a1"),
        node("b1", "16", "64Gi"),
        picky,
    ];
    cause("", &items)
        .because(&[
            "Shortage of cpu",
            "a1 lacks cpu",
            "b1: nodeSelector wants pool=a",
        ])
        .advises(&["Add 1 node of the size of a1"]);
}

#[test]
fn a_daemon_set_pod_can_only_be_helped_on_its_own_node() {
    let bound = set(
        owned(pod("agent-x", "2", "1Gi"), "DaemonSet", "agent"),
        "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution",
        json!({"nodeSelectorTerms": [{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["n1"]}]}]}),
    );
    let items = [
        node("n1", "4", "16Gi"),
        running(pod("full", "3", "1Gi"), "n1"),
        node("n2", "4", "16Gi"),
        bound,
    ];
    cause("", &items)
        .because(&["n1 lacks cpu"])
        .advises(&["Free room on n1", "added nodes cannot help"]);
}

#[test]
fn anti_affinity_of_those_that_are_there_counts_as_well() {
    let guard = running(
        anti(pod("guard-0", "1", "1Gi"), "web", "kubernetes.io/hostname"),
        "n1",
    );
    cause(
        "",
        &[node("n1", "4", "16Gi"), guard, pod("web-0", "1", "1Gi")],
    )
    .because(&["shop/guard-0 keeps app=web within one kubernetes.io/hostname away"]);
}

#[test]
fn anti_affinity_speaks_of_its_own_namespace_unless_it_says_otherwise() {
    let there = set(
        running(pod("web-9", "1", "1Gi"), "n1"),
        "/metadata/namespace",
        json!("other"),
    );
    let lonely = anti(pod("web-0", "1", "1Gi"), "web", "kubernetes.io/hostname");
    cause(
        "",
        &[node("n1", "4", "16Gi"), there.clone(), lonely.clone()],
    )
    .because(&["n1 would take it"]);
    let wide = set(
        lonely,
        "/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/0/namespaceSelector",
        json!({}),
    );
    cause("", &[node("n1", "4", "16Gi"), there, wide]).because(&["must not be near"]);
}

#[test]
fn the_first_pod_that_wants_to_be_near_itself_may_go_anywhere() {
    let near = |pod: Value, app: &str| {
        set(
            pod,
            "/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution",
            json!([{"labelSelector": {"matchLabels": {"app": app}},
                "topologyKey": "kubernetes.io/hostname"}]),
        )
    };
    cause(
        "",
        &[
            node("n1", "4", "16Gi"),
            near(pod("web-0", "1", "1Gi"), "web"),
        ],
    )
    .because(&["n1 would take it"]);
    cause(
        "",
        &[
            node("n1", "4", "16Gi"),
            near(pod("web-0", "1", "1Gi"), "cache"),
        ],
    )
    .because(&["pod affinity", "app=cache"]);
}

#[test]
fn a_spread_that_must_hold_names_the_domains() {
    let zone = |name: &str, zone: &str| {
        set(
            node(name, "8", "16Gi"),
            "/metadata/labels/topology.kubernetes.io~1zone",
            json!(zone),
        )
    };
    let spread = |pod: Value| {
        set(
            pod,
            "/spec/topologySpreadConstraints",
            json!([{"maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "web"}}}]),
        )
    };
    let items = [
        zone("a1", "a"),
        set(zone("b1", "b"), "/spec/unschedulable", json!(true)),
        running(spread(member("web-0", "1", "1Gi")), "a1"),
        spread(member("web-1", "1", "1Gi")),
    ];
    // Uncordoning b1 is what cures it; the spread alone would not let it onto a1.
    cause("", &items).because(&[
        "b1",
        "cordoned",
        "a has 1 already, the emptiest 0, maxSkew 1",
    ]);
}

#[test]
fn a_host_port_is_taken_once_a_node() {
    let port = |pod: Value| {
        set(
            pod,
            "/spec/containers/0/ports",
            json!([{"containerPort": 80, "hostPort": 80}]),
        )
    };
    let items = [
        node("n1", "8", "16Gi"),
        running(port(member("edge-0", "1", "1Gi")), "n1"),
        port(member("edge-1", "1", "1Gi")),
    ];
    cause("", &items)
        .because(&["host port 80/TCP is taken by shop/edge-0"])
        .advises(&["another host port", "add 1 node of the size of n1"]);
}

#[test]
fn a_scheduling_gate_and_a_foreign_scheduler_are_seen() {
    let gated = set(
        pod("web-0", "1", "1Gi"),
        "/spec/schedulingGates",
        json!([{"name": "queue.example.com/hold"}]),
    );
    cause("", &[node("n1", "4", "16Gi"), gated]).because(&["queue.example.com/hold", "gate"]);
    let foreign = set(
        pod("web-0", "1", "1Gi"),
        "/spec/schedulerName",
        json!("batch-scheduler"),
    );
    let foreign = set(foreign, "/status/conditions", json!([]));
    cause("", &[node("n1", "4", "16Gi"), foreign.clone()])
        .because(&["scheduler batch-scheduler", "has not looked at it"]);
    // Once it has said something, its pods are judged like all others.
    let said = event("web-0", "FailedScheduling", "0/1 nodes are available");
    let full = running(pod("full", "4", "1Gi"), "n1");
    cause("", &[node("n1", "4", "16Gi"), full, foreign, said]).because(&["Shortage of cpu"]);
}
