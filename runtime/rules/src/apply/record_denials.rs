//! The ledger notes who was denied what: the entry is the record, and the state stays as it is.

use crate::limits;
use crate::right::Denial;
use crate::step::Step;
use crate::verdict::{Outcome, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, denials: &[Denial]) -> Verdict {
    fence::ledger(step)?;
    if denials.len() > limits::MAX_DENIALS {
        return Err(over("max_denials", limits::MAX_DENIALS));
    }
    for denial in denials {
        fence::line("who", &denial.who)?;
    }
    Ok(Outcome::Done)
}
