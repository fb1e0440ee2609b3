//! A team and an agent of one's own: a case goes from its brief to its report.

use lab::{Engine, Lab, Node, Stage, Team, Worker, evidence, is_told_once, stage_of};

in_both_engines!(
    a_case_goes_from_brief_to_report,
    a_butler_plans_with_its_own_agent_and_mends_a_plan_that_is_sent_back,
    stages_that_do_not_wait_for_each_other_run_side_by_side,
);

fn a_case_goes_from_brief_to_report(engine: &Engine) {
    let lab = Lab::new();
    let node = Node::start(&lab, engine);
    let look = Stage::new("look", "eyes")
        .deed("say looking at db-1")
        .deed("inputs")
        .deed("artifact evidence.txt 100");
    let decide = Stage::new("decide", "hands")
        .after("look")
        .deed("inputs")
        .deed("cause the disk of db-1 is full")
        .deed("advise make room")
        .deed("impact nothing is written");
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("eyes"))
        .worker(Worker::new("hands"))
        .stage(look)
        .stage(decide);
    node.apply(&team.yaml()).ok();
    lab.file("given/a.txt", "abc");
    let folder = lab.path().join("given").display().to_string();
    let line = [
        "case",
        "submit",
        "--team",
        "crew",
        "--attach",
        &folder,
        "--wait",
        "db-1 is slow",
    ];
    let case = node.ask(&line);

    assert_eq!(
        (&case["status"], &case["outcome"]),
        (&"closed".into(), &"succeeded".into())
    );
    assert!(case["id"].is_string() && case["case"] == case["id"]);
    assert_eq!(case["report"]["root_cause"], "the disk of db-1 is full");
    assert_eq!(case["report"]["recommendation"], "make room");
    assert_eq!(case["report"]["impact"], "nothing is written");
    let given = evidence(&case, "look", "inputs");
    let attached = given
        .iter()
        .find(|line| line.starts_with("attachments/given/a.txt"));
    // The digest of `abc`, as the agent makes it.
    assert_eq!(
        attached.map(String::as_str),
        Some("attachments/given/a.txt 3 e71fa2190541574b")
    );
    let given = evidence(&case, "decide", "inputs");
    assert!(
        given
            .iter()
            .any(|line| line.starts_with("results/look.json ")),
        "{given:?}"
    );
    is_told_once(&case);

    let id = case["id"].as_str().unwrap_or_default();
    let markdown = node.domo(&["case", "report", id]).ok().stdout;
    assert!(markdown.contains("the disk of db-1 is full"), "{markdown}");
    let files = node.domo(&["case", "files", id]).ok().stdout;
    assert!(
        files.contains("evidence.txt") && files.contains("given/a.txt"),
        "{files}"
    );
    let logs = node.domo(&["case", "logs", id]).ok();
    assert!(logs.code == 0, "{logs}");
}

fn a_butler_plans_with_its_own_agent_and_mends_a_plan_that_is_sent_back(engine: &Engine) {
    let lab = Lab::new();
    let node = Node::start(&lab, engine);
    let team = Team::new(&lab, "crew")
        .butler(&[
            r#"agent[1]: plan {"stages": [{"name": "fly", "skill": "flying"}]}"#,
            r#"agent[2+]: plan {"stages": [{"name": "walk", "worker": "hand", "brief": "agent: cause gravity"}]}"#,
        ])
        .worker(Worker::new("hand"));
    node.apply(&team.yaml()).ok();
    let case = node.submit("crew", "go there");
    let case = node.wait_closed(&case);
    assert_eq!(case["outcome"], "succeeded", "{case:#}");
    assert_eq!(case["report"]["root_cause"], "gravity");
    let refusals = case["plan_refusals"].to_string();
    assert!(refusals.contains("flying"), "{refusals}");
    is_told_once(&case);
}

fn stages_that_do_not_wait_for_each_other_run_side_by_side(engine: &Engine) {
    let lab = Lab::new();
    let node = Node::start(&lab, engine);
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("left"))
        .worker(Worker::new("right"))
        .stage(Stage::new("one", "left").deed("await go"))
        .stage(Stage::new("two", "right").deed("await go"));
    node.apply(&team.yaml()).ok();
    let case = node.submit("crew", "both");
    node.wait_running(&case, "one");
    let seen = node.wait_running(&case, "two");
    let is_running = |name| stage_of(&seen, name).is_some_and(|stage| stage["status"] == "running");
    assert!(is_running("one") && is_running("two"), "{seen:#}");
    node.wait_started(2);
    node.release("go");
    is_told_once(&node.wait_closed(&case));
}

#[test]
fn a_node_that_is_alone_stays_up_for_longer_than_a_lease() {
    let lab = Lab::new();
    let node = Node::start(&lab, &Engine::Process);
    let stage = Stage::new("work", "hand").deed("await go");
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    node.apply(&team.yaml()).ok();
    let case = node.submit("crew", "wait");
    node.wait_running(&case, "work");
    let clock = || {
        let reply = lab::request(&node.socket(), "GET", "/v1/clock", "").expect("it answers");
        let clock: serde_json::Value = serde_json::from_str(&reply.body).expect("it is JSON");
        clock["clock_ms"].as_u64().expect("a number")
    };
    let (began, longer_than_a_lease_ms) = (clock(), 6_000);
    lab::wait_until(std::time::Duration::from_mins(1), "time passes", || {
        let passed = clock() - began;
        if passed > longer_than_a_lease_ms {
            Ok(())
        } else {
            Err(passed.to_string())
        }
    });
    let status = node.ask(&["status"]);
    assert_eq!(status["cluster"]["nodes"][0]["health"], "up", "{status:#}");
    node.release("go");
    let case = node.wait_closed(&case);
    assert_eq!(case["outcome"], "succeeded", "{case:#}");
}
