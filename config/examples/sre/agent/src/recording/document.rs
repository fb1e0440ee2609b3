//! One file: its JSON is read object by object, so that half a file still gives its first half.
//!
//! # Why
//! A list is never held as a whole: of each object only the model stays. The nesting limit of the
//! JSON reader (128) stands: deeper input is an error, not a full stack.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Use;
use crate::kube::cluster::Cluster;

/// The members of an object that the model reads; others (`data`, `webhooks`, …) are skipped.
const READ_MEMBERS: [&str; 25] = [
    "apiVersion",
    "metadata",
    "spec",
    "status",
    "provisioner",
    "volumeBindingMode",
    "allowedTopologies",
    "involvedObject",
    "regarding",
    "reason",
    "message",
    "note",
    "type",
    "count",
    "series",
    "eventTime",
    "firstTimestamp",
    "lastTimestamp",
    "deprecatedFirstTimestamp",
    "deprecatedLastTimestamp",
    "deprecatedCount",
    "reportingComponent",
    "reportingController",
    "source",
    "deprecatedSource",
];
/// Lines of other text that a shell may have put before the JSON.
const MAX_NOISE_LINES: usize = 20;

/// Takes the objects of one file into `cluster`.
pub fn read(name: &str, bytes: Vec<u8>, cluster: &mut Cluster) -> Use {
    let bytes = plain(bytes);
    let start = bytes.iter().position(|b| !b.is_ascii_whitespace());
    match start.map(|at| bytes[at]) {
        None => Use::NotUsed("empty".to_owned()),
        Some(b'{' | b'[') => take(name, &bytes, cluster),
        Some(_) => match after_noise(&bytes) {
            // Text with an example in it is no recording: only a whole document counts here.
            Some(json) if is_whole(json) => take(name, json, cluster),
            _ => Use::NotUsed(what_else(&bytes).to_owned()),
        },
    }
}

fn take(name: &str, bytes: &[u8], cluster: &mut Cluster) -> Use {
    let sink = Sink::new(cluster);
    let mut documents = serde_json::Deserializer::from_slice(bytes);
    let mut damage = None;
    while documents.end().is_err() {
        if let Err(error) = (Document {
            sink: &sink,
            kind: None,
        })
        .deserialize(&mut documents)
        {
            damage = Some(describe(&error));
            break;
        }
    }
    let counts = sink.counts.into_inner();
    if counts.taken > 0 || counts.is_kubernetes {
        note_kind_of_file(name, cluster);
    }
    match damage {
        Some(damage) if counts.taken > 0 || counts.is_kubernetes || looks_recorded(bytes) => {
            Use::Damaged {
                objects: counts.taken,
                damage,
            }
        }
        Some(damage) => Use::NotUsed(format!("not whole JSON: {damage}")),
        None if counts.taken > 0 || counts.is_kubernetes => Use::Used(counts.taken),
        None if counts.other_objects > 0 => {
            Use::NotUsed("Kubernetes objects of kinds that play no part here".to_owned())
        }
        None => Use::NotUsed("JSON, but no Kubernetes object".to_owned()),
    }
}

fn describe(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    let text = error.to_string();
    if error.is_eof() {
        format!("it ends in the middle of an object ({place})")
    } else if text.starts_with("recursion limit") {
        format!("it is nested deeper than 128 levels ({place})")
    } else {
        format!("the JSON is broken: {text}")
    }
}

/// Does damaged text at least begin like a recording?
fn looks_recorded(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    head.contains("\"apiVersion\"") || head.contains("\"kind\"")
}

/// UTF-8 without a mark; a shell on Windows writes UTF-16.
fn plain(bytes: Vec<u8>) -> Vec<u8> {
    let units = |swap: fn([u8; 2]) -> u16| -> Vec<u8> {
        let units: Vec<u16> = bytes[2..]
            .chunks_exact(2)
            .map(|p| swap([p[0], p[1]]))
            .collect();
        String::from_utf16_lossy(&units).into_bytes()
    };
    match bytes.as_slice() {
        [0xEF, 0xBB, 0xBF, rest @ ..] => rest.to_vec(),
        [0xFF, 0xFE, ..] => units(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => units(u16::from_be_bytes),
        _ => bytes,
    }
}

/// What follows a few lines of warnings, from the first line that opens a JSON object.
fn after_noise(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    for _ in 0..MAX_NOISE_LINES {
        let end = rest.iter().position(|b| *b == b'\n')?;
        rest = &rest[end + 1..];
        if rest.first() == Some(&b'{') {
            return Some(rest);
        }
    }
    None
}

fn is_whole(json: &[u8]) -> bool {
    serde_json::Deserializer::from_slice(json)
        .into_iter::<IgnoredAny>()
        .all(|d| d.is_ok())
}

fn what_else(bytes: &[u8]) -> &'static str {
    let head = &bytes[..bytes.len().min(4096)];
    if head.starts_with(b"apiVersion:") || head.starts_with(b"---") || head.starts_with(b"kind:") {
        "YAML: record with `-o json` instead"
    } else if head.starts_with(&[0x1F, 0x8B]) || head.starts_with(b"PK") {
        "compressed: unpack it first"
    } else if head.contains(&0) {
        "binary, not JSON"
    } else {
        "text, not JSON"
    }
}

/// `persistentvolumes.json` with an empty list says that there are none.
fn note_kind_of_file(name: &str, cluster: &mut Cluster) {
    let stem = name
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(name)
        .split('.')
        .next()
        .unwrap_or(name);
    let kind = match stem.to_ascii_lowercase().as_str() {
        "nodes" | "node" | "no" => "Node",
        "pods" | "pod" | "po" => "Pod",
        "pvc" | "pvcs" | "persistentvolumeclaims" | "claims" => "PersistentVolumeClaim",
        "pv" | "pvs" | "persistentvolumes" => "PersistentVolume",
        "sc" | "storageclass" | "storageclasses" => "StorageClass",
        "events" | "ev" => "Event",
        _ => return,
    };
    cluster.note_kind(kind);
}

#[derive(Default)]
struct Counts {
    taken: usize,
    other_objects: usize,
    is_kubernetes: bool,
}

/// Where the objects of one file go.
struct Sink<'c> {
    cluster: RefCell<&'c mut Cluster>,
    counts: RefCell<Counts>,
}

impl<'c> Sink<'c> {
    fn new(cluster: &'c mut Cluster) -> Self {
        Self {
            cluster: RefCell::new(cluster),
            counts: RefCell::default(),
        }
    }

    fn object(&self, kind: &str, members: Map<String, Value>) {
        let mut counts = self.counts.borrow_mut();
        let is_kubernetes = members.contains_key("apiVersion") || members.contains_key("metadata");
        if self
            .cluster
            .borrow_mut()
            .take(kind, &Value::Object(members))
        {
            counts.taken += 1;
        } else if is_kubernetes {
            counts.other_objects += 1;
        }
    }

    fn list(&self, kind: &str) {
        if let Some(item) = kind.strip_suffix("List") {
            self.counts.borrow_mut().is_kubernetes = true;
            if !item.is_empty() {
                self.cluster.borrow_mut().note_kind(item);
            }
        }
    }
}

/// One JSON value that may be an object, a list of objects, or a list of lists.
struct Document<'s, 'c> {
    sink: &'s Sink<'c>,
    /// The kind that the list around it gives to items that name none.
    kind: Option<&'s str>,
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = Option<Map<String, Value>>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    /// An object whose kind only the end of the list around it will tell.
    type Value = Option<Map<String, Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes object or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut kind, mut members, mut items) = (None::<String>, Map::new(), None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "kind" => kind = map.next_value::<Value>()?.as_str().map(str::to_owned),
                "items" => {
                    let of_list = kind.as_deref().and_then(|k| k.strip_suffix("List"));
                    let of_list = of_list.filter(|k| !k.is_empty());
                    items = Some(map.next_value_seed(Items {
                        sink: self.sink,
                        kind: of_list,
                    })?);
                }
                known if READ_MEMBERS.contains(&known) => {
                    members.insert(key, map.next_value()?);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if let Some(waiting) = items {
            let kind = kind.unwrap_or_default();
            self.sink.list(&kind);
            for members in waiting {
                self.sink
                    .object(kind.strip_suffix("List").unwrap_or_default(), members);
            }
            return Ok(None);
        }
        match kind.as_deref().or(self.kind) {
            Some(kind) => self.sink.object(kind, members),
            None => return Ok(Some(members)),
        }
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Items {
            sink: self.sink,
            kind: self.kind,
        }
        .visit_seq(seq)?;
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// The items of a list; answers those whose kind is not known yet.
struct Items<'s, 'c> {
    sink: &'s Sink<'c>,
    kind: Option<&'s str>,
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = Vec<Map<String, Value>>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = Vec<Map<String, Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of Kubernetes objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut waiting = Vec::new();
        while let Some(item) = seq.next_element_seed(Document {
            sink: self.sink,
            kind: self.kind,
        })? {
            waiting.extend(item);
        }
        Ok(waiting)
    }

    // What is called `items` but is no list holds no objects.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Vec::new())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }
}
