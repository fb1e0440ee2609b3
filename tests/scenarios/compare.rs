//! The difference of two texts, line by line.

use std::fmt::Write as _;

/// Lines that are only in `before` with `-`, only in `after` with `+`, and a little around them.
pub fn difference(before: &str, after: &str) -> String {
    let before: Vec<&str> = before.lines().collect();
    let after: Vec<&str> = after.lines().collect();
    let marked = marked(&before, &after);
    let mut out = String::new();
    let mut is_gap = false;
    for (at, (mark, line)) in marked.iter().enumerate() {
        let from = at.saturating_sub(AROUND);
        let to = (at + AROUND).min(marked.len() - 1);
        if marked[from..=to].iter().any(|(mark, _)| *mark != ' ') {
            let _ = writeln!(out, "  {mark} {line}");
            is_gap = false;
        } else if !is_gap {
            out.push_str("    …\n");
            is_gap = true;
        }
    }
    out
}

/// Equal lines that are shown beside each other one.
const AROUND: usize = 3;

/// The lines of both with their marks, along a longest common subsequence.
fn marked<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<(char, &'a str)> {
    let mut common = vec![vec![0_usize; after.len() + 1]; before.len() + 1];
    for old in (0..before.len()).rev() {
        for new in (0..after.len()).rev() {
            common[old][new] = if before[old] == after[new] {
                common[old + 1][new + 1] + 1
            } else {
                common[old + 1][new].max(common[old][new + 1])
            };
        }
    }
    let (mut old, mut new) = (0, 0);
    let mut out = Vec::new();
    while old < before.len() || new < after.len() {
        if old < before.len() && new < after.len() && before[old] == after[new] {
            out.push((' ', before[old]));
            (old, new) = (old + 1, new + 1);
        } else if new == after.len()
            || (old < before.len() && common[old + 1][new] >= common[old][new + 1])
        {
            out.push(('-', before[old]));
            old += 1;
        } else {
            out.push(('+', after[new]));
            new += 1;
        }
    }
    out
}
