//! What agents do to the outside: through the gateway, with an intent, once.

use lab::{Engine, Lab, Node, Stage, Target, Team, Worker, evidence, stage_of};
use serde_json::Value;

in_both_engines!(
    an_agent_reads_and_changes_a_target_through_the_gateway_and_never_sees_its_secret,
    an_unkeyed_effect_that_the_daemon_died_in_parks_its_stage_until_somebody_settles_it,
    a_keyed_effect_that_the_daemon_died_in_is_done_once_under_its_key,
    a_replaced_workers_stream_is_cut,
);

/// A node whose one worker does these deeds, and a target for it.
fn begin(lab: &Lab, engine: &Engine, deeds: &[&str]) -> (Node, Target) {
    let node = Node::start(lab, engine);
    let target = Target::start(lab);
    target.add(&node, "crew", &["--needs-secret"]);
    let secret = ["secret", "set", "kube"];
    node.domo_with(&secret, "crown-jewels\n", std::time::Duration::from_mins(1))
        .ok();
    let mut stage = Stage::new("fix", "hand").line("attempts: 3");
    for deed in deeds {
        stage = stage.deed(deed);
    }
    let team = Team::new(lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    node.apply(&team.yaml()).ok();
    (node, target)
}

fn effects(case: &Value) -> Vec<&Value> {
    case["effects"].as_array().into_iter().flatten().collect()
}

fn an_agent_reads_and_changes_a_target_through_the_gateway_and_never_sees_its_secret(
    engine: &Engine,
) {
    let lab = Lab::new();
    let deeds = [
        "ask GET kube/pods?limit=5",
        "ask PUT kube/scale 3",
        "ask POST kube/restart",
        "ask DELETE nowhere/x",
        "env",
    ];
    let (node, target) = begin(&lab, engine, &deeds);
    let checked = node.ask(&["target", "check", "kube"]);
    assert_eq!(checked["is_good"], true, "{checked:#}");
    let case = node.wait_closed(&node.submit("crew", "look and mend"));
    assert_eq!(case["outcome"], "succeeded", "{case:#}");
    let reached = target.reached();
    let what: Vec<String> = reached
        .iter()
        .map(|it| format!("{} {} {}", it.method, it.path, it.body))
        .collect();
    let wanted = [
        "GET / ",
        "GET /pods?limit=5 ",
        "PUT /scale 3",
        "POST /restart ",
    ];
    assert_eq!(what, wanted);
    assert!(
        reached
            .iter()
            .all(|it| it.authorization == "Bearer crown-jewels"),
        "{reached:#?}"
    );
    let known = effects(&case);
    assert_eq!(known.len(), 2, "{case:#}");
    assert!(
        known.iter().all(|effect| effect["status"] == "done"),
        "{known:#?}"
    );
    let keyed = known.iter().find(|effect| effect["class"] == "keyed");
    assert_eq!(
        keyed.map(|effect| &effect["key"]),
        Some(&reached[2].key.clone().into())
    );
    assert_eq!(reached[3].key, "-");
    let said = evidence(&case, "fix", "ask DELETE nowhere/x").join("\n");
    assert!(
        said.contains("status=404") && said.contains("no_target"),
        "{said}"
    );
    let env = evidence(&case, "fix", "env").join("\n");
    assert!(env.contains("MAJORDOMO_GATEWAY=http://127.0.0.1:"), "{env}");
    assert!(!case.to_string().contains("crown-jewels") && !node.log().contains("crown-jewels"));
}

/// A case whose first attempt asks for something that the target holds, and whose daemon dies then.
fn die_in(lab: &Lab, engine: &Engine, deed: &str) -> (Node, Target, String) {
    let (mut node, target) = begin(lab, engine, &[deed]);
    let case = node.submit("crew", "mend");
    target.wait_reached(1);
    node.kill();
    target.go_on();
    node.start_again();
    (node, target, case)
}

fn an_unkeyed_effect_that_the_daemon_died_in_parks_its_stage_until_somebody_settles_it(
    engine: &Engine,
) {
    let lab = Lab::new();
    let (node, target, case) = die_in(&lab, engine, "ask POST kube/hold");
    let parked = node.wait_case(&case, "it is parked", |case| {
        stage_of(case, "fix").is_some_and(|stage| stage["status"] == "parked")
    });
    let key = effects(&parked)[0]["key"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let shown = node.domo(&["case", "show", &case]).ok().stdout;
    let todo = format!("domo case settle {case} fix {key} --done|--not-done");
    assert!(shown.contains(&todo), "{shown}");
    assert_eq!(target.reached().len(), 1);
    let settle = [
        "case",
        "settle",
        &case,
        "fix",
        &key,
        "--done",
        "--reason",
        "it is there",
    ];
    node.domo(&settle).ok();
    let ended = node.wait_closed(&case);
    assert_eq!(ended["outcome"], "succeeded", "{ended:#}");
    assert_eq!(effects(&ended)[0]["status"], "settled_done");
    let said = evidence(&ended, "fix", "ask POST kube/hold").join("\n");
    assert!(
        said.contains("majordomo-effect-done-before: true"),
        "{said}"
    );
    assert_eq!(target.reached().len(), 1, "it was done once");
}

fn a_keyed_effect_that_the_daemon_died_in_is_done_once_under_its_key(engine: &Engine) {
    let lab = Lab::new();
    let (node, target, case) = die_in(&lab, engine, "ask PUT kube/hold 3");
    let ended = node.wait_closed(&case);
    assert_eq!(ended["outcome"], "succeeded", "{ended:#}");
    let reached = target.reached();
    assert_eq!(reached.len(), 2, "{reached:#?}");
    assert_ne!(reached[0].key, "-");
    assert_eq!(reached[0], reached[1], "the same under the same key");
    assert_eq!(effects(&ended).len(), 1, "{ended:#}");
}

fn a_replaced_workers_stream_is_cut(engine: &Engine) {
    let lab = Lab::new();
    let (node, target) = begin(&lab, engine, &["ask GET kube/stream"]);
    let case = node.submit("crew", "watch it");
    target.wait_reached(1);
    node.domo(&["worker", "replace", "crew/hand", "--reason", "a test"])
        .ok();
    target.wait_cut();
    target.wait_reached(2);
    node.domo(&["case", "cancel", &case, "--reason", "enough"])
        .ok();
    node.wait_closed(&case);
}
