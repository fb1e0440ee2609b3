//! `domo audit …`: the record of who asked what.

mod erase;
mod export;
mod head;
mod show;
mod verify;

use super::verb::noun;

noun! {
    /// What there is to do with the record.
    Audit {
        Show(show::AuditShow),
        Verify(verify::AuditVerify),
        Head(head::AuditHeadVerb),
        Export(export::AuditExport),
        Erase(erase::AuditErase),
    }
}
