//! Paths and queries, written so that no name can leave its place in them.

use std::fmt::Write as _;

use crate::admin::wire::{
    ApplyQuery, AuditHeadQuery, AuditQuery, CaseQuery, Consistency, FreshQuery, HumanQuery,
    LogQuery, Prune, PutHumansQuery, RoomQuery, RoomWatchQuery, TeamQuery, WatchQuery,
    WorkerLogQuery, WorkerQuery,
};

/// Something that stands behind the `?` of a path.
pub trait Query {
    /// Its keys and values.
    fn pairs(&self) -> Vec<(&'static str, String)>;
}

/// A path from its parts, each of which stays one part; then the query.
pub(super) fn path(parts: &[&str], query: &impl Query) -> String {
    let mut path = String::from("/v1");
    for part in parts {
        path.push('/');
        escape(part, &mut path);
    }
    for (at, (key, value)) in query.pairs().into_iter().enumerate() {
        path.push(if at == 0 { '?' } else { '&' });
        path.push_str(key);
        path.push('=');
        escape(&value, &mut path);
    }
    path
}

/// No query.
pub(super) struct NoQuery;

fn escape(text: &str, to: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            to.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(to, "%{byte:02X}");
        }
    }
}

/// The pairs whose values are there.
fn given<const N: usize>(
    pairs: [(&'static str, Option<String>); N],
) -> Vec<(&'static str, String)> {
    let some = |(key, value): (&'static str, Option<String>)| value.map(|value| (key, value));
    pairs.into_iter().filter_map(some).collect()
}

fn yes(is_set: bool) -> Option<String> {
    is_set.then(|| "true".to_owned())
}

impl Query for NoQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

impl Query for CaseQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([
            ("team", self.team.clone()),
            ("status", self.status.clone()),
            ("since", self.since.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("after", self.after.clone()),
        ])
    }
}

impl Query for AuditQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([
            ("case", self.case.clone()),
            ("team", self.team.clone()),
            ("human", self.human.clone()),
            ("since", self.since.clone()),
            ("until", self.until.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("after", self.after.clone()),
        ])
    }
}

impl Query for AuditHeadQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([
            ("count", self.count.map(|count| count.to_string())),
            ("head", self.head.clone()),
        ])
    }
}

impl Query for TeamQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("after", self.after.clone()),
        ])
    }
}

impl Query for HumanQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([
            ("team", self.team.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("after", self.after.clone()),
        ])
    }
}

impl Query for WorkerQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([
            ("team", self.team.clone()),
            ("status", self.status.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("after", self.after.clone()),
        ])
    }
}

impl Query for ApplyQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let prune = match self.prune {
            Prune::None => None,
            Prune::Team => Some("team".to_owned()),
            Prune::All => Some("all".to_owned()),
        };
        given([
            ("dry_run", yes(self.dry_run)),
            ("prune", prune),
            ("basis", self.basis.clone()),
        ])
    }
}

impl Query for PutHumansQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([("dry_run", yes(self.dry_run))])
    }
}

impl Query for FreshQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let is_local = self.consistency == Consistency::Local;
        given([("consistency", is_local.then(|| "local".to_owned()))])
    }
}

impl Query for WatchQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([("from", self.from.map(|from| from.to_string()))])
    }
}

impl Query for RoomQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([
            ("thread", self.thread.clone()),
            ("after", self.after.map(|after| after.to_string())),
            ("before", self.before.map(|before| before.to_string())),
            ("since", self.since.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
        ])
    }
}

impl Query for RoomWatchQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([
            ("thread", self.thread.clone()),
            ("from", self.from.map(|from| from.to_string())),
        ])
    }
}

impl Query for LogQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([
            ("attempt", self.attempt.map(|attempt| attempt.to_string())),
            ("follow", yes(self.follow)),
        ])
    }
}

impl Query for WorkerLogQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        given([("follow", yes(self.follow))])
    }
}

#[cfg(test)]
mod tests {
    use super::{NoQuery, path};
    use crate::admin::wire::CaseQuery;

    #[test]
    fn a_name_stays_one_part_of_the_path() {
        assert_eq!(
            path(&["cases", "a/../b?c=d#e%"], &NoQuery),
            "/v1/cases/a%2F..%2Fb%3Fc%3Dd%23e%25"
        );
        let query = CaseQuery {
            team: Some("a&b=ü".to_owned()),
            limit: Some(5),
            ..CaseQuery::default()
        };
        assert_eq!(
            path(&["cases"], &query),
            "/v1/cases?team=a%26b%3D%C3%BC&limit=5"
        );
    }
}
