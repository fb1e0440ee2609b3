//! A worker as it is named on the command line: `TEAM/WORKER`.

use std::str::FromStr;

/// A worker and its team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkerName {
    /// The team.
    pub(crate) team: String,
    /// The worker's name there.
    pub(crate) name: String,
}

impl FromStr for WorkerName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((team, name)) if !team.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self {
                    team: team.to_owned(),
                    name: name.to_owned(),
                })
            }
            Some(_) | None => {
                Err("a worker is named with its team, as in sre/k8s-root-cause".to_owned())
            }
        }
    }
}

impl std::fmt::Display for WorkerName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.team, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::WorkerName;

    #[test]
    fn a_worker_is_named_with_its_team() {
        let name: WorkerName = "sre/look".parse().unwrap();
        assert_eq!((name.team.as_str(), name.name.as_str()), ("sre", "look"));
        for text in ["look", "/look", "sre/", "a/b/c", ""] {
            assert!(text.parse::<WorkerName>().is_err(), "{text}");
        }
    }
}
