//! Amounts by resource name, and what a pod effectively asks of a node.

use std::collections::BTreeMap;

use super::container::Container;
use super::place::Place;
use super::quantity::Quantity;

/// Amounts by resource name (`cpu`, `memory`, `nvidia.com/gpu`, …).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources(BTreeMap<String, Quantity>);

impl Resources {
    /// Reads a map of amounts; members that are no amounts are left out.
    pub fn of(place: Place<'_>) -> Self {
        Self(
            place
                .members()
                .filter_map(|(name, p)| Some((name.to_owned(), Quantity::of(p.value()?)?)))
                .collect(),
        )
    }

    /// The amount of one resource; zero when it is not named.
    pub fn get(&self, name: &str) -> Quantity {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// Is the resource named, with whatever amount?
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Sets one amount.
    pub fn set(&mut self, name: &str, amount: Quantity) {
        self.0.insert(name.to_owned(), amount);
    }

    /// Adds all amounts of `other`.
    pub fn add(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            let sum = self.get(name) + *amount;
            self.0.insert(name.clone(), sum);
        }
    }

    /// Takes all amounts of `other` away again.
    pub fn remove(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            let rest = self.get(name) - *amount;
            self.0.insert(name.clone(), rest);
        }
    }

    /// Takes the larger amount of each resource.
    pub fn raise_to(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            let larger = self.get(name).max(*amount);
            self.0.insert(name.clone(), larger);
        }
    }

    /// Adds what only `defaults` names.
    pub fn fill_from(&mut self, defaults: &Self) {
        for (name, amount) in &defaults.0 {
            self.0.entry(name.clone()).or_insert(*amount);
        }
    }

    /// All names and amounts, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Quantity)> {
        self.0.iter().map(|(name, amount)| (name.as_str(), *amount))
    }

    /// `cpu 1500m, memory 3Gi`; only what is more than nothing.
    pub fn shown(&self) -> String {
        let parts: Vec<String> = self
            .iter()
            .filter(|(_, amount)| amount.is_positive())
            .map(|(name, amount)| format!("{name} {}", amount.shown(name)))
            .collect();
        if parts.is_empty() {
            "nothing".to_owned()
        } else {
            parts.join(", ")
        }
    }
}

/// What a pod asks of a node: the larger of its running containers together and the largest step
/// of its initialisation, plus the overhead of its runtime class.
///
/// A sidecar (an init container with `restartPolicy: Always`) runs on beside all that come later.
/// Requests on the pod itself, where Kubernetes has them, count instead of the containers' sum.
pub fn effective_requests(
    containers: &[Container],
    init: &[Container],
    overhead: &Resources,
    of_the_pod: &Resources,
) -> Resources {
    let mut running = Resources::default();
    for container in containers {
        running.add(&container.requests);
    }
    let mut sidecars = Resources::default();
    let mut largest_step = Resources::default();
    for container in init {
        let mut step = sidecars.clone();
        step.add(&container.requests);
        largest_step.raise_to(&step);
        if container.is_sidecar {
            sidecars = step;
        }
    }
    running.add(&sidecars);
    running.raise_to(&largest_step);
    for (name, amount) in of_the_pod.iter() {
        running.set(name, amount);
    }
    running.add(overhead);
    running
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn container(cpu: &str, is_sidecar: bool) -> Container {
        let spec = json!({"name": "c", "resources": {"requests": {"cpu": cpu}},
            "restartPolicy": if is_sidecar { "Always" } else { "" }});
        Container::read(Place::of(&spec), None)
    }

    fn cpu_of(containers: &[Container], init: &[Container]) -> String {
        let none = Resources::default();
        effective_requests(containers, init, &none, &none)
            .get("cpu")
            .shown("cpu")
    }

    #[test]
    fn the_larger_of_running_and_initialising_counts() {
        assert_eq!(
            cpu_of(&[container("1", false), container("500m", false)], &[]),
            "1500m"
        );
        assert_eq!(
            cpu_of(&[container("1", false)], &[container("3", false)]),
            "3"
        );
        assert_eq!(
            cpu_of(
                &[container("1", false)],
                &[container("2", false), container("2", false)]
            ),
            "2",
            "init containers run one after the other"
        );
    }

    #[test]
    fn a_sidecar_runs_on_beside_all_that_come_later() {
        let init = [
            container("100m", true),
            container("2", false),
            container("100m", true),
        ];
        assert_eq!(cpu_of(&[container("1", false)], &init), "2100m");
        assert_eq!(cpu_of(&[container("2", false)], &init), "2200m");
    }

    #[test]
    fn a_limit_without_a_request_is_the_request() {
        let spec = json!({"name": "c", "resources": {
            "limits": {"memory": "1Gi", "cpu": "2"}, "requests": {"cpu": 1}}});
        let c = Container::read(Place::of(&spec), None);
        assert_eq!(c.requests.shown(), "cpu 1, memory 1Gi");
    }
}
