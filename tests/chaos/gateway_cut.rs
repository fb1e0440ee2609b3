//! A host is cut off while its agent holds a stream open through the gateway: the stream is cut, and
//! whatever asks through the gateway then is refused, until the host is back and the stage is tried
//! anew.

use std::time::Duration;

use lab::fault::Fault;
use lab::{Cluster, Engine, Lab, Node, Stage, Target, Team, Worker, wait_until};

/// A lease is over after 3 s; with both cores busy it may take this long until that is seen.
const CUT_LIMIT: Duration = Duration::from_secs(15);
/// A node that is back is believed within seconds.
const BACK_LIMIT: Duration = Duration::from_mins(1);
/// The node that alone has the target's secret, and so its worker.
const HOST: usize = 2;

#[test]
fn a_host_that_is_cut_off_cuts_its_agents_streams_and_refuses_what_they_ask() {
    let lab = Lab::new();
    let build = |number: usize| Node::named(&lab, &format!("n{number}"), &Engine::Process, &[]);
    let mut cluster = Cluster::start_apart(3, build);
    let target = Target::start_on(&lab, cluster.host(HOST));
    target.add(cluster.node(1), "crew", &["--needs-secret"]);
    let host = cluster.node(HOST);
    host.domo_with(&["secret", "set", "kube"], "s\n", BACK_LIMIT)
        .ok();
    wait_until(BACK_LIMIT, "the cluster knows who has the secret", || {
        let shown = cluster.node(1).ask(&["node", "show", "n2"]);
        let knows = shown["secrets"] == serde_json::json!(["kube"]);
        knows.then_some(()).ok_or(shown.to_string())
    });
    let stage = Stage::new("watch", "hand")
        .deed("ask GET kube/stream")
        .line("attempts: 3");
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    cluster.node(1).apply(&team.yaml()).ok();
    let case = cluster.node(1).submit("crew", "watch it");
    target.wait_reached(1);

    let active = Fault::Alone
        .put_on(&mut cluster, HOST)
        .expect("it has a network");
    target.wait_cut_within(CUT_LIMIT);
    for method in ["GET", "PUT"] {
        let answers = cluster.node(HOST).ask_as_agents(method, "kube/pods");
        assert_eq!(answers.len(), 1, "{answers:?}");
        let head = answers[0].head.to_lowercase();
        assert_eq!(answers[0].status, 503, "{answers:?}");
        assert!(head.contains("majordomo-refusal: isolated"), "{answers:?}");
    }
    assert_eq!(target.reached().len(), 1, "nothing more reached it");

    // The others supersede the attempt, and nobody else may have the worker.
    cluster
        .node(1)
        .wait_case(&case, "its attempt is lost", |seen| {
            seen["attempts"][0]["status"] == "lost"
        });
    let explained = cluster
        .node(1)
        .domo(&["worker", "explain", "crew/hand"])
        .ok();
    assert!(
        explained
            .stdout
            .contains("does not have the secret of target kube"),
        "{explained}"
    );
    active.take_off(&mut cluster);
    target.wait_reached(2);
    wait_until(BACK_LIMIT, "only the new attempt has a way out", || {
        let answers = cluster.node(HOST).ask_as_agents("GET", "kube/pods");
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        (statuses == [201])
            .then_some(())
            .ok_or(format!("{answers:?}"))
    });
    let line = ["case", "cancel", &case, "--reason", "enough"];
    cluster.node(1).domo(&line).ok();
    cluster.node(1).wait_closed(&case);
}
