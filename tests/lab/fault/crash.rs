//! Every persona of the node panics: its supervisor starts it again.

use serde_json::{Value, json};

use super::door;
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    let mut personas = vec!["manager".to_owned(), "janitor".to_owned()];
    let listed = |kind: &str, field: &str| {
        let page = door::ask(cluster, node, "GET", &format!("/v1/{kind}s"), "");
        let names = page.unwrap_or_default()[format!("{kind}s")].take();
        let names = names.as_array().cloned().unwrap_or_default();
        let name = move |line: Value| line[field].as_str().map(str::to_owned);
        names.into_iter().filter_map(name).collect::<Vec<_>>()
    };
    let teams = listed("team", "name").into_iter();
    personas.extend(teams.map(|name| format!("butler {name}")));
    let workers = listed("worker", "id").into_iter();
    personas.extend(workers.map(|name| format!("worker {name}")));
    for persona in personas {
        let body = json!({"persona": persona}).to_string();
        door::ask(cluster, node, "POST", "/v1/chaos/crash", &body);
    }
}
