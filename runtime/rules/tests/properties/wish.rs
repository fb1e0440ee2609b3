//! Wishes: what somebody might say, as small numbers that mean something only in a given state.
//!
//! # Why
//! A wish picks from what is there when its turn comes, so that most of a random conversation is
//! sensible and reaches deep; and it shrinks to a short one that still makes sense.

use std::fmt;

use proptest::prelude::*;

/// What somebody might say.
#[derive(Clone)]
pub struct Wish {
    /// Time that passed before.
    pub elapsed_ms: u64,
    /// Under which request id, if any.
    pub request: Option<u8>,
    /// What.
    pub deed: Deed,
}

impl fmt::Debug for Wish {
    /// On one line, so that a conversation can be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (elapsed_ms, request) = (self.elapsed_ms, self.request);
        f.write_str(&format!("+{elapsed_ms} {:?} {request:?}", self.deed))
    }
}

/// Picks one of what is there; any number will do.
pub type Pick = u8;

/// The kinds of things that are said.
#[derive(Clone, Debug)]
pub enum Deed {
    /// A persona does one of its duties, in one of several ways.
    Do(Pick, Pick),
    /// A human describes some documents and removes others.
    Describe(Vec<[Pick; 4]>, Vec<[Pick; 3]>),
    /// A human hands over a case.
    Open(Pick, Pick),
    /// A human does something to a case and one of its stages.
    Steer(Pick, Pick, Pick),
    /// A human replaces a worker.
    Replace(Pick),
    /// A node joins.
    Join(Pick, Pick),
    /// Somebody does something to a node or a token.
    Node(Pick, Pick, Pick),
    /// A human describes a target.
    Target(Pick, Pick),
    /// A gateway or a human says something of an effect.
    Effect(Pick, Pick, Pick),
    /// A human says something of people, their tokens or policies.
    People(Pick, Pick, Pick),
    /// Somebody says something in a room, or has read it.
    Talk(Pick, Pick, Pick),
    /// The Manager places someone somewhere, outdated or not.
    Place(Pick, Pick, Pick),
    /// Something that was said before is said again.
    Repeat(Pick),
    /// Something that was said before is said by somebody else.
    Borrow(Pick, Pick),
    /// Something that was said before is said with another number in it.
    Mistake(Pick, Pick),
    /// Something that was said before comes with a decision that does not allow it now.
    Sneak(Pick, Pick),
    /// Something senseless.
    Babble(Pick),
    /// Another leader begins a term.
    Elect,
    /// Nothing happens but time.
    Wait,
}

/// Any wish; the sensible ones more often.
pub fn any() -> impl Strategy<Value = Wish> {
    let elapsed_ms = prop_oneof![
        6 => Just(0),
        4 => 1..5_000_u64,
        2 => Just(60_000),
        1 => Just(u64::MAX),
    ];
    let request = prop_oneof![
        5 => Just(None),
        2 => any_pick().prop_map(Some),
    ];
    (elapsed_ms, request, deed()).prop_map(|(elapsed_ms, request, deed)| Wish {
        elapsed_ms,
        request,
        deed,
    })
}

fn any_pick() -> impl Strategy<Value = Pick> {
    proptest::num::u8::ANY
}

fn deed() -> impl Strategy<Value = Deed> {
    let pick = any_pick;
    let put = proptest::collection::vec([pick(), pick(), pick(), pick()], 0..4);
    let remove = proptest::collection::vec([pick(), pick(), pick()], 0..2);
    prop_oneof![
        60 => (pick(), pick()).prop_map(|(which, how)| Deed::Do(which, how)),
        8 => (put, remove).prop_map(|(put, remove)| Deed::Describe(put, remove)),
        8 => (pick(), pick()).prop_map(|(team, playbook)| Deed::Open(team, playbook)),
        12 => (pick(), pick(), pick()).prop_map(|(how, case, stage)| Deed::Steer(how, case, stage)),
        2 => pick().prop_map(Deed::Replace),
        2 => (pick(), pick()).prop_map(|(node, how)| Deed::Join(node, how)),
        6 => (pick(), pick(), pick()).prop_map(|(how, node, what)| Deed::Node(how, node, what)),
        1 => (pick(), pick()).prop_map(|(how, which)| Deed::Target(how, which)),
        14 => (pick(), pick(), pick()).prop_map(|(how, who, what)| Deed::Effect(how, who, what)),
        8 => (pick(), pick(), pick()).prop_map(|(how, who, what)| Deed::People(how, who, what)),
        10 => (pick(), pick(), pick()).prop_map(|(who, room, what)| Deed::Talk(who, room, what)),
        2 => (pick(), pick(), pick()).prop_map(|(who, node, epoch)| Deed::Place(who, node, epoch)),
        4 => pick().prop_map(Deed::Repeat),
        3 => (pick(), pick()).prop_map(|(which, who)| Deed::Borrow(which, who)),
        3 => (pick(), pick()).prop_map(|(which, how)| Deed::Mistake(which, how)),
        4 => (pick(), pick()).prop_map(|(which, how)| Deed::Sneak(which, how)),
        2 => pick().prop_map(Deed::Babble),
        1 => Just(Deed::Elect),
        6 => Just(Deed::Wait),
    ]
}
