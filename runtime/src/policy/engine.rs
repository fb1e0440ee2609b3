//! Cedar: texts become policies, facts become requests, and what comes back is allowed or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Decision, Effect, Entities, EntityId, EntityTypeName, EntityUid, Policy,
    PolicyId, PolicySet, Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use rules::human::TeamRole;
use rules::id::PolicyName;
use rules::right::Tie;

use super::Answer;
use super::facts::{Asker, Facts, Kind};

/// Policies that were read and fit the schema.
pub(super) type Set = Arc<PolicySet>;

/// What is needed to evaluate any of them.
#[derive(Debug)]
pub(super) struct Engine {
    schema: Schema,
    authorizer: Authorizer,
    /// The rights and the groups that they belong to.
    entities: Entities,
}

type Faults = Vec<String>;

impl Engine {
    /// Reads the schema.
    pub fn new(schema: &str) -> Result<Self, Faults> {
        let read = Schema::from_cedarschema_str(schema);
        let (schema, warnings) = read.map_err(|error| told(&error))?;
        let warnings: Faults = warnings.map(|warning| warning.to_string()).collect();
        if !warnings.is_empty() {
            return Err(warnings);
        }
        let entities = Entities::from_entities([], Some(&schema)).map_err(|error| told(&error))?;
        Ok(Self {
            schema,
            authorizer: Authorizer::new(),
            entities,
        })
    }

    /// Reads the matrix.
    pub fn matrix(&self, text: &str) -> Result<Set, Faults> {
        let read: PolicySet = text.parse().map_err(|error| told(&error))?;
        let mut set = PolicySet::new();
        for policy in read.policies() {
            let id = policy.annotation("id").ok_or_else(|| {
                let id = policy.id();
                vec![format!("{id} has no @id")]
            })?;
            let named = policy.new_id(PolicyId::new(id));
            set.add(named).map_err(|error| told(&error))?;
        }
        self.check(&set)?;
        Ok(Arc::new(set))
    }

    /// The matrix and the organisation's policies, which only forbid.
    pub fn with_policies(
        &self,
        matrix: &PolicySet,
        policies: &BTreeMap<PolicyName, String>,
    ) -> Result<Set, Faults> {
        let mut set = matrix.clone();
        for (name, text) in policies {
            for policy in self.forbidding(name, text)? {
                set.add(policy).map_err(|error| told(&error))?;
            }
        }
        Ok(Arc::new(set))
    }

    fn forbidding(&self, name: &PolicyName, text: &str) -> Result<Vec<Policy>, Faults> {
        let read: PolicySet = text.parse().map_err(|error| told(&error))?;
        self.check(&read)?;
        if read.templates().next().is_some() {
            return Err(vec!["a template with slots decides nothing".to_owned()]);
        }
        let mut named = Vec::new();
        for (number, policy) in read.policies().enumerate() {
            if policy.effect() != Effect::Forbid {
                let what = "an organisation's policy can only forbid: rights are given by roles";
                return Err(vec![what.to_owned()]);
            }
            let id = format!("{name}/{}", number + 1);
            named.push(policy.new_id(PolicyId::new(id)));
        }
        if named.is_empty() {
            return Err(vec!["it holds no policy".to_owned()]);
        }
        Ok(named)
    }

    fn check(&self, set: &PolicySet) -> Result<(), Faults> {
        let validator = Validator::new(self.schema.clone());
        let checked = validator.validate(set, ValidationMode::Strict);
        if checked.validation_passed() {
            return Ok(());
        }
        let errors = checked.validation_errors();
        Err(errors.map(ToString::to_string).collect())
    }

    /// What the policies say; denied where anything goes wrong.
    pub fn evaluate(&self, set: &PolicySet, facts: &Facts, names: &Asker) -> Answer {
        let denied = |why: String| Answer {
            is_allowed: false,
            policies: Arc::from([why]),
        };
        let request = match self.request(facts, names) {
            Ok(request) => request,
            Err(faults) => {
                tracing::error!("a request does not fit the schema: {}", faults.join("; "));
                return denied("a request that does not fit the schema".to_owned());
            }
        };
        let response = self.authorizer.is_authorized(&request, set, &self.entities);
        let diagnostics = response.diagnostics();
        if let Some(error) = diagnostics.errors().next() {
            tracing::error!("a policy cannot be evaluated: {error}");
            return denied("a policy that cannot be evaluated".to_owned());
        }
        let mut policies: Vec<String> = diagnostics.reason().map(ToString::to_string).collect();
        policies.sort();
        Answer {
            is_allowed: response.decision() == Decision::Allow,
            policies: policies.into(),
        }
    }

    fn request(&self, facts: &Facts, names: &Asker) -> Result<Request, Faults> {
        let human = names.human.as_ref().map_or("-", |human| human.as_str());
        let principal = match facts.kind {
            Kind::Human => entity("Human", human),
            Kind::Stranger => entity("Stranger", human),
            Kind::Manager => entity("Manager", "-"),
            Kind::Butler => entity("Butler", "-"),
            Kind::Worker => entity("Worker", "-"),
            Kind::Node => entity("Node", "-"),
            Kind::Ledger => entity("Ledger", "-"),
        }?;
        let resource = if facts.is_in_team {
            entity(
                "Team",
                names.team.as_ref().map_or("-", |team| team.as_str()),
            )
        } else {
            entity("Cluster", "-")
        }?;
        let action = entity("Action", facts.right.name())?;
        let role = match facts.role {
            Some(TeamRole::Lead) => "lead",
            Some(TeamRole::Member) => "member",
            None => "none",
        };
        let is = RestrictedExpression::new_bool;
        let context = Context::from_pairs([
            ("isAdmin".to_owned(), is(facts.is_admin)),
            (
                "role".to_owned(),
                RestrictedExpression::new_string(role.to_owned()),
            ),
            ("isOpener".to_owned(), is(facts.tie == Tie::Opener)),
            ("isNamed".to_owned(), is(facts.tie == Tie::Named)),
            ("isOwn".to_owned(), is(facts.tie == Tie::Own)),
            ("isForHuman".to_owned(), is(facts.is_for_human)),
            ("isOwnTeam".to_owned(), is(facts.is_own_team)),
            ("isByToken".to_owned(), is(facts.is_by_token)),
            ("isBeyondToken".to_owned(), is(facts.is_beyond_token)),
        ])
        .map_err(|error| told(&error))?;
        Request::new(principal, action, resource, context, Some(&self.schema))
            .map_err(|error| told(&error))
    }
}

fn entity(kind: &str, id: &str) -> Result<EntityUid, Faults> {
    let kind: EntityTypeName = kind.parse().map_err(|error| told(&error))?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn told(error: &impl ToString) -> Faults {
    vec![error.to_string()]
}
