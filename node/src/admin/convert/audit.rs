//! The record as it is shown.

use runtime::audit::line::hex;
use runtime::audit::read::Row;
use runtime::audit::verify::{Fault, Verified};

use crate::admin::wire::{AuditFault, AuditLine, AuditVerdict, Moment};

/// A record with what stands beside it.
pub(crate) fn line(row: Row) -> AuditLine {
    let told = row.told;
    AuditLine {
        n: told.n,
        index: told.index,
        term: told.term,
        at: Moment::from_ms(told.wall_ms),
        elapsed_ms: told.elapsed_ms,
        ticks: told.ticks,
        who: told.who,
        command: told.command,
        subjects: told.subjects,
        digest: told.digest,
        texts: told.texts,
        policy: told.policy,
        denials: told.denials,
        deed: told.deed,
        verdict: told.verdict,
        head: hex(&row.head),
        salt: row.salt.map(|salt| hex(&salt)),
    }
}

/// What came of looking at all of it.
pub(crate) fn verdict(verified: Verified) -> AuditVerdict {
    AuditVerdict {
        is_whole: verified.fault.is_none(),
        first: verified.first,
        count: verified.count,
        index: verified.index,
        head: hex(&verified.head),
        erased: verified.erased,
        met: verified.met,
        fault: verified.fault.map(fault),
    }
}

fn fault(fault: Fault) -> AuditFault {
    AuditFault {
        record: fault.record,
        index: fault.index,
        file: fault.file.display().to_string(),
        offset: fault.offset,
        what: fault.what,
    }
}
