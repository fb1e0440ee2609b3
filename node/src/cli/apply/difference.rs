//! The difference between what is described and what is there, as people read it.

use std::fmt::Write as _;

use crate::admin::wire::{Change, Difference, DocumentChange, FieldChange};
use crate::cli::console::Console;
use crate::cli::print;
use crate::cli::screen;
use crate::cli::stop::Stop;

/// A value that is longer is cut: the difference says where to look, not everything.
const LONGEST_VALUE_CHARS: usize = 120;

/// Prints it: what changes to standard output, the sum of it as a remark.
pub(super) fn show(console: &Console, difference: &Difference) -> Result<(), Stop> {
    console
        .printer
        .show(difference, |difference, _| lines(difference))?;
    if !console.printer.is_json() {
        print::note(&sum(difference));
    }
    Ok(())
}

/// What goes, one a line.
pub(super) fn removals(difference: &Difference) -> String {
    let gone = difference
        .documents
        .iter()
        .filter(|document| document.change == Change::Remove);
    let lines: Vec<String> = gone.map(head).collect();
    lines.join("\n")
}

fn lines(difference: &Difference) -> String {
    let mut text = String::new();
    for document in &difference.documents {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", head(document));
        for field in &document.fields {
            let _ = writeln!(text, "    {}", field_line(field));
        }
    }
    let told = difference.documents.len() as u64;
    let changes = [difference.created, difference.changed, difference.removed];
    let all: u64 = changes.into_iter().map(u64::from).sum();
    if all > told {
        let _ = writeln!(text, "… and {} more", all - told);
    }
    text
}

fn head(document: &DocumentChange) -> String {
    let sign = match document.change {
        Change::Create => '+',
        Change::Update => '~',
        Change::Same => '=',
        Change::Remove => '-',
        Change::Unnamed => '?',
    };
    format!(
        "{sign} {} {}",
        screen::line(&document.kind),
        screen::line(&document.name)
    )
}

fn field_line(field: &FieldChange) -> String {
    let name = screen::line(&field.field);
    match (&field.before, &field.after) {
        (Some(before), Some(after)) => format!("{name}: {} → {}", value(before), value(after)),
        (None, Some(after)) => format!("{name}: {} (new)", value(after)),
        (Some(before), None) => format!("{name}: {} (gone)", value(before)),
        (None, None) => name,
    }
}

fn value(value: &serde_json::Value) -> String {
    let text = screen::line(&value.to_string());
    if text.chars().count() <= LONGEST_VALUE_CHARS {
        return text;
    }
    text.chars()
        .take(LONGEST_VALUE_CHARS)
        .chain(['…'])
        .collect()
}

fn sum(difference: &Difference) -> String {
    let Difference {
        created,
        changed,
        removed,
        unchanged,
        ..
    } = difference;
    if difference.is_dry_run {
        return format!(
            "would create {created}, change {changed}, remove {removed}; {unchanged} are so already \
             (dry run: nothing was done)"
        );
    }
    format!("created {created}, changed {changed}, removed {removed}; {unchanged} were so already")
}

#[cfg(test)]
mod tests {
    use super::{lines, removals, sum};
    use crate::admin::wire::{Change, Difference, DocumentChange, FieldChange};

    fn difference() -> Difference {
        let document = |name: &str, change, fields| DocumentChange {
            kind: "worker".to_owned(),
            name: name.to_owned(),
            change,
            fields,
        };
        let field = FieldChange {
            field: "agent.limits.memory_bytes".to_owned(),
            before: Some(1.into()),
            after: Some("\u{1b}[2J".into()),
        };
        Difference {
            is_dry_run: true,
            created: 3,
            changed: 1,
            unchanged: 5,
            removed: 1,
            documents: vec![
                document("sre/new", Change::Create, Vec::new()),
                document("sre/other", Change::Update, vec![field]),
                document("sre/gone", Change::Remove, Vec::new()),
            ],
            basis: "b".to_owned(),
            request_id: None,
        }
    }

    #[test]
    fn a_difference_is_read_line_by_line() {
        assert_eq!(
            lines(&difference()),
            "\
+ worker sre/new
~ worker sre/other
    agent.limits.memory_bytes: 1 → \"\\u001b[2J\"
- worker sre/gone
… and 2 more
"
        );
        assert_eq!(removals(&difference()), "- worker sre/gone");
        assert!(sum(&difference()).starts_with("would create 3, change 1, remove 1; 5"));
    }
}
