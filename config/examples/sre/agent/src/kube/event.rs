//! An event: what some component said about an object at some time.
//!
//! # Invariant
//! An event is never a fact about the present: whoever uses one checks the object that it speaks
//! of as well.

use super::Key;
use super::moment::Moment;
use super::place::Place;

/// What was said, in the older (`v1`) or newer (`events.k8s.io/v1`) form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// When it was last seen; events without any time come first.
    pub last: Option<Moment>,
    /// The kind of the object that it speaks of.
    pub kind: String,
    /// The object that it speaks of.
    pub object: Key,
    /// The identity of that object, may be empty.
    pub uid: String,
    /// One word: `FailedScheduling`, `Unhealthy`, …
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// The container that it speaks of, if one is named.
    pub container: Option<String>,
    /// `Warning` rather than `Normal`?
    pub is_warning: bool,
    /// How often it was seen.
    pub count: i64,
    /// Who said it.
    pub component: String,
}

impl Event {
    /// Reads an event of either form.
    pub fn read(object: Place<'_>) -> Self {
        let older = object.at("involvedObject");
        let about = if older.is_present() {
            older
        } else {
            object.at("regarding")
        };
        let series = object.at("series");
        let last = [
            object.at("lastTimestamp"),
            object.at("deprecatedLastTimestamp"),
            series.at("lastObservedTime"),
            object.at("eventTime"),
            object.at("firstTimestamp"),
            object.at("deprecatedFirstTimestamp"),
        ]
        .into_iter()
        .filter_map(Place::moment)
        .max()
        .or_else(|| object.at("metadata").at("creationTimestamp").moment());
        let count = [
            series.at("count"),
            object.at("count"),
            object.at("deprecatedCount"),
        ]
        .into_iter()
        .find_map(Place::whole)
        .unwrap_or(1)
        .max(1);
        let component = [
            object.at("reportingComponent"),
            object.at("reportingController"),
            object.at("source").at("component"),
            object.at("deprecatedSource").at("component"),
        ]
        .into_iter()
        .find_map(Place::filled)
        .unwrap_or_default();
        Self {
            last,
            kind: about.at("kind").string(),
            object: Key {
                namespace: about.at("namespace").string(),
                name: about.at("name").string(),
            },
            uid: about.at("uid").string(),
            reason: object.at("reason").string(),
            message: object
                .at("message")
                .filled()
                .unwrap_or_else(|| object.at("note").string()),
            container: container(about.at("fieldPath").text().unwrap_or_default()),
            is_warning: object.at("type").text() == Some("Warning"),
            count,
            component,
        }
    }

    /// `FailedScheduling (3 times, last 2026-11-22T22:25:20Z): 0/4 nodes …`
    pub fn shown(&self) -> String {
        let mut when = Vec::new();
        if self.count > 1 {
            when.push(format!("{} times", self.count));
        }
        if let Some(last) = self.last {
            when.push(format!("last {last}"));
        }
        let when = if when.is_empty() {
            String::new()
        } else {
            format!(" ({})", when.join(", "))
        };
        format!("event {}{when}: {}", self.reason, self.message.trim())
    }
}

/// `app` of `spec.containers{app}`.
fn container(field: &str) -> Option<String> {
    let (_, rest) = field.split_once('{')?;
    rest.strip_suffix('}').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms_of_an_event_are_read() {
        let older = json!({"involvedObject": {"kind": "Pod", "namespace": "n", "name": "p",
            "fieldPath": "spec.initContainers{wait}"}, "reason": "BackOff", "type": "Warning",
            "count": 7, "lastTimestamp": "2026-11-22T22:25:20Z", "eventTime": null,
            "message": "m"});
        let newer = json!({"regarding": {"kind": "Pod", "namespace": "n", "name": "p"},
            "reason": "BackOff", "type": "Warning", "note": "m", "firstTimestamp": null,
            "eventTime": "2026-11-22T22:20:20.000001Z",
            "series": {"count": 7, "lastObservedTime": "2026-11-22T22:25:20.0Z"}});
        let (older, newer) = (
            Event::read(Place::of(&older)),
            Event::read(Place::of(&newer)),
        );
        assert_eq!(older.container.as_deref(), Some("wait"));
        assert_eq!(older.shown(), newer.shown());
        assert_eq!(older.last, newer.last);
    }

    #[test]
    fn an_event_with_null_times_has_the_time_of_its_making() {
        let event = json!({"firstTimestamp": null, "lastTimestamp": null, "eventTime": null,
            "metadata": {"creationTimestamp": "2026-11-22T22:25:20Z"}});
        assert!(Event::read(Place::of(&event)).last.is_some());
    }
}
