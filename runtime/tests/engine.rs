//! The engines against one suite: docker, bubblewrap, a user of its own; and what is special to each.
//!
//! Needs root, bubblewrap and a Docker engine; its socket is named by `DOMO_TEST_DOCKER`.

#[cfg(test)]
#[path = "engine/attempts.rs"]
mod attempts;
#[cfg(test)]
#[path = "engine/bench.rs"]
mod bench;
#[cfg(test)]
#[path = "engine/beside.rs"]
mod beside;
#[cfg(test)]
#[path = "engine/boxes.rs"]
mod boxes;
#[cfg(test)]
#[path = "engine/outage.rs"]
mod docker_outage;
#[cfg(test)]
#[path = "engine/freezing.rs"]
mod freezing;
#[cfg(test)]
#[path = "engine/limits.rs"]
mod limits;
#[cfg(test)]
#[path = "engine/opening.rs"]
mod opening;

/// Makes a module of tests for one engine.
macro_rules! conformance {
    ($kind:ident as $module:ident; $($room:ident::$name:ident),+ $(,)?) => {
        mod $module {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let bench = crate::bench::Bench::open(crate::bench::Kind::$kind).await;
                crate::$room::$name(bench).await;
            })+
        }
    };
}

macro_rules! everything {
    ($($kind:ident as $module:ident),+) => {
        $(conformance! { $kind as $module;
            attempts::an_ordered_attempt_runs_once_and_its_result_is_taken,
            attempts::an_exit_code_and_a_signal_are_reported_with_the_last_words,
            attempts::input_reaches_the_agent_as_the_contract_says,
            attempts::a_cancel_ends_the_agent_and_everything_that_it_left_behind,
            attempts::what_an_agent_leaves_behind_ends_with_it,
            attempts::a_polite_agent_has_its_grace_and_a_cancelled_order_never_starts,
            limits::a_hanging_agent_ends_at_its_time_limit_without_the_daemon,
            limits::a_fork_bomb_stays_in_its_box_and_ends_with_its_attempt,
            limits::a_flood_of_output_is_bounded_and_said_to_be,
            limits::an_agent_that_fills_the_disk_is_stopped,
            limits::memory_beyond_the_limit_is_said_to_be_the_cause,
            attempts::half_a_result_and_hostile_ones_are_refused_by_name,
            attempts::of_a_result_written_twice_the_one_at_the_end_counts,
            boxes::an_attempt_outlives_the_daemon_and_its_exit_is_found,
            boxes::an_attempt_whose_box_was_stopped_and_one_whose_box_died_are_both_over,
            boxes::the_end_of_a_box_is_news,
            freezing::a_frozen_box_stands_still_and_goes_on_where_it_was,
            freezing::a_frozen_box_is_killed_and_not_thawed,
            freezing::of_frozen_attempts_side_by_side_only_the_wanted_go_on,
            boxes::removing_is_idempotent_and_kills_what_is_inside,
            boxes::only_boxes_of_this_node_are_listed,
            boxes::a_box_whose_folder_was_lost_leaves_no_orphan,
            boxes::ensuring_at_the_same_time_makes_one_box,
            attempts::an_agent_that_forges_its_end_has_ended,
            attempts::what_an_agent_plants_for_the_next_attempt_is_thrown_away,
            limits::isolation_holds_as_seen_from_inside,
            beside::attempts_run_side_by_side_each_with_its_own_end,
            beside::the_end_of_one_attempt_leaves_the_others,
            beside::a_fork_bomb_beside_another_attempt_ends_alone,
            beside::memory_is_the_boxs_and_ends_the_largest_attempt,
            beside::one_that_wants_the_box_for_itself_waits_for_the_others,
            beside::a_box_that_stops_ends_all_and_says_so,
            beside::an_agent_that_kills_its_attendant_has_ended_with_all_that_it_left,
        })+
    };
}

everything! { Docker as docker, Bubblewrap as bubblewrap, OwnUid as own_uid }

// A container's groups are the container engine's own.
conformance! { Bubblewrap as bubblewrap_groups;
    freezing::what_a_dead_box_has_left_frozen_is_killed_when_it_is_removed,
    freezing::what_a_dead_box_has_left_is_killed_when_it_is_laid_to_rest,
}

// Without any confinement there are still limits, and still nothing outlives its attempt.
conformance! { Unconfined as unconfined;
    attempts::an_ordered_attempt_runs_once_and_its_result_is_taken,
    attempts::a_cancel_ends_the_agent_and_everything_that_it_left_behind,
    attempts::what_an_agent_leaves_behind_ends_with_it,
    limits::a_fork_bomb_stays_in_its_box_and_ends_with_its_attempt,
    limits::memory_beyond_the_limit_is_said_to_be_the_cause,
    boxes::an_attempt_outlives_the_daemon_and_its_exit_is_found,
    freezing::a_frozen_box_stands_still_and_goes_on_where_it_was,
    freezing::a_frozen_box_is_killed_and_not_thawed,
    boxes::removing_is_idempotent_and_kills_what_is_inside,
    beside::attempts_run_side_by_side_each_with_its_own_end,
    beside::the_end_of_one_attempt_leaves_the_others,
    beside::a_fork_bomb_beside_another_attempt_ends_alone,
    beside::memory_is_the_boxs_and_ends_the_largest_attempt,
    beside::one_that_wants_the_box_for_itself_waits_for_the_others,
    beside::a_box_that_stops_ends_all_and_says_so,
    beside::an_agent_that_kills_its_attendant_has_ended_with_all_that_it_left,
}
