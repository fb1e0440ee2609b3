//! Faults that have their cause in another object, and what is asked about a trace.

use serde_json::{Value, json};

use super::desk::cause;
use super::kit::{about, crashing, node, owned, pod, running, set};

/// A pod of a deployment.
fn of(app: &str, tail: &str) -> Value {
    let set_name = format!("{app}-7d9cf856c9");
    owned(
        pod(&format!("{set_name}-{tail}"), "1", "1Gi"),
        "ReplicaSet",
        &set_name,
    )
}

fn dns() -> Value {
    let coredns = crashing(of("coredns", "abcde"), "n1", 1, "Error", "Loop detected");
    set(coredns, "/metadata/namespace", json!("kube-system"))
}

#[test]
fn a_name_that_cannot_be_resolved_is_known_in_the_words_of_each_language() {
    for words in [
        "java.net.UnknownHostException: orders-db.shop",
        "getaddrinfo ENOTFOUND orders-db.shop",
        "psycopg2.OperationalError: could not translate host name: Name or service not known",
        "curl: (6) Could not resolve host: orders-db.shop",
        "dial tcp: lookup orders-db.shop on 10.96.0.10:53: i/o timeout",
    ] {
        let web = crashing(of("web", "bcdfg"), "n1", 1, "Error", words);
        let answer = cause("web crashes", &[node("n1", "8", "16Gi"), dns(), web]);
        answer.because(&["coredns", "Loop detected", "cannot resolve names"]);
    }
}

#[test]
fn a_webhook_that_does_not_answer_leads_to_the_workload_that_serves_it() {
    let injector = crashing(
        of("mesh-injector", "bcdfg"),
        "n1",
        1,
        "Error",
        "x509: certificate has expired",
    );
    let refused = about(
        "ReplicaSet",
        "shop",
        "web-7d9cf856c9",
        "",
        "FailedCreate",
        "Error creating: Internal error occurred: failed calling webhook \"inject.mesh.io\": failed \
         to call webhook: Post \"https://mesh-injector.mesh.svc:443/inject\": no endpoints \
         available for service \"mesh-injector\"",
    );
    let well = running(of("api", "bcdfg"), "n1");
    let answer = cause(
        "web has no pods",
        &[node("n1", "8", "16Gi"), injector, well, refused],
    );
    answer.because(&[
        "mesh-injector",
        "certificate has expired",
        "It explains what was asked: Deployment shop/web",
    ]);
}

#[test]
fn who_asks_for_evictions_that_are_over_is_told_of_the_pressure_that_is_not() {
    let full = set(
        node("n1", "8", "16Gi"),
        "/status/conditions",
        json!([{"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure"},
            {"type": "Ready", "status": "True", "reason": "KubeletReady"}]),
    );
    let gone = set(of("log", "bcdfg"), "/spec/nodeName", json!("n1"));
    let gone = set(
        gone,
        "/status",
        json!({"phase": "Failed", "reason": "Evicted",
            "message": "The node was low on resource: ephemeral-storage."}),
    );
    let new = set(
        running(of("log", "hjklm"), "n2"),
        "/metadata/creationTimestamp",
        json!("2026-03-10T08:30:00Z"),
    );
    let items = [full, node("n2", "8", "16Gi"), gone, new];
    let answer = cause("why were pods of log evicted?", &items);
    answer.because(&[
        "Node n1 has DiskPressure",
        "It explains what was asked",
        "Evicted",
    ]);
    let titles: Vec<&String> = answer.0.findings.iter().map(|f| &f.title).collect();
    let told = titles.iter().filter(|t| t.contains("Evicted")).count();
    assert_eq!(told, 1, "{titles:?}");
    // Who asks for something else of it is told that it is well.
    let answer = cause("log is slow", &items);
    answer.because(&["log shows no fault"]);
}

#[test]
fn a_program_for_another_processor_is_told_from_a_program_that_fails() {
    let web = crashing(
        of("web", "bcdfg"),
        "n1",
        255,
        "Error",
        "exec /app/server: exec format error",
    );
    cause("", &[node("n1", "8", "16Gi"), web])
        .because(&["another kind of processor"])
        .advises(&["kubernetes.io/arch"]);
}
