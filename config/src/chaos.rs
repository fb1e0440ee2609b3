//! Chaos plans: the ready-made ones, compiled in, and the schedule that a plan comes to.
//!
//! # Invariant
//! A schedule is fixed before anything is broken: it says of each fault when it begins and ends, from
//! the run's start, and leaves nothing to be decided meanwhile but where the Manager, a butler or a
//! worker is then.

use crate::document::Bundle;
pub use crate::document::chaos::{Fault, Plan, PlanStep, Target, load_plan, parse_plan};

/// The plans that are compiled in: name and text.
pub const READY_MADE: [(&str, &str); 5] = [
    (
        "manager-failover",
        include_str!("../chaos/manager-failover.yaml"),
    ),
    ("rolling-kill", include_str!("../chaos/rolling-kill.yaml")),
    ("split-brain", include_str!("../chaos/split-brain.yaml")),
    ("bad-disk", include_str!("../chaos/bad-disk.yaml")),
    ("engine-outage", include_str!("../chaos/engine-outage.yaml")),
];

/// The canary's team.
pub const CANARY: &str = "canary";

/// The documents of the canary, with the files that they name.
pub fn canary() -> Bundle {
    let team = include_bytes!("../chaos/canary/team.yaml");
    let skill = include_bytes!("../chaos/canary/skills/sing/SKILL.md");
    let files: [(&str, &[u8]); 2] = [("team.yaml", team), ("skills/sing/SKILL.md", skill)];
    let files = files.into_iter();
    Bundle {
        documents: vec!["team.yaml".to_owned()],
        files: files
            .map(|(path, bytes)| (path.to_owned(), bytes.into()))
            .collect(),
    }
}

/// A fault with its time and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// When it begins, from the run's start.
    pub at_ms: u64,
    /// How long it stays; nothing for a crash.
    pub for_ms: u64,
    /// What is done.
    pub fault: Fault,
    /// Where; never one node after the other.
    pub on: Target,
}

/// What a plan comes to on a certain cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The faults in their order.
    pub faults: Vec<Scheduled>,
    /// From when on there is a canary case so often.
    pub loads: Vec<(u64, u64)>,
    /// How long all of it takes.
    pub length_ms: u64,
}

impl Plan {
    /// When each step is, on a cluster with nodes of these names.
    pub fn schedule(&self, nodes: &[String]) -> Schedule {
        let mut schedule = Schedule {
            faults: Vec::new(),
            loads: vec![(0, self.load_ms)],
            length_ms: 0,
        };
        for step in &self.steps {
            match step {
                PlanStep::Wait { .. } => {}
                PlanStep::Load { every_ms } => schedule.loads.push((schedule.length_ms, *every_ms)),
                PlanStep::Break {
                    fault,
                    on: Target::Each,
                    for_ms,
                    ..
                } => {
                    for node in nodes {
                        let on = Target::Node(node.clone());
                        schedule.add(*fault, on, *for_ms);
                        schedule.length_ms += step.length_ms();
                    }
                    continue;
                }
                PlanStep::Break {
                    fault, on, for_ms, ..
                } => schedule.add(*fault, on.clone(), *for_ms),
            }
            schedule.length_ms += step.length_ms();
        }
        schedule
    }
}

impl Schedule {
    fn add(&mut self, fault: Fault, on: Target, for_ms: u64) {
        self.faults.push(Scheduled {
            at_ms: self.length_ms,
            for_ms,
            fault,
            on,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{CANARY, Fault, Plan, READY_MADE, Target, parse_plan};
    use crate::document::{self, Known, Source};
    use crate::name::Name;

    fn wrong(text: &str) -> String {
        parse_plan("p.yaml", text).unwrap_err().to_string()
    }

    fn read(text: &str) -> Plan {
        parse_plan("p.yaml", text).unwrap()
    }

    #[test]
    fn every_plan_that_is_compiled_in_is_read_under_its_name() {
        for (name, text) in READY_MADE {
            let plan = parse_plan(name, text).unwrap_or_else(|wrong| panic!("{wrong}"));
            assert_eq!(plan.name.as_str(), name);
            assert!(!plan.title.is_empty(), "{name}");
        }
    }

    #[test]
    fn the_canary_is_a_team_of_three_workers_and_a_playbook() {
        let bundle = super::canary();
        let known = Known { kernels: &["cli"] };
        let loaded = document::load(Source::Bundle(&bundle), &known);
        let loaded = loaded.unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(loaded.documents.len(), 5);
        assert!(
            loaded
                .documents
                .iter()
                .all(|one| one.document.team().as_str() == CANARY)
        );
    }

    #[test]
    fn steps_follow_each_other_and_each_goes_from_node_to_node() {
        let plan = read(
            "name: p\nsteps:\n- wait: 5s\n- kill: each\n  for: 4s\n  rest: 6s\n- load: 50ms\n- crash: butler sre\n- freeze: manager\n  for: 2s\n",
        );
        let schedule = plan.schedule(&["a".to_owned(), "b".to_owned()]);
        let told: Vec<_> = schedule
            .faults
            .iter()
            .map(|fault| (fault.at_ms, fault.for_ms, &fault.on))
            .collect();
        let (a, b) = (Target::Node("a".to_owned()), Target::Node("b".to_owned()));
        let butler = Target::Butler(Name::new("sre").unwrap());
        let wanted = [
            (5_000, 4_000, &a),
            (15_000, 4_000, &b),
            (25_000, 0, &butler),
            (25_000, 2_000, &Target::Manager),
        ];
        assert_eq!(told, wanted);
        assert_eq!(schedule.loads, [(0, 250), (25_000, 50)]);
        assert_eq!(schedule.length_ms, 27_000);
    }

    #[test]
    fn a_disk_is_filled_up_to_a_mark() {
        let plan = read("name: p\nsteps: [{fill: node beta, left: 1MiB, for: 10s}]\n");
        let schedule = plan.schedule(&[]);
        let left_bytes = 1 << 20;
        assert_eq!(schedule.faults[0].fault, Fault::Fill { left_bytes });
    }

    #[test]
    fn a_mistake_is_told_with_its_place_and_what_was_meant() {
        let told = wrong("name: p\nsteps:\n- kil: manager\n  for: 4s\n");
        assert!(
            told.contains("p.yaml:3:3") && told.contains("did you mean `kill`?"),
            "{told}"
        );
        let told = wrong("name: p\nsteps:\n- kill: manger\n  for: 4s\n");
        assert!(told.contains("did you mean `manager`?"), "{told}");
        let told = wrong("name: p\nsteps:\n- kill: manager\n  fro: 4s\n");
        assert!(
            told.contains("did you mean `for`?") && told.contains("missing"),
            "{told}"
        );
        let told = wrong("name: p\ngaps: 5s\nsteps:\n- kill: manager\n  for: 4s\n");
        assert!(told.contains("did you mean `gap`?"), "{told}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (steps, why) in [
            ("[{wait: 5s}]", "breaks nothing"),
            ("[]", "breaks nothing"),
            ("[{crash: all}]", "only a persona crashes"),
            ("[{crash: manager, for: 4s}]", "`for`"),
            ("[{kill: manager, cut: manager, for: 4s}]", "one thing"),
            ("[{kill: manager, for: 2h}]", "allowed: 100ms to 55m"),
            ("[{kill: worker x, for: 1s}]", "worker TEAM/NAME"),
            (
                "[{kill: manager, for: 40m}, {wait: 40m}]",
                "take more than 55m",
            ),
            ("[{fill: all, for: 1s}]", "left"),
            ("[{fill: all, left: 0B, for: 1s}]", "allowed: 64KiB"),
            ("[{kill: manager, left: 1MiB, for: 1s}]", "`left`"),
            ("[kill]", "a map"),
        ] {
            let told = wrong(&format!("name: p\nsteps: {steps}\n"));
            assert!(told.contains(why), "{steps}: {told}");
        }
        assert!(wrong("").contains("0 documents"), "{}", wrong(""));
        let two = "name: p\nsteps: [{crash: manager}]\n---\nname: q\n";
        assert!(wrong(two).contains("2 documents"), "{}", wrong(two));
    }
}
