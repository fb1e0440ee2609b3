//! `GET /v1/nodes…`, `POST /v1/nodes/{node}/…`: nodes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rules::id::NodeId;
use rules::node::{Node, Role};
use rules::{Command, State as Truth};
use runtime::redact::redacted;

use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf};
use crate::admin::refused::{Answered, Refused};
use crate::admin::status_board::node_line;
use crate::admin::wire::{
    Code, Done, DrainNode, ErrorBody, Freshness, NodeDetails, NodePage, NodeRole, RemoveNode,
    SetRole,
};
use crate::admin::wish::Wish;

/// The most that is said of what is on a node: a screen.
const MAX_THERE: usize = 100;

/// All nodes.
#[utoipa::path(get, path = "/v1/nodes", tag = "nodes",
    responses((status = 200, description = "the nodes", body = NodePage)))]
pub(super) async fn list(State(desk): State<Shared>) -> Json<NodePage> {
    let voters = desk.ledger.status().voters;
    let freshness = desk.freshness(false);
    let nodes = desk.ledger.read(|state| {
        let nodes = state.nodes.iter();
        nodes
            .map(|(id, node)| node_line(&voters, *id, node))
            .collect()
    });
    Json(NodePage { nodes, freshness })
}

/// Everything about a node.
#[utoipa::path(get, path = "/v1/nodes/{node}", tag = "nodes",
    params(("node" = String, Path, description = "its number or its name")),
    responses((status = 200, description = "the node", body = NodeDetails),
              (status = 404, description = "there is no such node", body = ErrorBody)))]
pub(super) async fn show(
    State(desk): State<Shared>,
    PathOf(node): PathOf<String>,
) -> Answered<Json<NodeDetails>> {
    let id = find(&desk, &node)?;
    let voters = desk.ledger.status().voters;
    let freshness = desk.freshness(false);
    let found = desk.ledger.read(|state| {
        let node = state.nodes.get(&id)?;
        Some(details(
            state,
            id,
            node,
            node_line(&voters, id, node),
            freshness,
        ))
    });
    found.map(Json).ok_or_else(|| unknown(&desk, &node))
}

fn details(
    state: &Truth,
    id: NodeId,
    node: &Node,
    line: crate::admin::wire::NodeLine,
    freshness: Freshness,
) -> NodeDetails {
    let is_there =
        |placed: &Option<(NodeId, String)>| placed.as_ref().is_some_and(|(at, _)| *at == id);
    let teams = state.teams.iter();
    let workers = state.workers.iter();
    NodeDetails {
        line,
        engine: node.facts.engine.clone(),
        incarnation: node.facts.incarnation,
        health_because: node.health_because.clone(),
        labels: node.facts.labels.clone(),
        secrets: node.way_out.as_ref().map(|way_out| {
            let names = way_out.secrets.iter();
            names.map(ToString::to_string).collect()
        }),
        is_confined: node.way_out.as_ref().map(|way_out| way_out.is_confined),
        teams: teams
            .filter(|(_, team)| is_there(&team.placed))
            .map(|(name, _)| name.to_string())
            .take(MAX_THERE)
            .collect(),
        workers_there: workers
            .filter(|(_, worker)| is_there(&worker.placed))
            .map(|(id, _)| id.to_string())
            .take(MAX_THERE)
            .collect(),
        freshness,
    }
}

/// Has a node left by all that is on it, or lets it be used again.
#[utoipa::path(post, path = "/v1/nodes/{node}/drain", tag = "nodes",
    params(("node" = String, Path, description = "its number or its name"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = DrainNode,
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such node", body = ErrorBody)))]
pub(super) async fn drain(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(node): PathOf<String>,
    JsonOf(how): JsonOf<DrainNode>,
) -> Answered<Response> {
    let command = Command::DrainNode {
        node: find(&desk, &node)?,
        is_drained: how.is_drained,
        reason: redacted(how.reason),
    };
    done(&desk, &wish, command).await
}

/// Takes a node out of the cluster for ever.
#[utoipa::path(post, path = "/v1/nodes/{node}/remove", tag = "nodes",
    params(("node" = String, Path, description = "its number or its name"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = RemoveNode,
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such node", body = ErrorBody),
              (status = 409, description = "it is up and not drained", body = ErrorBody)))]
pub(super) async fn remove(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(node): PathOf<String>,
    JsonOf(how): JsonOf<RemoveNode>,
) -> Answered<Response> {
    let command = Command::RemoveNode {
        node: find(&desk, &node)?,
        is_forced: how.is_forced,
    };
    done(&desk, &wish, command).await
}

/// Says whether a node votes.
#[utoipa::path(post, path = "/v1/nodes/{node}/role", tag = "nodes",
    params(("node" = String, Path, description = "its number or its name"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = SetRole,
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such node", body = ErrorBody),
              (status = 409, description = "the cluster would have no or too many voters", body = ErrorBody)))]
pub(super) async fn set_role(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(node): PathOf<String>,
    JsonOf(how): JsonOf<SetRole>,
) -> Answered<Response> {
    let role = match how.role {
        NodeRole::Auto => Role::Auto,
        NodeRole::Voter => Role::Voter,
        NodeRole::Learner => Role::Learner,
    };
    let command = Command::SetRole {
        node: find(&desk, &node)?,
        role,
    };
    done(&desk, &wish, command).await
}

async fn done(desk: &Desk, wish: &Wish, command: Command) -> Answered<Response> {
    wish.propose(desk, command, "").await?;
    let request_id = wish.id.to_string();
    Ok(wish.answer(StatusCode::OK, &Done { request_id }))
}

/// The node of that number or name.
pub(super) fn find(desk: &Desk, text: &str) -> Answered<NodeId> {
    let number = text.strip_prefix("n-").unwrap_or(text).parse().ok();
    let number = number.map(NodeId);
    let found = desk.ledger.read(|state| {
        let named = |id: &NodeId| state.nodes[id].facts.name == text;
        let mut nodes = state.nodes.keys().copied();
        number
            .filter(|id| state.nodes.contains_key(id))
            .or_else(|| nodes.find(named))
    });
    found.ok_or_else(|| unknown(desk, text))
}

fn unknown(desk: &Desk, text: &str) -> Refused {
    let names: Vec<String> = desk.ledger.read(|state| {
        let nodes = state.nodes.values();
        nodes.map(|node| node.facts.name.clone()).collect()
    });
    let near = config::near::hint(text, names.iter().map(String::as_str));
    let text = config::mistake::shown(text);
    Refused::new(Code::NotFound, format!("there is no node {text}{near}"))
        .hint("domo node list names them")
}
