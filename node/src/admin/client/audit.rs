//! The record of what was asked.

use super::path::{NoQuery, path};
use super::{Client, ClientError, Download};
use crate::admin::wire::{
    AuditHead, AuditHeadQuery, AuditPage, AuditQuery, AuditVerdict, Done, EraseCase,
};

impl Client {
    /// Records, the newest first.
    pub async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, ClientError> {
        self.get(path(&["audit"], query)).await
    }

    /// The end of the chain.
    pub async fn audit_head(&self) -> Result<AuditHead, ClientError> {
        self.get(path(&["audit", "head"], &NoQuery)).await
    }

    /// Whether the record on this node is what was written.
    pub async fn verify_audit(&self, kept: &AuditHeadQuery) -> Result<AuditVerdict, ClientError> {
        self.get(path(&["audit", "verify"], kept)).await
    }

    /// Erases the texts of a closed case.
    pub async fn erase_case(
        &self,
        case: &str,
        why: &EraseCase,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        let path = path(&["cases", case, "erase"], &NoQuery);
        self.change(path, why, request_id).await
    }

    /// The whole record.
    pub async fn export_audit(&self) -> Result<Download, ClientError> {
        Download::open(self, path(&["audit", "export"], &NoQuery)).await
    }
}
