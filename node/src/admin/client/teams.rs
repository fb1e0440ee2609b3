//! Documents, teams and workers.

use super::path::{NoQuery, path};
use super::{Asked, Client, ClientError, Lines};
use crate::admin::wire::{
    ApplyQuery, Difference, Document, Done, LogLine, ReplaceWorker, TeamPage, TeamQuery, TeamView,
    WorkerLogQuery, WorkerPage, WorkerQuery, WorkerView,
};
use hyper::Method;

impl Client {
    /// Applies documents, or says what applying them would do; blobs that they name were uploaded
    /// before. A dry run needs no request id.
    pub async fn apply(
        &self,
        documents: &[Document],
        how: &ApplyQuery,
        request_id: Option<&str>,
    ) -> Result<Difference, ClientError> {
        let mut asked = Asked::new(Method::POST, path(&["apply"], how)).json(&documents)?;
        if let Some(id) = request_id {
            asked = asked.wish(id);
        }
        self.connections.answer(&asked).await
    }

    /// A page of teams.
    pub async fn teams(&self, query: &TeamQuery) -> Result<TeamPage, ClientError> {
        self.get(path(&["teams"], query)).await
    }

    /// Everything about a team.
    pub async fn team(&self, name: &str) -> Result<TeamView, ClientError> {
        self.get(path(&["teams", name], &NoQuery)).await
    }

    /// A page of workers.
    pub async fn workers(&self, query: &WorkerQuery) -> Result<WorkerPage, ClientError> {
        self.get(path(&["workers"], query)).await
    }

    /// Everything about a worker of a team.
    pub async fn worker(&self, team: &str, name: &str) -> Result<WorkerView, ClientError> {
        self.get(path(&["workers", team, name], &NoQuery)).await
    }

    /// Gives a worker a new container.
    pub async fn replace_worker(
        &self,
        team: &str,
        name: &str,
        why: &ReplaceWorker,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        let path = path(&["workers", team, name, "replace"], &NoQuery);
        self.change(path, why, request_id).await
    }

    /// The log of a worker's container.
    pub async fn worker_log(
        &self,
        team: &str,
        name: &str,
        query: &WorkerLogQuery,
    ) -> Result<Lines<LogLine>, ClientError> {
        Lines::open(self, path(&["workers", team, name, "logs"], query)).await
    }
}
