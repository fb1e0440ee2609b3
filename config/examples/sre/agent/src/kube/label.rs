//! Label selectors and node selectors: which objects a rule speaks of.

use std::collections::BTreeMap;

use super::place::Place;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// One requirement on a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The label (or field) that is looked at.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`; anything else is never met.
    pub operator: String,
    /// The values that the operator compares with.
    pub values: Vec<String>,
}

impl Requirement {
    /// Reads one element of `matchExpressions` or `matchFields`.
    pub fn read(place: Place<'_>) -> Self {
        Self {
            key: place.at("key").string(),
            operator: place.at("operator").string(),
            values: place.at("values").strings(),
        }
    }

    /// Is the requirement met by these labels?
    pub fn is_met_by(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let number = |text: &str| text.trim().parse::<i64>().ok();
        let compared = || {
            let (have, want) = (number(value?)?, number(self.values.first()?)?);
            Some(have.cmp(&want))
        };
        match self.operator.as_str() {
            "In" => value.is_some_and(|v| self.values.contains(v)),
            "NotIn" => value.is_none_or(|v| !self.values.contains(v)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            "Gt" => compared().is_some_and(std::cmp::Ordering::is_gt),
            "Lt" => compared().is_some_and(std::cmp::Ordering::is_lt),
            _ => false,
        }
    }

    /// `zone in (a, b)`, `gpu exists`.
    pub fn shown(&self) -> String {
        let values = crate::phrase::names(&self.values, 5);
        match self.operator.as_str() {
            "In" if self.values.len() == 1 => format!("{}={values}", self.key),
            "In" => format!("{} in ({values})", self.key),
            "NotIn" => format!("{} not in ({values})", self.key),
            "Exists" => format!("{} exists", self.key),
            "DoesNotExist" => format!("{} does not exist", self.key),
            "Gt" => format!("{} > {values}", self.key),
            "Lt" => format!("{} < {values}", self.key),
            other => format!("{} {other} ({values})", self.key),
        }
    }
}

/// A label selector: all of its requirements must be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSelector {
    /// None selects nothing; an empty list selects everything.
    requirements: Option<Vec<Requirement>>,
}

impl LabelSelector {
    /// Reads `{matchLabels, matchExpressions}`; an absent selector selects nothing.
    pub fn read(place: Place<'_>) -> Self {
        if !place.is_present() {
            return Self { requirements: None };
        }
        let labels = place.at("matchLabels").labels();
        let equal = labels.into_iter().map(|(key, value)| Requirement {
            key,
            operator: "In".to_owned(),
            values: vec![value],
        });
        let expressions = place.at("matchExpressions").list().map(Requirement::read);
        Self {
            requirements: Some(equal.chain(expressions).collect()),
        }
    }

    /// Demands in addition that `key` has the value that it has in `labels`.
    pub fn and_same(&mut self, key: &str, labels: &Labels) {
        if let (Some(requirements), Some(value)) = (self.requirements.as_mut(), labels.get(key)) {
            requirements.push(Requirement {
                key: key.to_owned(),
                operator: "In".to_owned(),
                values: vec![value.clone()],
            });
        }
    }

    /// Does the selector choose an object with these labels?
    pub fn selects(&self, labels: &Labels) -> bool {
        self.requirements
            .as_ref()
            .is_some_and(|all| all.iter().all(|r| r.is_met_by(labels)))
    }

    /// `app=web, tier in (a, b)`.
    pub fn shown(&self) -> String {
        match self.requirements.as_deref() {
            None => "nothing".to_owned(),
            Some([]) => "every pod".to_owned(),
            Some(all) => all
                .iter()
                .map(Requirement::shown)
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

/// One alternative of a node selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTerm {
    /// Requirements on the node's labels.
    pub labels: Vec<Requirement>,
    /// Requirements on the node's fields; only `metadata.name` exists.
    pub fields: Vec<Requirement>,
}

impl NodeTerm {
    fn is_met_by(&self, name: &str, labels: &Labels) -> bool {
        // A term without any requirement matches no node.
        if self.labels.is_empty() && self.fields.is_empty() {
            return false;
        }
        let fields = Labels::from([("metadata.name".to_owned(), name.to_owned())]);
        self.labels.iter().all(|r| r.is_met_by(labels))
            && self.fields.iter().all(|r| r.is_met_by(&fields))
    }
}

/// A node selector: one of its terms must be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSelector {
    /// The alternatives; none at all matches no node.
    pub terms: Vec<NodeTerm>,
}

impl NodeSelector {
    /// Reads `{nodeSelectorTerms: […]}`; absent when there is no such rule.
    pub fn read(place: Place<'_>) -> Option<Self> {
        place.is_present().then(|| Self {
            terms: place
                .at("nodeSelectorTerms")
                .list()
                .map(|t| NodeTerm {
                    labels: t
                        .at("matchExpressions")
                        .list()
                        .map(Requirement::read)
                        .collect(),
                    fields: t.at("matchFields").list().map(Requirement::read).collect(),
                })
                .collect(),
        })
    }

    /// Does a node of this name with these labels match?
    pub fn is_met_by(&self, name: &str, labels: &Labels) -> bool {
        self.terms.iter().any(|t| t.is_met_by(name, labels))
    }

    /// The node that the rule names in all its terms, as a `DaemonSet` does for each of its pods.
    pub fn names_node(&self) -> Option<&str> {
        let [term] = self.terms.as_slice() else {
            return None;
        };
        term.fields
            .iter()
            .find(|r| r.key == "metadata.name" && r.operator == "In" && r.values.len() == 1)
            .map(|r| r.values[0].as_str())
    }

    /// `zone in (a, b), or disk=ssd`.
    pub fn shown(&self) -> String {
        let terms: Vec<String> = self
            .terms
            .iter()
            .map(|t| {
                let all = t.labels.iter().chain(&t.fields).map(Requirement::shown);
                all.collect::<Vec<_>>().join(", ")
            })
            .collect();
        if terms.is_empty() {
            "no term at all".to_owned()
        } else {
            terms.join(", or ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn met(operator: &str, values: &[&str], labels: &[(&str, &str)]) -> bool {
        let rule = json!({"key": "k", "operator": operator, "values": values});
        let labels = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Requirement::read(Place::of(&rule)).is_met_by(&labels)
    }

    #[test]
    fn every_operator_means_what_kubernetes_says() {
        assert!(met("In", &["a", "b"], &[("k", "b")]));
        assert!(!met("In", &["a"], &[]));
        assert!(met("NotIn", &["a"], &[("k", "b")]));
        assert!(
            met("NotIn", &["a"], &[]),
            "an absent label is not in the set"
        );
        assert!(met("Exists", &[], &[("k", "")]));
        assert!(met("DoesNotExist", &[], &[("other", "x")]));
        assert!(met("Gt", &["3"], &[("k", "4")]));
        assert!(!met("Gt", &["3"], &[("k", "3")]));
        assert!(met("Lt", &["3"], &[("k", "2")]));
        assert!(!met("Lt", &["3"], &[("k", "two")]));
        assert!(!met("Near", &["3"], &[("k", "3")]));
    }

    #[test]
    fn an_empty_term_matches_no_node_and_an_empty_selector_every_pod() {
        let none = json!({"nodeSelectorTerms": [{}]});
        assert!(
            !NodeSelector::read(Place::of(&none))
                .unwrap()
                .is_met_by("n", &Labels::new())
        );
        assert!(LabelSelector::read(Place::of(&json!({}))).selects(&Labels::new()));
        assert!(!LabelSelector::read(Place::of(&json!(null))).selects(&Labels::new()));
    }

    #[test]
    fn a_field_rule_names_its_node() {
        let rule = json!({"nodeSelectorTerms": [{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["n1"]}]}]});
        let rule = NodeSelector::read(Place::of(&rule)).unwrap();
        assert!(rule.is_met_by("n1", &Labels::new()) && !rule.is_met_by("n2", &Labels::new()));
        assert_eq!(rule.names_node(), Some("n1"));
    }
}
