//! The clock wakes exactly the time limits of live attempts, the ends of idle times and of tokens,
//! of the wait for rosters, and of a chaos run.

use std::collections::BTreeSet;

use rules::id::AttemptId;
use rules::state::Alarm;

use super::broken;
use crate::lab::Told;

pub fn the_clock_wakes_what_it_should(told: &Told<'_>) -> Result<(), String> {
    let state = told.after;
    let mut wanted = BTreeSet::new();
    for (id, case) in &state.cases {
        for (number, attempt) in case.live_attempts() {
            let what = AttemptId { case: *id, number };
            wanted.insert((attempt.deadline, Alarm::Deadline(what)));
        }
    }
    for (id, worker) in &state.workers {
        let is_idle = worker.is_awake && worker.running.is_empty();
        if is_idle != worker.idle_since.is_some() {
            return broken(format!(
                "{id} does not know since when it idles: {worker:?}"
            ));
        }
        if let Some(since) = worker.idle_since {
            let until = since.plus(worker.spec.idle_after_ms);
            wanted.insert((until, Alarm::Idle(id.clone())));
        }
    }
    for (name, token) in &state.tokens {
        wanted.insert((token.until, Alarm::Token(name.clone())));
    }
    for (name, human) in &state.people.humans {
        for (token, found) in &human.tokens {
            let alarm = Alarm::HumanToken(name.clone(), token.clone());
            wanted.insert((found.until, alarm));
        }
    }
    for (roster, staged) in &state.people.staged {
        wanted.insert((staged.until, Alarm::Roster(*roster)));
    }
    let runs = state.alarms.iter();
    let runs = runs.filter(|(_, alarm)| matches!(alarm, Alarm::Chaos(_)));
    wanted.extend(runs.clone().cloned());
    if runs.count() > 1 {
        return broken("there are two chaos runs".to_owned());
    }
    if wanted != state.alarms {
        let alarms = &state.alarms;
        return broken(format!("the clock wakes {alarms:?}, not {wanted:?}"));
    }
    match state.alarms.first() {
        Some((due, alarm)) if *due <= state.clock => broken(format!("{alarm:?} did not ring")),
        Some(_) | None => Ok(()),
    }
}
