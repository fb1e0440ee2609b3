//! Input that is meant to break the agents: every answer is a clear one, and none is a panic.

use agent::contract::Progress;
use serde_json::{Value, json};

use super::desk::Desk;
use super::kit::{member, node};

/// A small deterministic generator (`SplitMix64`).
pub struct Dice(u64);

impl Dice {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }
}

const SKILLS: [&str; 3] = ["k8s-root-cause", "instance-status", "resource-bottleneck"];

fn recorded(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path.join(format!("../clusters/{name}/all.json"))).unwrap()
}

fn ask(bytes: &[u8], brief: &str) -> Vec<String> {
    let desk = Desk::new();
    desk.put("brief.md", brief)
        .put("attachments/all.json", bytes);
    SKILLS.iter().map(|s| desk.ask(s).text()).collect()
}

#[test]
fn a_recording_that_ends_anywhere_gives_an_answer_and_says_so() {
    for name in ["volume-zone", "config-missing", "gpu"] {
        let value: Value = serde_json::from_slice(&recorded(name)).unwrap();
        let whole = value.to_string();
        let desk = Desk::new();
        for end in (0..whole.len()).step_by(23) {
            desk.put("attachments/all.json", &whole.as_bytes()[..end]);
            let answer = desk.ask("k8s-root-cause");
            let told = ["damaged", "empty", "not whole JSON"];
            assert!(
                told.iter().any(|t| answer.text().contains(t)),
                "{name} {end}: {}",
                answer.text()
            );
        }
    }
}

#[test]
fn half_a_recording_is_used_and_its_damage_placed() {
    let bytes = recorded("mse-gateway");
    let answers = ask(&bytes[..bytes.len() / 2], "");
    for answer in answers {
        assert!(
            answer.contains("The recording is incomplete: 1 file damaged"),
            "{answer}"
        );
        assert!(
            answer.contains("ends in the middle of an object (line "),
            "{answer}"
        );
    }
}

#[test]
fn wrong_utf8_is_placed() {
    let mut bytes = recorded("oom");
    let at = bytes.len() * 3 / 4;
    let quote = at + bytes[at..].iter().position(|b| *b == b'"').unwrap();
    bytes[quote + 1] = 0xFF;
    let answers = ask(&bytes, "");
    assert!(
        answers[0].contains("the JSON is broken") || answers[0].contains("damaged"),
        "{}",
        answers[0]
    );
}

#[test]
fn huge_nesting_is_a_finding_and_no_full_stack() {
    let deep = format!(
        "{{\"kind\":\"List\",\"items\":{}{}}}",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    assert!(ask(deep.as_bytes(), "")[0].contains("nested deeper than 128"));
    let object = format!("{}1{}", "{\"items\":[".repeat(50_000), "]}".repeat(50_000));
    assert!(ask(object.as_bytes(), "")[0].contains("nested deeper than 128"));
    let label = format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{}1{}}}",
        "{\"a\":".repeat(100_000),
        "}".repeat(100_000)
    );
    assert!(ask(label.as_bytes(), "")[0].contains("nested deeper than 128"));
}

#[test]
fn files_of_other_kinds_are_named_and_not_used() {
    let desk = Desk::recorded("oom", "");
    desk.put("attachments/deep/er/notes.yaml", "apiVersion: v1\nkind: Pod\n")
        .put("attachments/empty.json", "")
        .put("attachments/blank.json", " \n ")
        .put("attachments/number.json", "42")
        .put("attachments/other.json", "{\"a\": [1, 2, {\"b\": null}]}")
        .put("attachments/app.log", "2026-03-10 {\"level\": \"error\"}\n{\"level\": \"x\"}\nend")
        .put("attachments/dump.bin", [0_u8, 1, 2, 0xFF])
        .put("attachments/a.gz", [0x1F_u8, 0x8B, 8, 0])
        .put("attachments/secret.json", "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},\"data\":{\"k\":\"dG9wLXNlY3JldA==\"}}");
    let answer = desk.ask("k8s-root-cause");
    let text = answer.text();
    answer.because(&["OOMKilled"]);
    answer.has(
        &text,
        &[
            "9 files not used",
            "notes.yaml: YAML: record with `-o json` instead",
            "empty.json: empty",
            "other.json: JSON, but no Kubernetes object",
            "app.log: text, not JSON",
            "dump.bin: binary, not JSON",
            "a.gz: compressed",
        ],
    );
    assert!(
        !text.contains("dG9wLXNlY3JldA"),
        "what is in a secret is never repeated"
    );
}

#[test]
fn recordings_come_in_many_wrappings() {
    let list = recorded("oom");
    let text = String::from_utf8(list.clone()).unwrap();
    let value: Value = serde_json::from_slice(&list).unwrap();
    let items = value["items"].as_array().unwrap();
    let lines: String = items
        .iter()
        .flat_map(|i| [i.to_string(), "\n".to_owned()])
        .collect();
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let nested = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "List", "items": items}, null, 3, "x"]});
    for bytes in [
        format!("\u{FEFF}{text}").into_bytes(),
        utf16,
        lines.into_bytes(),
        Value::Array(items.clone()).to_string().into_bytes(),
        nested.to_string().into_bytes(),
        format!("Warning: v1 ComponentStatus is deprecated\n{text}").into_bytes(),
    ] {
        let answer = &ask(&bytes, "")[0];
        assert!(
            answer.contains("OOMKilled") && !answer.contains("damaged"),
            "{answer}"
        );
    }
    let desk = Desk::new();
    for (i, item) in items.iter().enumerate() {
        desk.put(&format!("attachments/ns/{i}/object.json"), item.to_string());
    }
    desk.ask("k8s-root-cause").because(&["OOMKilled"]);
}

#[test]
fn values_of_the_wrong_shape_are_passed_over() {
    let shapes = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!("x"),
        json!([]),
        json!({}),
        json!([[1]]),
        json!({"a": 1}),
        json!("9".repeat(400)),
        json!([null, {"name": null}]),
    ];
    let mut dice = Dice::new(42);
    let value: Value = serde_json::from_slice(&recorded("mse-gateway")).unwrap();
    let items: Vec<Value> = value["items"]
        .as_array()
        .unwrap()
        .iter()
        .step_by(4)
        .cloned()
        .collect();
    for round in 0..150 {
        let mut broken = items.clone();
        for item in &mut broken {
            for _ in 0..dice.below(4) {
                spoil(item, &mut dice, &shapes);
            }
        }
        let list = json!({"kind": "List", "apiVersion": "v1", "items": broken}).to_string();
        let answers = ask(list.as_bytes(), "pod mse-gateway-0 is Pending");
        assert!(
            answers.iter().all(|a| a.contains("\"summary\"")),
            "round {round}"
        );
    }
}

/// Puts a value of another shape somewhere into the object.
fn spoil(value: &mut Value, dice: &mut Dice, shapes: &[Value]) {
    let mut at = value;
    loop {
        let stop = dice.below(4) == 0;
        if stop || !(at.is_object() || at.is_array()) {
            *at = shapes[dice.below(shapes.len())].clone();
            return;
        }
        let children: Vec<&mut Value> = match at {
            Value::Object(map) => map.values_mut().collect(),
            Value::Array(list) => list.iter_mut().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        if children.is_empty() {
            return;
        }
        let next = dice.below(children.len());
        at = children.into_iter().nth(next).unwrap();
    }
}

#[test]
fn bytes_at_random_are_survived() {
    let mut dice = Dice::new(3);
    let source = recorded("node-not-ready");
    for _ in 0..150 {
        let mut bytes = source.clone();
        for _ in 0..=dice.below(30) {
            let at = dice.below(bytes.len());
            match dice.below(3) {
                0 => bytes[at] = u8::try_from(dice.below(256)).unwrap(),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"{}[]\",:0"[dice.below(8)]),
            }
        }
        assert_eq!(ask(&bytes, "edge-1").len(), 3);
    }
}

#[test]
fn briefs_and_teams_at_random_are_survived() {
    let mut dice = Dice::new(11);
    for _ in 0..60 {
        let noise: Vec<u8> = (0..dice.below(400))
            .map(|_| u8::try_from(dice.below(256)).unwrap())
            .collect();
        let desk = Desk::with("", &[node("n1", "4", "8Gi"), member("web-0", "9", "1Gi")]);
        desk.put("brief.md", &noise)
            .put("refusals.md", &noise)
            .put("results/x.json", &noise);
        for skill in SKILLS {
            desk.ask(skill);
        }
        desk.put(
            "team.json",
            json!({"team": "t", "workers": [
            {"name": "w", "skills": [String::from_utf8_lossy(&noise), "k8s-root-cause"]}]})
            .to_string(),
        );
        let plan = agent::diagnose("plan", &desk.input(), &mut Progress::silent());
        if let Ok(outcome) = plan {
            assert!(!outcome.plan.unwrap().stages.is_empty());
        }
    }
}

#[test]
fn an_enormous_brief_is_read_in_bounds() {
    let desk = Desk::with("", &[node("n1", "4", "8Gi"), member("web-0", "9", "1Gi")]);
    desk.put("brief.md", "web-0 and other-77 ".repeat(100_000));
    desk.ask("k8s-root-cause").because(&["cpu 9"]);
}
