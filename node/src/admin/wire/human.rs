//! Humans, their roles and tokens, and the organisation's policies.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Moment;

/// What a human is in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TeamRole {
    /// They lead it.
    Lead,
    /// They belong to it.
    Member,
}

/// A human's role in a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleIn {
    /// The team.
    pub team: String,
    /// What they are there.
    pub role: TeamRole,
}

/// What shall be of a human; what is not said stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HumanWish {
    /// What they are called where they log in.
    #[schema(example = "alice")]
    pub name: String,
    /// What they are called.
    #[serde(default)]
    pub display: Option<String>,
    /// Their number among the organisation's people.
    #[serde(default)]
    pub employee: Option<String>,
    /// Their roles, beside those that they have in other teams.
    #[serde(default)]
    pub roles: Vec<RoleIn>,
}

/// Gives people accounts and roles: all of them, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutHumans {
    /// Who.
    pub humans: Vec<HumanWish>,
}

/// How a roster is put.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PutHumansQuery {
    /// Only says what it would do, or why it would be refused.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a roster would change of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HumanChange {
    /// Who.
    pub name: String,
    /// What, and from what to what: `role in sre: none → member`.
    pub changes: Vec<String>,
}

/// What a roster would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterDifference {
    /// Those who would get an account.
    pub new: Vec<String>,
    /// Those whose account or role would become another.
    pub changed: Vec<HumanChange>,
    /// Those with whom all is so already.
    pub unchanged: Vec<String>,
    /// People of its teams who are not on it; nothing becomes of them.
    pub left_alone: Vec<String>,
}

/// What became of a roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HumansPut {
    /// Whether it only says what would become of it.
    pub is_dry_run: bool,
    /// New accounts.
    pub created: u32,
    /// Accounts that are other now.
    pub changed: u32,
    /// Accounts that were so already.
    pub unchanged: u32,
    /// People of its teams who are not on it; nothing became of them.
    pub left_alone: u32,
    /// Those who lead a team, and do so still, though the roster says that they belong to it.
    pub stay_leads: Vec<String>,
    /// Each of its people, where it was a dry run.
    pub difference: Option<RosterDifference>,
    /// What became of their accounts outside of the cluster, in a sentence.
    pub accounts: String,
    /// The request's id.
    pub request_id: String,
}

/// A human, in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HumanLine {
    /// What they are called where they log in.
    pub name: String,
    /// What they are called.
    pub display: Option<String>,
    /// Their number among the organisation's people.
    pub employee: Option<String>,
    /// Whether they may do everything that humans may.
    pub is_admin: bool,
    /// Their roles.
    pub roles: Vec<RoleIn>,
}

/// A page of humans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HumanPage {
    /// The humans.
    pub humans: Vec<HumanLine>,
    /// Where the next page begins, when there are more.
    pub next: Option<String>,
}

/// A token by which a human is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HumanTokenLine {
    /// Its name.
    pub name: String,
    /// The one team that it is good for; without one it is good for all that its human may.
    pub team: Option<String>,
    /// Who made it.
    pub minted_by: String,
    /// When.
    pub minted: Moment,
    /// How long it is good from now on.
    pub left_ms: u64,
}

/// Everything about a human.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HumanView {
    /// Who.
    #[serde(flatten)]
    pub human: HumanLine,
    /// The tokens by which they are known, without their secrets.
    pub tokens: Vec<HumanTokenLine>,
}

/// Which humans.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HumanQuery {
    /// Only this team's.
    pub team: Option<String>,
    /// Rows of a page: 1 to 1000, 100 without it.
    pub limit: Option<u32>,
    /// Where the page before ended: its `next`.
    pub after: Option<String>,
}

/// Takes an account away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveHuman {}

/// Changes what somebody may: in a team, or everywhere. One of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetHumanRole {
    /// Whether they may do everything.
    #[serde(default)]
    pub is_admin: Option<bool>,
    /// In which team.
    #[serde(default)]
    pub team: Option<String>,
    /// What they are there; none: they leave it.
    #[serde(default)]
    pub role: Option<TeamRole>,
}

/// Makes a token by which a human is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MintHumanToken {
    /// How long it is good.
    pub valid_ms: u64,
    /// The one team that it is good for.
    #[serde(default)]
    pub team: Option<String>,
    /// Refuses it where they have one already.
    #[serde(default)]
    pub only_if_none: bool,
}

/// The organisation's policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyPage {
    /// Each policy.
    pub policies: Vec<Policy>,
    /// The matrix beside which they stand.
    pub matrix: String,
    /// What they can speak of.
    pub schema: String,
}

/// A policy of the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Its text, in Cedar.
    pub text: String,
}

/// Takes a policy away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovePolicy {}

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyChecked {
    /// In words; nothing when it would be taken.
    pub faults: Vec<String>,
}
