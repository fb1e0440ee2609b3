//! Reading cases: lists, one case, what happens to it, its files and its report.

use hyper::Method;

use super::path::{NoQuery, path};
use super::{Asked, Client, ClientError, Download, Lines};
use crate::admin::wire::{
    CaseFiles, CasePage, CaseQuery, CaseView, Consistency, FreshQuery, LogLine, LogQuery, Report,
    WatchEvent, WatchQuery,
};

impl Client {
    /// A page of cases, the newest first.
    pub async fn cases(&self, query: &CaseQuery) -> Result<CasePage, ClientError> {
        self.get(path(&["cases"], query)).await
    }

    /// Everything about a case.
    pub async fn case(
        &self,
        case: &str,
        consistency: Consistency,
    ) -> Result<CaseView, ClientError> {
        self.get(path(&["cases", case], &FreshQuery { consistency }))
            .await
    }

    /// What happens to a case from now on, and what happened after the entry `from` (0: all), until
    /// it is closed. When the stream breaks off, open it again with the last index seen.
    pub async fn watch(&self, case: &str, from: u64) -> Result<Lines<WatchEvent>, ClientError> {
        let query = WatchQuery { from: Some(from) };
        Lines::open(self, path(&["cases", case, "watch"], &query)).await
    }

    /// What a case's agents wrote to their outputs.
    pub async fn case_log(
        &self,
        case: &str,
        query: &LogQuery,
    ) -> Result<Lines<LogLine>, ClientError> {
        Lines::open(self, path(&["cases", case, "logs"], query)).await
    }

    /// The files of a case.
    pub async fn files(&self, case: &str) -> Result<CaseFiles, ClientError> {
        self.get(path(&["cases", case, "files"], &NoQuery)).await
    }

    /// The bytes of one file of a case, by the path that [`Client::files`] gave.
    pub async fn file(&self, case: &str, file: &str) -> Result<Download, ClientError> {
        let parts: Vec<&str> = ["cases", case, "files"]
            .into_iter()
            .chain(file.split('/'))
            .collect();
        Download::open(self, path(&parts, &NoQuery)).await
    }

    /// The report of a closed case.
    pub async fn report(&self, case: &str) -> Result<Report, ClientError> {
        self.get(path(&["cases", case, "report"], &NoQuery)).await
    }

    /// The report of a closed case as Markdown.
    pub async fn report_markdown(&self, case: &str) -> Result<String, ClientError> {
        let asked = Asked::new(Method::GET, path(&["cases", case, "report"], &NoQuery))
            .accept("text/markdown");
        let bytes = self.connections.bytes(&asked).await?;
        String::from_utf8(bytes.into()).map_err(|error| ClientError::NotUnderstood {
            why: error.to_string(),
        })
    }
}
