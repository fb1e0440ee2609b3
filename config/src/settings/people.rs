//! `[people]`: which users of this host are which humans of the cluster.

use std::collections::BTreeMap;

use super::keys::Keys;

/// The settings of `[people]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeopleSettings {
    /// The name of the human behind each user's number.
    pub users: BTreeMap<u32, String>,
}

impl PeopleSettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        const KEY: &str = "people.users";
        let mut users = BTreeMap::new();
        for (number, human) in keys.labels(KEY) {
            let number = number.as_str();
            match number.parse::<u32>() {
                Ok(0) => keys.refuse(KEY, "user 0 is the built-in admin".to_owned()),
                Ok(uid) if is_login(&human) => {
                    users.insert(uid, human);
                }
                Ok(_) => keys.refuse(KEY, format!("`{human}` is not the name of a human")),
                Err(_) => keys.refuse(KEY, format!("`{number}` is not the number of a user")),
            }
        }
        Self { users }
    }
}

/// Whether it can be what a human is called where they log in.
fn is_login(text: &str) -> bool {
    let is_inner = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_')
    };
    let is_end = |byte: Option<u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.bytes().all(is_inner) && is_end(text.bytes().next()) && is_end(text.bytes().last())
}
