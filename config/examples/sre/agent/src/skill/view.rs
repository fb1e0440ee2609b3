//! Faults as findings, and sentences that several skills say.

use crate::diagnose::Diagnosis;
use crate::diagnose::fault::Fault;
use crate::outcome::{Finding, Severity};
use crate::phrase;

/// Names that are listed in one sentence.
const MAX_NAMES: usize = 5;
/// Sound names that stand in a summary.
const SHORT: usize = 3;

/// A fault as a finding.
pub fn finding(diagnosis: &Diagnosis<'_>, fault: &Fault) -> Finding {
    let mut detail = fault.explanation.clone();
    if let Some(by) = fault.follows_from.and_then(|i| diagnosis.faults.get(i)) {
        detail = format!(
            "{detail} This is a consequence of another finding ({}): {}.",
            by.title, fault.link
        );
    }
    if !fault.cure.is_empty() {
        detail = format!("{detail} What to do: {}", fault.cure);
    }
    Finding::new(fault.severity, fault.title.clone(), detail).with(fault.evidence.clone())
}

/// What the brief named and what of it was not recorded; empty when it named nothing.
pub fn about_names(diagnosis: &Diagnosis<'_>) -> String {
    let focus = &diagnosis.focus;
    let missing = phrase::names(&focus.missing, SHORT);
    match (focus.missing.len(), focus.understood.is_empty()) {
        (0, _) => String::new(),
        (n, true) => {
            let is = if n == 1 { "is" } else { "are" };
            format!("{missing} {is} not in the recording, so everything was looked at. ")
        }
        (n, false) => {
            let (is, was) = if n == 1 {
                ("is", "it was")
            } else {
                ("are", "they were")
            };
            let taken = phrase::names(&focus.understood, SHORT);
            format!("{missing} {is} not in the recording; {was} taken for {taken}. ")
        }
    }
}

/// The finding that says what the brief named, if anything of it is not there.
pub fn names_finding(diagnosis: &Diagnosis<'_>) -> Option<Finding> {
    let focus = &diagnosis.focus;
    if focus.missing.is_empty() {
        return None;
    }
    let title = format!(
        "Not in the recording: {}",
        phrase::names(&focus.missing, MAX_NAMES)
    );
    let detail = if focus.understood.is_empty() {
        "The brief names it, but no recorded object bears that name. It may have been deleted or \
         replaced, or live in another cluster; everything that was recorded was looked at instead."
            .to_owned()
    } else {
        format!(
            "The brief names it, but no recorded object bears that name; it may have been replaced. \
             The brief was taken to speak of {}.",
            phrase::names(&focus.understood, MAX_NAMES)
        )
    };
    Some(Finding::new(Severity::Info, title, detail))
}

/// `2 critical faults and 1 warning`; empty when there is none.
pub fn tally(diagnosis: &Diagnosis<'_>) -> String {
    let of = |severity| {
        diagnosis
            .present()
            .filter(|f| f.severity == severity)
            .count()
    };
    let mut parts = Vec::new();
    let (critical, warning) = (of(Severity::Critical), of(Severity::Warning));
    if critical > 0 {
        parts.push(phrase::count(critical, "critical fault"));
    }
    if warning > 0 {
        parts.push(phrase::count(warning, "warning"));
    }
    phrase::names(parts, 2)
}
