//! Nodes, tokens, and where somebody could be.

use super::path::{NoQuery, path};
use super::{Client, ClientError};
use crate::admin::wire::{
    Done, DrainNode, Explained, MintToken, Minted, NodeDetails, NodePage, RemoveNode, RevokeToken,
    SetRole, TokenPage,
};

impl Client {
    /// All nodes.
    pub async fn nodes(&self) -> Result<NodePage, ClientError> {
        self.get(path(&["nodes"], &NoQuery)).await
    }

    /// Everything about a node, by its number or name.
    pub async fn node(&self, node: &str) -> Result<NodeDetails, ClientError> {
        self.get(path(&["nodes", node], &NoQuery)).await
    }

    /// Has a node left by all that is on it, or lets it be used again.
    pub async fn drain_node(
        &self,
        node: &str,
        how: &DrainNode,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        self.change(path(&["nodes", node, "drain"], &NoQuery), how, request_id)
            .await
    }

    /// Takes a node out of the cluster for ever.
    pub async fn remove_node(
        &self,
        node: &str,
        how: &RemoveNode,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        self.change(path(&["nodes", node, "remove"], &NoQuery), how, request_id)
            .await
    }

    /// Says whether a node votes.
    pub async fn set_role(
        &self,
        node: &str,
        how: &SetRole,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        self.change(path(&["nodes", node, "role"], &NoQuery), how, request_id)
            .await
    }

    /// The tokens that are still good.
    pub async fn tokens(&self) -> Result<TokenPage, ClientError> {
        self.get(path(&["tokens"], &NoQuery)).await
    }

    /// Makes a join token.
    pub async fn mint_token(
        &self,
        how: &MintToken,
        request_id: &str,
    ) -> Result<Minted, ClientError> {
        self.change(path(&["tokens"], &NoQuery), how, request_id)
            .await
    }

    /// Makes a token worthless.
    pub async fn revoke_token(&self, token: &str, request_id: &str) -> Result<Done, ClientError> {
        let path = path(&["tokens", token, "revoke"], &NoQuery);
        self.change(path, &RevokeToken {}, request_id).await
    }

    /// Where a team's butler could be, and why it is where it is.
    pub async fn explain_team(&self, team: &str) -> Result<Explained, ClientError> {
        self.get(path(&["teams", team, "explain"], &NoQuery)).await
    }

    /// Where a worker could be, and why it is where it is.
    pub async fn explain_worker(&self, team: &str, name: &str) -> Result<Explained, ClientError> {
        self.get(path(&["workers", team, name, "explain"], &NoQuery))
            .await
    }
}
