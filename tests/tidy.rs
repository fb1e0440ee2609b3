//! The shape of the code as a test: each rule names the place that breaks it and what to do instead.

mod tidy {
    pub mod arrows;
    pub mod house;
    pub mod shape;
    pub mod source;
    pub mod words;
}

use tidy::house::House;
use tidy::{arrows, shape, words};

#[test]
fn arrows_between_rooms_point_inwards() {
    House::read().holds(arrows::arrows_point_inwards);
}

#[test]
fn the_rules_depend_on_nothing_but_what_reckons() {
    House::read().holds(arrows::the_rules_depend_on_nothing_but_what_reckons);
}

#[test]
fn rooms_do_not_know_too_much() {
    House::read().holds(arrows::rooms_do_not_know_too_much);
}

#[test]
fn folders_keep_to_themselves_what_is_theirs() {
    House::read().holds(arrows::folders_keep_to_themselves);
}

#[test]
fn each_dependency_has_its_place() {
    House::read().holds(arrows::each_dependency_has_its_place);
}

#[test]
fn the_docker_library_is_named_in_one_file() {
    House::read().holds(arrows::the_docker_library_is_named_in_one_file);
}

#[test]
fn clocks_are_read_in_one_file() {
    House::read().holds(arrows::clocks_are_read_in_one_file);
}

#[test]
fn members_of_the_workspace_are_the_rooms() {
    House::read().holds(arrows::members_are_the_rooms);
}

#[test]
fn files_begin_with_what_they_are() {
    House::read().holds(shape::files_have_headers);
}

#[test]
fn no_file_is_too_long() {
    House::read().holds(shape::files_are_short);
}

#[test]
fn no_function_is_too_long() {
    House::read().holds(shape::functions_are_short);
}

#[test]
fn names_of_tests_are_sentences() {
    House::read().holds(shape::tests_are_sentences);
}

#[test]
fn limits_say_their_reason() {
    House::read().holds(shape::limits_say_their_reason);
}

#[test]
fn names_say_what_things_are() {
    House::read().holds(shape::names_say_what_things_are);
}

#[test]
fn examples_in_comments_are_not_code() {
    House::read().holds(shape::examples_in_comments_are_not_code);
}

#[test]
fn nothing_else_lies_at_the_top() {
    House::read().holds(shape::nothing_else_lies_at_the_top);
}

#[test]
fn each_command_has_its_file() {
    House::read().holds(shape::each_command_has_its_file);
}

#[test]
fn nothing_is_left_for_later() {
    House::read().holds(words::nothing_is_left_for_later);
}

#[test]
fn nothing_points_outside_of_the_workspace() {
    House::read().holds(words::nothing_points_outside);
}

#[test]
fn tests_wait_and_do_not_sleep() {
    House::read().holds(words::tests_do_not_sleep);
}
