//! The description of the interface and the interface itself say the same.

use std::collections::BTreeMap;

use super::hostile::ask;
use super::house::House;

/// Paths of the description with their methods.
async fn described(house: &House) -> BTreeMap<String, Vec<String>> {
    let description = house.client.openapi().await.unwrap();
    assert_eq!(description["openapi"], "3.1.0");
    let paths = description["paths"].as_object().unwrap();
    let each = paths.iter().map(|(path, methods)| {
        let methods = methods
            .as_object()
            .unwrap()
            .keys()
            .map(|m| m.to_uppercase());
        (path.clone(), methods.collect())
    });
    each.collect()
}

#[tokio::test]
async fn every_route_is_described_and_everything_described_is_a_route() {
    let house = House::open().await;
    let described = described(&house).await;
    let table: Vec<String> = node::admin::paths()
        .iter()
        .map(|path| path.replace("{*path}", "{path}"))
        .collect();
    let mut named: Vec<String> = described.keys().cloned().collect();
    named.sort();
    let mut table_sorted = table.clone();
    table_sorted.sort();
    assert_eq!(named, table_sorted);
    for (path, methods) in &described {
        let path = path
            .replace("{case}", "c-1")
            .replace("{team}", "sre")
            .replace("{worker}", "w")
            .replace("{stage}", "s")
            .replace("{node}", "7")
            .replace("{token}", "t")
            .replace("{human}", "alice")
            .replace("{policy}", "freeze")
            .replace("{target}", "kube")
            .replace("{sha256}", &"0".repeat(64))
            .replace("{path}", "a/b");
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let answer = ask(&house.path, &format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")).await;
            assert!(
                !answer.contains("there is no path"),
                "{method} {path}: {answer}"
            );
            let is_taken = !answer.starts_with("HTTP/1.1 405");
            assert_eq!(
                is_taken,
                methods.iter().any(|m| m == method),
                "{method} {path}: {answer}"
            );
        }
    }
    house.close().await;
}

#[tokio::test]
async fn every_schema_that_is_named_is_there() {
    let house = House::open().await;
    let description = house.client.openapi().await.unwrap();
    let text = description.to_string();
    let schemas = description["components"]["schemas"].as_object().unwrap();
    for named in text.split("#/components/schemas/").skip(1) {
        let name: String = named.chars().take_while(|c| *c != '"').collect();
        assert!(
            schemas.contains_key(&name),
            "{name} is named and not described"
        );
    }
    assert!(schemas.contains_key("ErrorBody") && schemas.contains_key("WatchEvent"));
    house.close().await;
}
