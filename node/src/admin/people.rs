//! Who speaks: the kernel says which user holds the other end of the socket, or a token says it.
//!
//! # Why
//! Peer credentials cannot be forged and need no password. Root and the daemon's own user could
//! replace the daemon anyway: they are `admin`. No agent ever runs as either, but where a node was
//! told to run them without confinement; there the daemon's own user is nobody by that. Any other
//! user has a name only where the settings give one. Whoever shows a token is its human, whatever user they
//! are: a token that is over makes nobody of them. There is no anonymous asker.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use rules::Principal;
use rules::human::ADMIN;
use rules::id::{HumanName, TokenName};
use sha2::{Digest as _, Sha256};

use super::desk::Desk;
use super::refused::{Answered, Refused};
use super::wire::Code;

/// What a token of a human begins with.
pub const TOKEN_PREFIX: &str = "domo-human-";

/// Which users are which people.
#[derive(Clone, Debug)]
pub struct People {
    admin: HumanName,
    /// The daemon's own user, where it is the built-in admin.
    own_uid: Option<u32>,
    named: BTreeMap<u32, HumanName>,
}

impl People {
    /// The daemon's own user and root, as `admin`, and those who are named.
    pub fn new(named: BTreeMap<u32, HumanName>) -> Self {
        Self {
            admin: HumanName::new(ADMIN).expect("`admin` is a name"),
            own_uid: Some(nix::unistd::geteuid().as_raw()),
            named,
        }
    }

    /// The same where agents run as the daemon's own user, and nothing keeps them from the socket:
    /// that user is then nobody, unless they are root or named.
    #[must_use]
    pub fn beside_own_agents(self) -> Self {
        Self {
            own_uid: None,
            ..self
        }
    }

    /// Who a user is; none when nobody knows them.
    pub fn who(&self, uid: u32) -> Option<&HumanName> {
        if uid == 0 || Some(uid) == self.own_uid {
            return Some(&self.admin);
        }
        self.named.get(&uid)
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    human: HumanName,
    token: Option<TokenName>,
}

impl Asker {
    /// Who asks with these headers, on a connection of that user.
    pub(super) fn known(
        desk: &Desk,
        people: &People,
        uid: u32,
        headers: &HeaderMap,
    ) -> Answered<Self> {
        let asker = match headers.get(header::AUTHORIZATION) {
            Some(shown) => Self::of_token(desk, shown.as_bytes()),
            None => Self::of_user(desk, people, uid),
        };
        asker.inspect_err(|_| desk.ledger.note_stranger(format!("user {uid}")))
    }

    fn of_user(desk: &Desk, people: &People, uid: u32) -> Answered<Self> {
        let Some(human) = people.who(uid) else {
            let refused = Refused::new(Code::NotYours, format!("user {uid} is nobody here"));
            return Err(refused.hint(
                "ask as root or as the daemon's own user, show a token, or have the user named in \
                 the settings: [people] users",
            ));
        };
        if !desk.ledger.read(|state| state.people.is_known(human)) {
            let what = format!("user {uid} is {human}, who has no account");
            let hint = format!("an admin can make one: `domo human add {human}`");
            return Err(Refused::new(Code::NotYours, what).hint(hint));
        }
        Ok(Self {
            human: human.clone(),
            token: None,
        })
    }

    fn of_token(desk: &Desk, shown: &[u8]) -> Answered<Self> {
        let secret = shown.strip_prefix(b"Bearer ").unwrap_or_default();
        let hash: [u8; 32] = Sha256::digest(secret).into();
        let found = desk
            .ledger
            .read(|state| state.people.of_token(&hash).cloned());
        let (human, token) = found.ok_or_else(|| {
            let what = "the token is unknown here, or its time is over";
            let refused = Refused::new(Code::NotYours, what);
            refused.hint("an admin or a lead can make another: `domo human token NAME`")
        })?;
        let token = Some(token);
        Ok(Self { human, token })
    }

    /// Whether it is the built-in admin at this node's socket: whoever could replace the daemon.
    pub(super) fn is_built_in(&self) -> bool {
        self.human.as_str() == ADMIN && self.token.is_none()
    }

    /// Which human it is.
    pub(super) fn human(&self) -> &HumanName {
        &self.human
    }

    /// Whether it is this human.
    pub(super) fn is(&self, human: &HumanName) -> bool {
        self.human == *human
    }

    /// As the rules know them.
    pub(super) fn principal(&self) -> Principal {
        Principal {
            token: self.token.clone(),
            ..Principal::human(self.human.clone())
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answered<Self> {
        let known = parts.extensions.get::<Self>().cloned();
        known.ok_or_else(|| Refused::new(Code::NotYours, "nobody knows who asks"))
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

    #[test]
    fn an_agent_that_is_the_daemons_own_user_is_not_its_admin() {
        let mut people = People::new(BTreeMap::new());
        people.own_uid = Some(4242);
        assert_eq!(people.who(4242).map(HumanName::as_str), Some("admin"));
        let people = people.beside_own_agents();
        assert_eq!(people.who(4242), None);
        assert_eq!(people.who(0).map(HumanName::as_str), Some("admin"));
    }
}
