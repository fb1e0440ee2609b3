//! The example: a newcomer applies it, hands over a recorded cluster and reads the root cause.

use lab::{Engine, Lab, Node, is_told_once, root};

in_both_engines!(
    the_example_names_the_root_cause_of_a_recorded_fault,
    the_demo_shows_a_case_from_brief_to_report,
);

fn the_example_names_the_root_cause_of_a_recorded_fault(engine: &Engine) {
    let lab = Lab::new();
    let node = Node::start(&lab, engine);
    let example = root().join("config/examples/sre").display().to_string();
    node.domo(&["apply", "-f", &format!("{example}/team.yaml")])
        .ok();
    let recording = format!("{example}/clusters/mse-gateway");
    let line = [
        "case", "submit", "--team", "sre", "--attach", &recording, "--wait",
    ];
    let case = node.ask(&[&line[..], &["pod mse-gateway-0 is Pending"]].concat());
    assert_eq!(case["outcome"], "succeeded", "{case:#}");
    let root_cause = case["report"]["root_cause"]
        .as_str()
        .unwrap_or_default()
        .to_lowercase();
    assert!(
        root_cause.contains("memory") || root_cause.contains("cpu"),
        "{root_cause}"
    );
    for part in ["recommendation", "impact", "markdown", "document"] {
        assert!(
            !case["report"][part].is_null(),
            "no {part} in {:#}",
            case["report"]
        );
    }
    is_told_once(&case);
}

fn the_demo_shows_a_case_from_brief_to_report(engine: &Engine) {
    let lab = Lab::new();
    let kind = match engine {
        Engine::Process => "process",
        Engine::Docker | Engine::DockerAt(_) => "docker",
    };
    let answer = lab
        .domo_alone(&["demo"], &[("DOMO_ENGINE__KIND", kind)])
        .ok();
    let said = format!("{}{}", answer.stdout, answer.stderr);
    assert!(said.contains("mse-gateway-0"), "{answer}");
    assert!(said.to_lowercase().contains("root cause"), "{answer}");
}
