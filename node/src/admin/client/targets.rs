//! Targets, and the secrets of the node that is asked.

use super::path::{NoQuery, path};
use super::{Client, ClientError};
use crate::admin::wire::{
    CheckTarget, Done, RemoveSecret, RemoveTarget, SecretDone, SecretPage, SetSecret, SettleEffect,
    Target, TargetChecked, TargetPage,
};

impl Client {
    /// What agents may reach.
    pub async fn targets(&self) -> Result<TargetPage, ClientError> {
        self.get(path(&["targets"], &NoQuery)).await
    }

    /// Says what a target is.
    pub async fn put_target(&self, target: &Target, request_id: &str) -> Result<Done, ClientError> {
        let path = path(&["targets"], &NoQuery);
        self.change(path, target, request_id).await
    }

    /// Takes a target away.
    pub async fn remove_target(&self, target: &str, request_id: &str) -> Result<Done, ClientError> {
        let path = path(&["targets", target, "remove"], &NoQuery);
        self.change(path, &RemoveTarget {}, request_id).await
    }

    /// Tries a target from the node that is asked.
    pub async fn check_target(
        &self,
        target: &str,
        how: &CheckTarget,
    ) -> Result<TargetChecked, ClientError> {
        let path = path(&["targets", target, "check"], &NoQuery);
        // It changes nothing: its request id names no wish.
        self.change(path, how, "check").await
    }

    /// For which targets the node has secrets.
    pub async fn secrets(&self) -> Result<SecretPage, ClientError> {
        self.get(path(&["secrets"], &NoQuery)).await
    }

    /// Gives the node a target's secret.
    pub async fn set_secret(
        &self,
        target: &str,
        secret: &SetSecret,
        request_id: &str,
    ) -> Result<SecretDone, ClientError> {
        let path = path(&["secrets", target], &NoQuery);
        self.change(path, secret, request_id).await
    }

    /// Has the node forget a target's secret.
    pub async fn remove_secret(
        &self,
        target: &str,
        request_id: &str,
    ) -> Result<SecretDone, ClientError> {
        let path = path(&["secrets", target, "remove"], &NoQuery);
        self.change(path, &RemoveSecret {}, request_id).await
    }

    /// Says whether an effect was done.
    pub async fn settle_effect(
        &self,
        case: &str,
        stage: &str,
        said: &SettleEffect,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        let path = path(&["cases", case, "stages", stage, "settle"], &NoQuery);
        self.change(path, said, request_id).await
    }
}
