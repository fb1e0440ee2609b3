//! What must be true after each entry, whatever was said: one truth, one file.

mod alarms;
mod approval;
mod documents;
mod effects;
mod erased;
mod forward;
mod indexes;
mod nodes;
mod people;
mod promises;
mod queue;
mod record;
mod refused;
mod reporting;
mod requests;
mod results;
mod rooms;
mod running;
mod standstill;

use crate::lab::Told;

/// The first truth that is broken, in words.
pub fn check(told: &Told<'_>) -> Result<(), String> {
    forward::statuses_only_move_forward(told)?;
    results::a_stage_has_one_accepted_result(told)?;
    running::live_attempts_are_what_their_workers_run(told)?;
    running::no_worker_is_given_more_than_it_takes_at_once(told)?;
    running::a_stage_runs_after_those_that_it_needs(told)?;
    running::the_butlers_agent_plans_and_nobody_else(told)?;
    queue::exactly_the_stages_that_wait_for_a_worker_are_queued(told)?;
    queue::no_free_worker_and_stage_wait_for_each_other(told)?;
    queue::nobody_jumps_the_queue(told)?;
    promises::nodes_promise_what_their_workers_may_take(told)?;
    indexes::teams_know_their_workers_and_cases(told)?;
    people::people_are_known_the_same_way_round(told)?;
    people::a_decision_is_outdated_by_what_it_leans_on(told)?;
    people::nothing_is_done_without_a_decision_that_allows_it(told)?;
    reporting::a_case_is_reported_when_nothing_is_left(told)?;
    standstill::held_and_ended_cases_start_nothing(told)?;
    standstill::whatever_waits_can_say_for_what(told)?;
    approval::what_needs_an_approval_begins_after_it(told)?;
    alarms::the_clock_wakes_what_it_should(told)?;
    nodes::numbers_are_given_once(told)?;
    nodes::nobody_stands_where_nothing_may(told)?;
    nodes::what_a_lost_node_ran_is_lost_without_blame(told)?;
    nodes::who_votes_is_well_chosen(told)?;
    effects::only_a_running_attempt_intends(told)?;
    effects::an_unkeyed_effect_never_begins_twice(told)?;
    effects::what_nobody_knows_parks_its_stage(told)?;
    effects::a_parked_stage_stays_until_it_is_settled(told)?;
    effects::what_was_done_stays_done(told)?;
    documents::what_is_described_keeps_its_shape(told)?;
    record::each_entry_has_its_record(told)?;
    erased::what_is_erased_is_closed_and_stays_erased(told)?;
    rooms::a_post_has_a_number_of_its_own(told)?;
    rooms::only_what_runs_is_told_anything(told)?;
    rooms::what_an_agent_says_opens_and_amends_nothing(told)?;
    rooms::what_is_kept_is_bounded(told)?;
    refused::a_refused_entry_changes_nothing(told)?;
    requests::the_same_request_twice_is_done_once(told)
}

/// Says that something is not as it must be.
pub fn broken<T>(what: impl std::fmt::Display) -> Result<T, String> {
    Err(what.to_string())
}
