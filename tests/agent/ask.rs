//! Asking through the gateway, over the loopback port that the agent is told of.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// No answer comes later.
const ANSWER_LIMIT: Duration = Duration::from_mins(2);

/// Asks `METHOD TARGET/path [BODY]`: the status, the gateway's own words and the body, one line
/// each.
pub fn ask(what: &str) -> Result<Vec<String>, String> {
    let mut words = what.splitn(3, ' ');
    let method = words.next().unwrap_or_default();
    let path = words.next().unwrap_or_default();
    let body = words.next().unwrap_or_default();
    let variable = |name| std::env::var(name).map_err(|why| format!("{name}: {why}"));
    let address = variable("MAJORDOMO_GATEWAY")?;
    let token = std::fs::read_to_string(variable("MAJORDOMO_TOKEN_FILE")?);
    let token = token.map_err(|why| format!("the token: {why}"))?;
    let request = format!(
        "{method} /targets/{path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {token}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let heard = say(address.trim_start_matches("http://"), &request)
        .map_err(|why| format!("{method} {path}: {why}"))?;
    let (head, body) = heard.split_once("\r\n\r\n").unwrap_or((&heard, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.ok_or_else(|| format!("{method} {path}: it broke off"))?;
    let mut said = vec![format!("status={status}")];
    let own = lines.filter(|line| line.to_lowercase().starts_with("majordomo-"));
    said.extend(own.map(str::to_owned));
    said.push(format!("body={body}"));
    Ok(said)
}

fn say(address: &str, request: &str) -> std::io::Result<String> {
    let mut line = TcpStream::connect(address)?;
    line.set_read_timeout(Some(ANSWER_LIMIT))?;
    line.write_all(request.as_bytes())?;
    let mut heard = Vec::new();
    line.read_to_end(&mut heard)?;
    Ok(String::from_utf8_lossy(&heard).into_owned())
}
