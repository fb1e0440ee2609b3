//! Kubernetes objects by the shortest description that has their shape.

use serde_json::{Value, json};

/// The time of all recordings that are made here.
pub const NOW: &str = "2026-03-10T09:30:00Z";
/// When pods were made, if nothing else is said.
pub const MADE: &str = "2026-03-10T08:00:00Z";

/// Sets the value at a path such as `/spec/nodeName`, making the objects on the way.
pub fn set(mut object: Value, path: &str, value: Value) -> Value {
    let mut at = &mut object;
    let mut keys = path.trim_start_matches('/').split('/').peekable();
    while let Some(key) = keys.next() {
        // `~1` stands for a slash inside a key, as in JSON pointers.
        let key = key.replace("~1", "/");
        if keys.peek().is_none() {
            at[&key] = value;
            break;
        }
        at = if let Ok(index) = key.parse::<usize>() {
            &mut at[index]
        } else {
            if at.get(&key).is_none() {
                at[&key] = json!({});
            }
            &mut at[&key]
        };
    }
    object
}

/// A ready node with so much CPU and memory and 110 places for pods.
pub fn node(name: &str, cpu: &str, memory: &str) -> Value {
    let room = json!({"cpu": cpu, "memory": memory, "pods": "110", "ephemeral-storage": "100Gi"});
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "uid": format!("node-{name}"),
            "creationTimestamp": "2026-03-01T08:00:00Z",
            "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "spec": {},
        "status": {"allocatable": room, "capacity": room, "conditions": [
            {"type": "MemoryPressure", "status": "False", "lastHeartbeatTime": NOW},
            {"type": "DiskPressure", "status": "False", "lastHeartbeatTime": NOW},
            {"type": "PIDPressure", "status": "False", "lastHeartbeatTime": NOW},
            {"type": "Ready", "status": "True", "reason": "KubeletReady",
             "lastHeartbeatTime": NOW}]}
    })
}

/// A node with a taint `key=value:effect`.
pub fn tainted(node: Value, key: &str, value: &str, effect: &str) -> Value {
    set(
        node,
        "/spec/taints",
        json!([{"key": key, "value": value, "effect": effect}]),
    )
}

/// A node that does not answer, with the taints that the control plane gives it.
pub fn dead(node: Value) -> Value {
    let node = set(
        node,
        "/spec/taints",
        json!([
        {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]),
    );
    set(
        node,
        "/status/conditions",
        json!([{"type": "Ready", "status": "Unknown",
        "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status.",
        "lastTransitionTime": "2026-03-10T09:10:00Z"}]),
    )
}

/// A pod without an owner that waits for a node.
pub fn pod(name: &str, cpu: &str, memory: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("pod-{name}"),
            "creationTimestamp": MADE, "labels": {"app": app_of(name)}},
        "spec": {"schedulerName": "default-scheduler", "restartPolicy": "Always",
            "containers": [{"name": "main", "image": "registry.example.com/shop/main:1",
                "resources": {"requests": {"cpu": cpu, "memory": memory}}}]},
        "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled",
            "status": "False", "reason": "Unschedulable", "message": "no node",
            "lastTransitionTime": MADE}]}
    })
}

fn app_of(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(app, _)| app)
}

/// The same, of a stateful set named after the pod.
pub fn member(name: &str, cpu: &str, memory: &str) -> Value {
    owned(pod(name, cpu, memory), "StatefulSet", app_of(name))
}

/// The same pod, made by this controller.
pub fn owned(pod: Value, kind: &str, name: &str) -> Value {
    set(
        pod,
        "/metadata/ownerReferences",
        json!([{"kind": kind, "name": name, "controller": true, "uid": format!("{kind}-{name}")}]),
    )
}

/// The same pod, running and ready on this node.
pub fn running(pod: Value, node: &str) -> Value {
    let pod = set(pod, "/spec/nodeName", json!(node));
    set(
        pod,
        "/status",
        json!({"phase": "Running", "startTime": MADE,
        "conditions": [{"type": "Ready", "status": "True"},
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": MADE}],
        "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0, "started": true,
            "state": {"running": {"startedAt": MADE}}, "lastState": {}}]}),
    )
}

/// The same pod on this node, with one container in this state that is not ready.
pub fn troubled(pod: Value, node: &str, state: &Value, last: &Value, restarts: u32) -> Value {
    let phase = if state.get("waiting").is_some() && restarts == 0 {
        "Pending"
    } else {
        "Running"
    };
    let pod = running(pod, node);
    let pod = set(pod, "/status/phase", json!(phase));
    let pod = set(
        pod,
        "/status/conditions",
        json!([
        {"type": "Ready", "status": "False", "reason": "ContainersNotReady"},
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": MADE}]),
    );
    set(
        pod,
        "/status/containerStatuses",
        json!([{"name": "main", "ready": false,
        "restartCount": restarts, "state": state, "lastState": last}]),
    )
}

/// A container that waits for this reason.
pub fn waiting(reason: &str, message: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": message}})
}

/// A container that ended half a minute before the recording.
pub fn ended(code: i64, reason: &str, message: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "message": message,
        "startedAt": "2026-03-10T09:29:00Z", "finishedAt": "2026-03-10T09:29:30Z"}})
}

/// In `CrashLoopBackOff` after such an end.
pub fn crashing(pod: Value, node: &str, code: i64, reason: &str, message: &str) -> Value {
    let state = waiting(
        "CrashLoopBackOff",
        "back-off 5m0s restarting failed container",
    );
    troubled(pod, node, &state, &ended(code, reason, message), 9)
}

/// A warning about a pod at the time of the recording.
pub fn event(pod: &str, reason: &str, message: &str) -> Value {
    about("Pod", "shop", pod, &format!("pod-{pod}"), reason, message)
}

/// A warning about any object at the time of the recording.
pub fn about(
    kind: &str,
    namespace: &str,
    name: &str,
    uid: &str,
    reason: &str,
    message: &str,
) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": reason,
        "message": message, "count": 3, "firstTimestamp": MADE, "lastTimestamp": NOW,
        "metadata": {"name": format!("{name}.{reason}.{}", message.len()), "namespace": namespace,
            "creationTimestamp": MADE},
        "involvedObject": {"kind": kind, "namespace": namespace, "name": name, "uid": uid}})
}

/// The same event, last seen at another time.
pub fn seen_at(event: Value, time: &str) -> Value {
    set(event, "/lastTimestamp", json!(time))
}

/// A pod that mounts this claim.
pub fn mounting(pod: Value, claim: &str) -> Value {
    set(
        pod,
        "/spec/volumes",
        json!([{"name": "data",
        "persistentVolumeClaim": {"claimName": claim}}]),
    )
}

/// A claim in this phase, of this class (none when it is null).
pub fn claim(name: &str, class: &Value, phase: &str) -> Value {
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("claim-{name}"),
            "creationTimestamp": MADE},
        "spec": {"accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}}},
        "status": {"phase": phase}});
    if class.is_null() {
        claim
    } else {
        set(claim, "/spec/storageClassName", class.clone())
    }
}

/// A storage class with this binding mode.
pub fn class(name: &str, provisioner: &str, mode: &str) -> Value {
    json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": mode})
}

/// A free volume of this class and size.
pub fn volume(name: &str, class: &str, size: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"],
            "storageClassName": class},
        "status": {"phase": "Available"}})
}
