//! Changing cases: each under the request id of the wish, which a repetition repeats.

use super::path::{NoQuery, path};
use super::{Client, ClientError};
use crate::admin::wire::{
    AmendCase, AnswerStage, ApproveStage, CancelCase, Done, OpenCase, Opened, PauseCase,
    RejectStage, ResumeCase, RouteCase,
};

impl Client {
    /// Hands a case over.
    pub async fn open_case(
        &self,
        case: &OpenCase,
        request_id: &str,
    ) -> Result<Opened, ClientError> {
        self.change(path(&["cases"], &NoQuery), case, request_id)
            .await
    }

    /// Ends a case.
    pub async fn cancel_case(
        &self,
        case: &str,
        why: &CancelCase,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        self.change(path(&["cases", case, "cancel"], &NoQuery), why, request_id)
            .await
    }

    /// Gives a case its team.
    pub async fn route_case(
        &self,
        case: &str,
        to: &RouteCase,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        self.change(path(&["cases", case, "route"], &NoQuery), to, request_id)
            .await
    }

    /// Holds a case.
    pub async fn pause_case(
        &self,
        case: &str,
        why: &PauseCase,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        self.change(path(&["cases", case, "pause"], &NoQuery), why, request_id)
            .await
    }

    /// Lets a held case go on.
    pub async fn resume_case(&self, case: &str, request_id: &str) -> Result<Done, ClientError> {
        let path = path(&["cases", case, "resume"], &NoQuery);
        self.change(path, &ResumeCase {}, request_id).await
    }

    /// Changes what is to be done.
    pub async fn amend_case(
        &self,
        case: &str,
        change: &AmendCase,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        self.change(
            path(&["cases", case, "amend"], &NoQuery),
            change,
            request_id,
        )
        .await
    }

    /// Answers a stage by hand.
    pub async fn answer_stage(
        &self,
        case: &str,
        stage: &str,
        answer: &AnswerStage,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        let path = path(&["cases", case, "stages", stage, "answer"], &NoQuery);
        self.change(path, answer, request_id).await
    }

    /// Lets a stage begin that waits for it.
    pub async fn approve_stage(
        &self,
        case: &str,
        stage: &str,
        note: &ApproveStage,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        let path = path(&["cases", case, "stages", stage, "approve"], &NoQuery);
        self.change(path, note, request_id).await
    }

    /// Refuses to let a stage begin.
    pub async fn reject_stage(
        &self,
        case: &str,
        stage: &str,
        why: &RejectStage,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        let path = path(&["cases", case, "stages", stage, "reject"], &NoQuery);
        self.change(path, why, request_id).await
    }
}
