//! What people and agents write in rooms, and the names that they type.

use rules::id::{CaseId, HumanName, TeamName, WorkerId};
use rules::mention;
use rules::room::RoomName;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for name in mention::mentions(&text) {
        assert!(text.contains(&format!("@{name}")), "{name} stands nowhere");
    }
    assert_eq!(
        mention::is_acknowledgement(&text),
        mention::is_acknowledgement(&text)
    );
    for word in text.split_whitespace() {
        same::<TeamName>(word);
        same::<HumanName>(word);
        same::<WorkerId>(word);
        same::<CaseId>(word);
        same::<RoomName>(word);
    }
}

/// A name that is taken is written as it was read.
fn same<T: std::str::FromStr + ToString>(word: &str) {
    if let Ok(name) = word.parse::<T>() {
        let written = name.to_string();
        let again = written.parse::<T>().ok().map(|again| again.to_string());
        assert_eq!(
            again,
            Some(written),
            "{word} is written otherwise than read"
        );
    }
}
