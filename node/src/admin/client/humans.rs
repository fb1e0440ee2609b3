//! Humans, their tokens, and the organisation's policies.

use super::path::{NoQuery, path};
use super::{Client, ClientError};
use crate::admin::wire::{
    Done, HumanPage, HumanQuery, HumanView, HumansPut, MintHumanToken, Minted, Policy,
    PolicyChecked, PolicyPage, PutHumans, PutHumansQuery, RemoveHuman, RemovePolicy, RevokeToken,
    SetHumanRole,
};

impl Client {
    /// Humans of the teams that the asker may read.
    pub async fn humans(&self, query: &HumanQuery) -> Result<HumanPage, ClientError> {
        self.get(path(&["humans"], query)).await
    }

    /// Everything about a human.
    pub async fn human(&self, human: &str) -> Result<HumanView, ClientError> {
        self.get(path(&["humans", human], &NoQuery)).await
    }

    /// Gives people accounts and roles: all of them, or none.
    pub async fn put_humans(
        &self,
        roster: &PutHumans,
        request_id: &str,
    ) -> Result<HumansPut, ClientError> {
        let path = path(&["humans"], &NoQuery);
        self.change(path, roster, request_id).await
    }

    /// What that would change, or why it would be refused.
    pub async fn put_humans_dry(&self, roster: &PutHumans) -> Result<HumansPut, ClientError> {
        let how = PutHumansQuery { dry_run: true };
        self.question(path(&["humans"], &how), roster).await
    }

    /// Takes an account away.
    pub async fn remove_human(&self, human: &str, request_id: &str) -> Result<Done, ClientError> {
        let path = path(&["humans", human, "remove"], &NoQuery);
        self.change(path, &RemoveHuman {}, request_id).await
    }

    /// Changes what somebody may.
    pub async fn set_human_role(
        &self,
        human: &str,
        how: &SetHumanRole,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        let path = path(&["humans", human, "role"], &NoQuery);
        self.change(path, how, request_id).await
    }

    /// Makes a token by which a human is known.
    pub async fn mint_human_token(
        &self,
        human: &str,
        how: &MintHumanToken,
        request_id: &str,
    ) -> Result<Minted, ClientError> {
        let path = path(&["humans", human, "tokens"], &NoQuery);
        self.change(path, how, request_id).await
    }

    /// Makes a human's token worthless.
    pub async fn revoke_human_token(
        &self,
        human: &str,
        token: &str,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        let path = path(&["humans", human, "tokens", token, "revoke"], &NoQuery);
        self.change(path, &RevokeToken {}, request_id).await
    }

    /// The organisation's policies and the matrix.
    pub async fn policies(&self) -> Result<PolicyPage, ClientError> {
        self.get(path(&["policies"], &NoQuery)).await
    }

    /// Says what the organisation forbids.
    pub async fn put_policy(&self, policy: &Policy, request_id: &str) -> Result<Done, ClientError> {
        let path = path(&["policies"], &NoQuery);
        self.change(path, policy, request_id).await
    }

    /// What is wrong with a policy.
    pub async fn check_policy(&self, policy: &Policy) -> Result<PolicyChecked, ClientError> {
        let path = path(&["policies", "check"], &NoQuery);
        self.question(path, policy).await
    }

    /// Takes a policy away.
    pub async fn remove_policy(&self, policy: &str, request_id: &str) -> Result<Done, ClientError> {
        let path = path(&["policies", policy, "remove"], &NoQuery);
        self.change(path, &RemovePolicy {}, request_id).await
    }
}
