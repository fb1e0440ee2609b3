//! Something is asked about a chaos run: each of the three wishes has a file of its own.

use crate::chaos::Wish;
use crate::step::Step;
use crate::verdict::Verdict;

use super::{begin_chaos, end_chaos, tell_chaos};

pub(super) fn apply(step: &mut Step<'_>, wish: &Wish) -> Verdict {
    match wish {
        Wish::Begin(plan) => begin_chaos::apply(step, plan),
        Wish::Tell { node, run, news } => tell_chaos::apply(step, *node, *run, news),
        Wish::End { run } => end_chaos::apply(step, *run),
    }
}
