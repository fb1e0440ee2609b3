//! A chaos plan that an operator wrote.

use config::document::chaos::parse_plan;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match parse_plan("plan.yaml", &text) {
        Ok(plan) => {
            let nodes = ["alpha".to_owned(), "beta".to_owned()];
            drop(plan.schedule(&nodes));
            assert!(!plan.steps.is_empty(), "a plan without a step");
        }
        Err(mistakes) => super::is_readable(&mistakes.to_string()),
    }
}
