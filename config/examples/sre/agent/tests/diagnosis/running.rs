//! Placed pods: crashes, kills, probes, images, configuration.

use serde_json::{Value, json};

use super::desk::cause;
use super::kit::{
    MADE, crashing, ended, event, member, node, pod, running, seen_at, set, troubled, waiting,
};

fn one(pod: Value, more: &[Value]) -> super::desk::Answer {
    let mut items = vec![node("n1", "8", "16Gi"), pod];
    items.extend_from_slice(more);
    cause("", &items)
}

#[test]
fn exit_codes_are_told_apart() {
    for (code, words) in [
        (0, "exit code 0: the program ended by itself"),
        (1, "exit code 1"),
        (126, "cannot be executed"),
        (127, "command was not found"),
        (134, "aborted itself"),
        (139, "SIGSEGV"),
        (143, "SIGTERM"),
        (42, "exit code 42"),
    ] {
        let reason = if code == 0 { "Completed" } else { "Error" };
        one(
            crashing(pod("web-0", "1", "1Gi"), "n1", code, reason, ""),
            &[],
        )
        .because(&["CrashLoopBackOff", words]);
    }
}

#[test]
fn an_out_of_memory_kill_is_told_by_its_reason_not_by_its_code() {
    let limited = set(
        pod("web-0", "1", "1Gi"),
        "/spec/containers/0/resources/limits",
        json!({"memory": "1Gi"}),
    );
    one(crashing(limited.clone(), "n1", 137, "OOMKilled", ""), &[])
        .because(&["OOMKilled", "memory limit of 1Gi"])
        .advises(&["Raise the memory limit"]);
    // A child was killed and the program ended with a code of its own.
    one(crashing(limited.clone(), "n1", 1, "OOMKilled", ""), &[]).because(&["OOMKilled"]);
    let killed = one(crashing(limited, "n1", 137, "Error", ""), &[]);
    killed.because(&["SIGKILL", "not marked OOMKilled"]);
    let unlimited = one(
        crashing(pod("web-0", "1", "1Gi"), "n1", 137, "OOMKilled", ""),
        &[],
    );
    unlimited.because(&["no memory limit", "node n1 itself ran out"]);
}

#[test]
fn last_words_are_quoted() {
    let words = "starting up\nFATAL: DATABASE_URL is not set\n";
    one(
        crashing(pod("web-0", "1", "1Gi"), "n1", 1, "Error", words),
        &[],
    )
    .because(&["FATAL: DATABASE_URL is not set"])
    .advises(&["kubectl logs -n shop web-0 -c main --previous"]);
}

#[test]
fn a_liveness_probe_kills_but_a_crash_only_fails_it() {
    let unhealthy = event(
        "web-0",
        "Unhealthy",
        "Liveness probe failed: connection refused",
    );
    let killing = event(
        "web-0",
        "Killing",
        "Container main failed liveness probe, will be restarted",
    );
    one(
        crashing(pod("web-0", "1", "1Gi"), "n1", 137, "Error", ""),
        &[unhealthy.clone(), killing],
    )
    .because(&["liveness probe", "connection refused"]);
    // It ends by itself with an error; that its probe fails meanwhile is a consequence.
    one(
        crashing(pod("web-0", "1", "1Gi"), "n1", 1, "Error", "boom"),
        &[unhealthy],
    )
    .because(&["exit code 1", "boom"]);
    let startup = event("web-0", "Unhealthy", "Startup probe failed: 503");
    let killing = event(
        "web-0",
        "Killing",
        "Container main failed startup probe, will be restarted",
    );
    one(
        crashing(pod("web-0", "1", "1Gi"), "n1", 143, "Error", ""),
        &[startup, killing],
    )
    .because(&["startup probe"]);
}

#[test]
fn a_container_that_is_not_ready_is_told_with_its_probe() {
    let probed = set(
        pod("web-0", "1", "1Gi"),
        "/spec/containers/0/readinessProbe",
        json!({"httpGet": {"path": "/ready", "port": 8080}}),
    );
    let lagging = troubled(
        probed,
        "n1",
        &json!({"running": {"startedAt": MADE}}),
        &json!({}),
        0,
    );
    one(
        lagging,
        &[event(
            "web-0",
            "Unhealthy",
            "Readiness probe failed: statuscode: 500",
        )],
    )
    .because(&["readiness probe", "GET :8080/ready", "statuscode: 500"]);
}

#[test]
fn a_container_that_has_only_just_started_is_no_fault() {
    let start = json!({"running": {"startedAt": "2026-03-10T09:29:40Z"}});
    let young = troubled(pod("web-0", "1", "1Gi"), "n1", &start, &json!({}), 0);
    one(young, &[]).is_healthy();
    let creating = troubled(
        pod("web-0", "1", "1Gi"),
        "n1",
        &waiting("ContainerCreating", ""),
        &json!({}),
        0,
    );
    let creating = set(
        creating,
        "/status/conditions/1/lastTransitionTime",
        json!("2026-03-10T09:29:30Z"),
    );
    one(creating, &[]).is_healthy();
}

#[test]
fn a_readiness_gate_that_nobody_opens_is_named() {
    let gated = set(
        running(pod("web-0", "1", "1Gi"), "n1"),
        "/spec/readinessGates",
        json!([{"conditionType": "lb.example.com/attached"}]),
    );
    let gated = set(gated, "/status/conditions/0/status", json!("False"));
    one(gated, &[]).because(&["readiness gate", "lb.example.com/attached"]);
}

#[test]
fn images_that_cannot_be_had_are_told_apart() {
    for (reason, message, words) in [
        (
            "ErrImagePull",
            "manifest unknown",
            "not found in the registry",
        ),
        (
            "ImagePullBackOff",
            "pull access denied, repository does not exist or may require \
          authorization",
            "access is denied",
        ),
        (
            "ImagePullBackOff",
            "dial tcp: lookup registry.example.com: no such host",
            "cannot be reached",
        ),
        (
            "InvalidImageName",
            "couldn't parse image reference",
            "not a valid reference",
        ),
        (
            "ErrImageNeverPull",
            "not present with pull policy of Never",
            "imagePullPolicy is Never",
        ),
    ] {
        let ill = troubled(
            pod("web-0", "1", "1Gi"),
            "n1",
            &waiting(reason, message),
            &json!({}),
            0,
        );
        one(ill, &[]).because(&[words, reason]);
    }
}

#[test]
fn one_registry_that_fails_several_workloads_is_said_so() {
    let ill = |name: &str| {
        let state = waiting("ImagePullBackOff", "dial tcp 10.0.0.9:443: i/o timeout");
        troubled(member(name, "1", "1Gi"), "n1", &state, &json!({}), 0)
    };
    let answer = cause(
        "",
        &[
            node("n1", "8", "16Gi"),
            ill("web-0"),
            ill("api-0"),
            ill("db-0"),
        ],
    );
    answer.because(&["same registry registry.example.com fails 3 workloads"]);
}

#[test]
fn missing_configuration_is_named() {
    let state = waiting(
        "CreateContainerConfigError",
        "configmap \"web-env\" not found",
    );
    one(
        troubled(pod("web-0", "1", "1Gi"), "n1", &state, &json!({}), 0),
        &[],
    )
    .because(&["config map web-env", "does not exist"])
    .advises(&["Create the config map web-env in namespace shop"]);
    let state = waiting(
        "CreateContainerConfigError",
        "couldn't find key PASSWORD in Secret shop/db",
    );
    one(
        troubled(pod("web-0", "1", "1Gi"), "n1", &state, &json!({}), 0),
        &[],
    )
    .because(&["couldn't find key PASSWORD in Secret shop/db"])
    .advises(&["Add the key"]);
    let state = waiting(
        "CreateContainerConfigError",
        "container has runAsNonRoot and image will run as root",
    );
    one(
        troubled(pod("web-0", "1", "1Gi"), "n1", &state, &json!({}), 0),
        &[],
    )
    .because(&["must not run as root"]);
}

#[test]
fn a_container_that_cannot_be_started_is_told_with_the_engines_words() {
    let message = "exec: \"serve\": executable file not found in $PATH: unknown";
    let state = waiting("RunContainerError", message);
    one(
        troubled(pod("web-0", "1", "1Gi"), "n1", &state, &json!({}), 3),
        &[],
    )
    .because(&["RunContainerError", "executable file not found"])
    .advises(&["Correct the container's command"]);
    one(
        crashing(pod("web-0", "1", "1Gi"), "n1", 128, "StartError", message),
        &[],
    )
    .because(&["StartError", "executable file not found"]);
}

#[test]
fn a_failing_init_container_is_the_cause_and_not_the_waiting_main_one() {
    let pod = set(
        pod("web-0", "1", "1Gi"),
        "/spec/initContainers",
        json!([{"name": "migrate"}]),
    );
    let pod = troubled(pod, "n1", &waiting("PodInitializing", ""), &json!({}), 0);
    let pod = set(
        pod,
        "/status/initContainerStatuses",
        json!([{"name": "migrate", "ready": false,
        "restartCount": 6, "state": waiting("CrashLoopBackOff", "back-off"),
        "lastState": ended(1, "Error", "relation users does not exist")}]),
    );
    one(pod, &[]).because(&["init container migrate", "exit code 1", "relation users"]);
}

#[test]
fn volumes_and_sandboxes_that_hold_a_pod_up_are_told_by_events_of_now() {
    let creating = || {
        troubled(
            pod("web-0", "1", "1Gi"),
            "n1",
            &waiting("ContainerCreating", ""),
            &json!({}),
            0,
        )
    };
    let mount = event(
        "web-0",
        "FailedMount",
        "MountVolume.SetUp failed for volume \"tls\" : secret \"web-tls\" not found",
    );
    one(creating(), std::slice::from_ref(&mount)).because(&["secret web-tls", "mounts"]);
    let sandbox = event(
        "web-0",
        "FailedCreatePodSandBox",
        "failed to allocate for range 0: no IP addresses available in range set: 10.0.1.1-10.0.1.254",
    );
    one(creating(), &[sandbox]).because(&["no free IP address"]);
    let cni = event(
        "web-0",
        "FailedCreatePodSandBox",
        "plugin type=\"calico\" failed (add): cni error",
    );
    one(creating(), &[cni]).because(&["network plugin (CNI)"]);
    // The mount was mended: the image is being pulled since.
    let old = seen_at(mount, "2026-03-10T09:00:00Z");
    let pulling = set(
        event("web-0", "Pulling", "Pulling image"),
        "/type",
        json!("Normal"),
    );
    let answer = one(creating(), &[old, pulling]);
    assert!(!answer.root().contains("web-tls"), "{}", answer.text());
}

#[test]
fn restarts_count_only_while_they_go_on() {
    let restarted = |restarts: u32, since: &str| {
        let state = json!({"running": {"startedAt": since}});
        let pod = running(pod("web-0", "1", "1Gi"), "n1");
        set(
            pod,
            "/status/containerStatuses",
            json!([{"name": "main", "ready": true,
            "restartCount": restarts, "state": state,
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error",
                "finishedAt": "2026-03-10T08:10:00Z"}}}]),
        )
    };
    // Fourteen restarts within ten minutes, then an hour and a quarter of peace.
    let stable = one(
        restarted(14, "2026-03-10T08:10:05Z"),
        &[event("x", "Other", "m")],
    );
    stable.is_healthy();
    assert!(stable.text().contains("14 restarts"));
    one(
        restarted(5, "2026-03-10T09:25:00Z"),
        &[event("x", "Other", "m")],
    )
    .because(&["keeps restarting", "exit code 1"]);
}

#[test]
fn a_slow_leak_is_seen_between_two_kills() {
    // Killed for memory twenty minutes ago, for the second time; running well since.
    let pod = set(
        running(pod("web-0", "1", "1Gi"), "n1"),
        "/status/containerStatuses",
        json!([{"name": "main", "ready": true, "restartCount": 2,
            "state": {"running": {"startedAt": "2026-03-10T09:10:00Z"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled",
                "finishedAt": "2026-03-10T09:09:58Z"}}}]),
    );
    one(pod, &[event("x", "Other", "m")]).because(&["OOMKilled"]);
}
