//! The record as it is shown.

use runtime::audit::line::hex;
use runtime::audit::read::Row;
use runtime::audit::signers::Authority;
use runtime::audit::verify::{Fault, Known, Verified};
use runtime::links::Signers;

use crate::admin::wire::{AuditFault, AuditLine, AuditSigners, AuditVerdict, Moment};

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
    let met = verified.signed + verified.heads.len() as u64;
    let (signed, last) = (verified.signed, verified.count);
    let mut compared = verified.heads;
    match signed {
        0 => {}
        1 => compared.push("1 signed checkpoint".to_owned()),
        some => compared.push(format!("{some} signed checkpoints")),
    }
    let behind = verified.behind.into_iter().map(|known| {
        let Known { count, whose, .. } = known;
        format!("it ends at record {last}; {whose} is of record {count}")
    });
    AuditVerdict {
        is_whole: verified.fault.is_none(),
        first: verified.first,
        count: verified.count,
        index: verified.index,
        head: hex(&verified.head),
        erased: verified.erased,
        met,
        compared,
        behind: behind.collect(),
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

/// Who signs checkpoints, as it is told and kept.
pub(crate) fn signers(authority: Authority) -> AuditSigners {
    let Authority { cluster, authority } = authority;
    AuditSigners { cluster, authority }
}

/// Who signs, out of what was kept; none if it cannot be read.
pub(crate) fn signed_by(kept: AuditSigners) -> Option<Signers> {
    let AuditSigners { cluster, authority } = kept;
    Authority { cluster, authority }.signers()
}
