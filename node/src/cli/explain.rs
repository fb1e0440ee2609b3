//! Why somebody is where they are, as it is shown.

use super::print::{self, Paper};
use crate::admin::wire::Explained;

/// The explanation.
pub(crate) fn view(explained: &Explained, paper: &Paper) -> String {
    let node = explained.node.clone();
    let head = print::pairs([
        ("node", node.unwrap_or_else(|| "none".to_owned())),
        ("because", explained.because.clone()),
    ]);
    let rows = explained
        .nodes
        .iter()
        .map(|node| [node.id.clone(), node.name.clone(), node.verdict.clone()]);
    let table = paper.table(["NODE", "NAME", "NOW"], rows.collect());
    format!("{head}\n{table}")
}
