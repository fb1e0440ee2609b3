//! What was acknowledged survives, what was refused did not happen, and one request is one case.

use rules::{Command, Outcome};

use crate::sim::oracle::{End, Evidence};

pub fn broken(evidence: &Evidence) -> Vec<String> {
    let mut wrongs = Vec::new();
    for call in &evidence.calls {
        let Command::OpenCase { title, .. } = &call.command else {
            continue;
        };
        for last in &evidence.finals {
            let there = last.titles.get(title).map_or(&[][..], Vec::as_slice);
            for verdict in call.verdicts() {
                if let Ok(Outcome::Opened(case)) = verdict
                    && !there.contains(case)
                {
                    wrongs.push(format!(
                        "{title}, which is {case}, is lost on {}",
                        last.node
                    ));
                }
            }
            if there.len() > 1 {
                wrongs.push(format!("{title} is doubled on {}: {there:?}", last.node));
            }
            let is_refused = call.ends.iter().all(|end| *end == End::Refused);
            if is_refused && !there.is_empty() {
                wrongs.push(format!("{title} was refused and is {there:?}"));
            }
        }
    }
    wrongs
}
