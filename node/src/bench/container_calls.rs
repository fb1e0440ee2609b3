//! A Docker engine's own calls, as bare as they are: what a worker's container is compared with.
//!
//! # Why
//! Said by hand over the engine's socket, so that nothing of Majordomo is in what is timed. Each
//! call is a connection: a few hundred of them are no load.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

/// An engine under load takes seconds for a start, never as long as this.
const CALL_LIMIT: Duration = Duration::from_mins(1);
/// The largest answer that is read: an inspected container is some dozens of KiB.
const MAX_ANSWER_BYTES: u64 = 4 << 20;

/// The way to an engine.
#[derive(Clone, Debug)]
pub(super) struct ContainerCalls {
    socket: PathBuf,
}

impl ContainerCalls {
    /// The engine at `socket`; none when nobody answers there.
    pub(super) fn at(socket: PathBuf) -> Option<Self> {
        let calls = Self { socket };
        calls.call("GET", "/_ping", None).is_ok().then_some(calls)
    }

    /// The ids of all containers, running or not, of a team.
    pub(super) fn of_team(&self, team: &str) -> io::Result<Vec<String>> {
        let path = format!(
            "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22majordomo.team%3D{team}%22%5D%7D"
        );
        let listed = self.json("GET", &path, None)?;
        let ids = listed.as_array().into_iter().flatten();
        Ok(ids
            .filter_map(|one| one["Id"].as_str().map(str::to_owned))
            .collect())
    }

    /// What a container is made from that is like `model`, prints a line and ends.
    pub(super) fn like(&self, model: &str) -> io::Result<Value> {
        let seen = self.json("GET", &format!("/containers/{model}/json"), None)?;
        let config = &seen["Config"];
        Ok(json!({
            "Image": config["Image"],
            "User": config["User"],
            "WorkingDir": config["WorkingDir"],
            "Entrypoint": ["/domo", "--version"],
            "HostConfig": seen["HostConfig"],
        }))
    }

    /// Creates a container; answers its id.
    pub(super) fn create(&self, like: &Value, name: &str) -> io::Result<String> {
        let path = format!("/containers/create?name={name}");
        identity(&self.json("POST", &path, Some(like))?)
    }

    /// Starts a container.
    pub(super) fn start(&self, container: &str) -> io::Result<()> {
        self.call("POST", &format!("/containers/{container}/start"), None)
            .map(drop)
    }

    /// Runs a program in a container and waits until it has printed its line.
    pub(super) fn exec(&self, container: &str) -> io::Result<()> {
        let body = json!({"AttachStdout": true, "Cmd": ["/domo", "--version"]});
        let made = self.json(
            "POST",
            &format!("/containers/{container}/exec"),
            Some(&body),
        )?;
        let path = format!("/exec/{}/start", identity(&made)?);
        let printed = self.call("POST", &path, Some(&json!({"Detach": false, "Tty": false})))?;
        if String::from_utf8_lossy(&printed).contains("domo") {
            return Ok(());
        }
        Err(io::Error::other("the program printed nothing"))
    }

    /// Removes a container, running or not.
    pub(super) fn remove(&self, container: &str) -> io::Result<()> {
        self.call(
            "DELETE",
            &format!("/containers/{container}?force=1&v=1"),
            None,
        )
        .map(drop)
    }

    fn json(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Value> {
        let bytes = self.call(method, path, body)?;
        serde_json::from_slice(&bytes).map_err(io::Error::from)
    }

    /// Says one thing and reads the answer's body; an answer that is no success is an error.
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(CALL_LIMIT))?;
        stream.set_write_timeout(Some(CALL_LIMIT))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let length = body.len();
        // HTTP 1.0: the answer is not cut into chunks, and ends with its connection.
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: engine\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
        body_of(&answer).map(<[u8]>::to_vec)
    }
}

/// The body of an answer that is a success.
fn body_of(answer: &[u8]) -> io::Result<&[u8]> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.map_or(answer.len(), |end| end + 4));
    let head = String::from_utf8_lossy(head);
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if status.starts_with('2') {
        return Ok(body);
    }
    let said = String::from_utf8_lossy(body);
    Err(io::Error::other(format!(
        "the engine answered {status}: {}",
        said.trim()
    )))
}

fn identity(made: &Value) -> io::Result<String> {
    let id = made["Id"].as_str().map(str::to_owned);
    id.ok_or_else(|| io::Error::other("the engine made something without a name"))
}

#[cfg(test)]
mod tests {
    use super::body_of;

    #[test]
    fn an_engine_that_says_no_is_heard() {
        let no = b"HTTP/1.0 409 Conflict\r\ncontent-length: 9\r\n\r\nname used";
        let error = body_of(no).unwrap_err().to_string();
        assert!(
            error.contains("409") && error.contains("name used"),
            "{error}"
        );
        assert_eq!(body_of(b"HTTP/1.0 201 Created\r\n\r\n{}").unwrap(), b"{}");
    }
}
