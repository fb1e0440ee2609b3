//! Who speaks: the kernel says which user holds the other end of the socket.
//!
//! # Why
//! Peer credentials cannot be forged and need no password. Root and the daemon's own user could
//! replace the daemon anyway: they are `admin`. Any other user has a name only where the settings
//! give one, and is refused where they do not: there is no anonymous asker.

use std::collections::BTreeMap;

use rules::Principal;
use rules::id::HumanName;

/// Which users are which people.
#[derive(Clone, Debug)]
pub struct People {
    admin: HumanName,
    own_uid: u32,
    named: BTreeMap<u32, HumanName>,
}

impl People {
    /// The daemon's own user and root, as `admin`, and those who are named.
    pub fn new(named: BTreeMap<u32, HumanName>) -> Self {
        Self {
            admin: HumanName::new("admin").expect("`admin` is a name"),
            own_uid: nix::unistd::geteuid().as_raw(),
            named,
        }
    }

    /// Who a user is; none when nobody knows them.
    pub fn who(&self, uid: u32) -> Option<&HumanName> {
        if uid == 0 || uid == self.own_uid {
            return Some(&self.admin);
        }
        self.named.get(&uid)
    }
}

/// Who asks on a connection.
#[derive(Clone, Debug)]
pub(super) struct Asker(pub(super) HumanName);

impl Asker {
    /// As the rules know them.
    pub(super) fn principal(&self) -> Principal {
        Principal::human(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, HumanName, People};

    #[test]
    fn a_user_whom_nobody_named_is_nobody() {
        let alice = HumanName::new("alice").unwrap();
        let people = People::new(BTreeMap::from([(4242, alice.clone())]));
        assert_eq!(people.who(4242), Some(&alice));
        assert_eq!(people.who(4243), None);
        assert_eq!(people.who(0).map(HumanName::as_str), Some("admin"));
        assert_eq!(people.who(65_534), None);
    }
}
