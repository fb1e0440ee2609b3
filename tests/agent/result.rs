//! What the agent writes as its result, in the words of the agent contract, version 1.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

/// A result in the making.
#[derive(Debug, Default)]
pub struct Outcome {
    summary: Option<String>,
    findings: Vec<Value>,
    others: Map<String, Value>,
}

impl Outcome {
    /// Says what the result is in a few sentences.
    pub fn sum_up(&mut self, text: &str) {
        self.summary = Some(text.to_owned());
    }

    /// Says another part of it: `root_cause`, `recommendation`, `impact` or `plan`.
    pub fn say(&mut self, part: &str, value: Value) {
        self.others.insert(part.to_owned(), value);
    }

    /// Adds a finding.
    pub fn find(&mut self, title: &str, evidence: &[String]) {
        self.findings.push(json!({
            "title": title, "detail": "", "severity": "info", "evidence": evidence,
        }));
    }

    /// The result as JSON.
    pub fn json(&self, summary: &str) -> String {
        let mut whole = self.others.clone();
        whole.insert("version".into(), json!(1));
        whole.insert(
            "summary".into(),
            json!(self.summary.as_deref().unwrap_or(summary)),
        );
        whole.insert("findings".into(), json!(self.findings));
        Value::Object(whole).to_string()
    }
}

/// Writes `result.json` as the contract wants it: whole, or not at all.
pub fn write_whole(output: &Path, text: &str) -> Result<(), String> {
    let (new, name) = (output.join("result.json.new"), output.join("result.json"));
    let write = || -> std::io::Result<()> {
        let mut file = fs::File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &name)
    };
    write().map_err(|why| format!("the result cannot be written: {why}"))
}
