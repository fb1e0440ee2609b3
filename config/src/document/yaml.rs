//! YAML text as a tree whose every node knows its line and column.
//!
//! # Invariant
//! What this tree costs is bounded by the text and by named limits, never by what the text says:
//! no anchors and aliases (so no text stands for more than itself), no tags, no directives.
//! A key stands once in its map. What was complained about is [`What::Spoiled`], so that nobody
//! complains about it again.
//!
//! # Why
//! `granit-parser` gives events with places, has limits of its own for nesting and look-ahead, no
//! unsafe code, and goes on at the next document after an error. A serde crate would stop at the
//! first mistake, and gives the place of a value only where its types are made for it.
//! Types are not guessed here: `no` is a text until somebody asks for a truth value.

use std::collections::BTreeSet;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, options};

use crate::mistake::{Mistakes, Place, Wrong, shown};

/// The deepest honest document (an approver in a playbook) is six levels deep.
const DEEPEST_LEVELS: usize = 16;
/// 256 stages with a dozen values each are 3,000; a node costs about 100 bytes here.
const MOST_NODES: usize = 100_000;

/// A line and a column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A value and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) mark: Mark,
    pub(super) what: What,
}

/// What stands there.
#[derive(Debug)]
pub(super) enum What {
    /// Text; plain where it stands without quotes.
    Scalar {
        text: String,
        is_plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
    /// Something that was complained about.
    Spoiled,
}

/// A key and where it begins.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) mark: Mark,
}

/// One document of a file and its number in it, from 1.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) number: usize,
    pub(super) root: Node,
}

/// A list or map whose end has not come yet.
enum Open {
    List {
        mark: Mark,
        items: Vec<Node>,
    },
    Map {
        mark: Mark,
        pairs: Vec<(Key, Node)>,
        key: Waiting,
        seen: BTreeSet<String>,
    },
}

/// What an open map waits for.
enum Waiting {
    /// A key.
    Key,
    /// The value of this key.
    Value(Key),
    /// A value that nobody will see, because its key was complained about.
    LostValue,
}

struct Grower<'a> {
    file: &'a str,
    mistakes: &'a mut Mistakes,
    number: usize,
    nodes: usize,
    open: Vec<Open>,
    root: Option<Node>,
    grown: Vec<Tree>,
}

/// Reads all documents of `text`; those with an error of syntax are left out and complained about.
pub(super) fn grow(file: &str, text: &str, mistakes: &mut Mistakes) -> Vec<Tree> {
    let mut grower = Grower {
        file,
        mistakes,
        number: 0,
        nodes: 0,
        open: Vec::new(),
        root: None,
        grown: Vec::new(),
    };
    let mut parser = Parser::new_from_str_with_options(text, parser_options());
    while let Some(next) = parser.next_event() {
        match next {
            Ok((event, span)) => grower.take(event, span),
            Err(error) => {
                grower.complain_about_syntax(&error);
                if !matches!(parser.proceed_next_document(), Ok(true)) {
                    break;
                }
            }
        }
        if grower.mistakes.is_full() || grower.nodes > MOST_NODES {
            break;
        }
    }
    grower.grown
}

fn parser_options() -> Options {
    options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEEPEST_LEVELS,
        block_nesting_limit: DEEPEST_LEVELS,
    }
}

impl Grower<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) {
        let mark = Mark {
            line: span.start.line().max(1),
            column: span.start.col() + 1,
        };
        match event {
            Event::DocumentStart(..) => {
                self.number += 1;
                self.open.clear();
                self.root = None;
            }
            Event::DocumentEnd => self.end_document(),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.complain(mark, "aliases are not taken here: write the value out");
                self.place(Node {
                    mark,
                    what: What::Spoiled,
                });
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                let mut what = What::Scalar {
                    text: text.into_owned(),
                    is_plain,
                };
                if self.refuse_properties(mark, anchor, tag.is_some()) {
                    what = What::Spoiled;
                }
                self.place(Node { mark, what });
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_properties(mark, anchor, tag.is_some());
                self.open.push(Open::List {
                    mark,
                    items: Vec::new(),
                });
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_properties(mark, anchor, tag.is_some());
                let (pairs, seen) = (Vec::new(), BTreeSet::new());
                self.open.push(Open::Map {
                    mark,
                    pairs,
                    key: Waiting::Key,
                    seen,
                });
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List { mark, items }) => {
                    self.place(Node {
                        mark,
                        what: What::List(items),
                    });
                }
                Some(Open::Map { mark, pairs, .. }) => {
                    self.place(Node {
                        mark,
                        what: What::Map(pairs),
                    });
                }
                None => {}
            },
            // The begin and the end of the stream, and comments: nothing to grow from.
            Event::StreamStart | Event::StreamEnd | Event::Anchor(..) | _ => {}
        }
    }

    /// Puts a finished value where it belongs: as root, item, key or value.
    fn place(&mut self, node: Node) {
        self.nodes += 1;
        if self.nodes == MOST_NODES + 1 {
            let sentence = format!("the file holds more than {MOST_NODES} values: split it");
            self.complain(node.mark, &sentence);
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { pairs, key, .. }) => match std::mem::replace(key, Waiting::Key) {
                Waiting::Key => self.take_key(node),
                Waiting::Value(known) => pairs.push((known, node)),
                Waiting::LostValue => {}
            },
        }
    }

    fn take_key(&mut self, node: Node) {
        let mark = node.mark;
        let (waiting, complaint) = match (node.what, self.open.last_mut()) {
            (What::Scalar { text, .. }, Some(Open::Map { seen, .. })) => {
                if seen.insert(text.clone()) {
                    (Waiting::Value(Key { text, mark }), None)
                } else {
                    let what = format!("the key `{}`", shown(&text));
                    (Waiting::LostValue, Some(Wrong::Twice { what }))
                }
            }
            (What::List(_) | What::Map(_), _) => {
                let sentence = "a list or a map cannot be a key here".to_owned();
                (Waiting::LostValue, Some(Wrong::Refused(sentence)))
            }
            (What::Scalar { .. } | What::Spoiled, _) => (Waiting::LostValue, None),
        };
        if let Some(wrong) = complaint {
            self.add(mark, wrong);
        }
        if let Some(Open::Map { key, .. }) = self.open.last_mut() {
            *key = waiting;
        }
    }

    fn end_document(&mut self) {
        if let Some(root) = self.root.take() {
            self.grown.push(Tree {
                number: self.number,
                root,
            });
        }
    }

    /// Says whether the node had an anchor or a tag, which are not taken.
    fn refuse_properties(&mut self, mark: Mark, anchor: usize, is_tagged: bool) -> bool {
        if anchor != 0 {
            self.complain(
                mark,
                "anchors are not taken here: write the value out where it is used",
            );
        }
        if is_tagged {
            self.complain(
                mark,
                "tags are not taken here: a value has the type of its key",
            );
        }
        anchor != 0 || is_tagged
    }

    fn complain_about_syntax(&mut self, error: &ScanError) {
        let mark = Mark {
            line: error.marker().line().max(1),
            column: error.marker().col() + 1,
        };
        let kind = error.kind();
        let sentence = if is_about_a_tab(kind) {
            "a tab stands where YAML takes only spaces".to_owned()
        } else if *kind == ErrorKind::RecursionLimitExceeded {
            format!("lists and maps are nested deeper than {DEEPEST_LEVELS} levels")
        } else if *kind == ErrorKind::DirectiveDisallowed {
            "directives (lines that begin with %) are not taken here".to_owned()
        } else {
            format!("this is not YAML: {}", shown_whole(&error.info()))
        };
        self.complain(mark, &sentence);
    }

    fn complain(&mut self, mark: Mark, sentence: &str) {
        self.add(mark, Wrong::Refused(sentence.to_owned()));
    }

    fn add(&mut self, mark: Mark, wrong: Wrong) {
        let place = Place::Spot {
            file: self.file.to_owned(),
            document: Some(self.number.max(1)),
            line: mark.line,
            column: mark.column,
        };
        self.mistakes.add(place, wrong);
    }
}

fn is_about_a_tab(kind: &ErrorKind) -> bool {
    [
        ErrorKind::TabNotAllowed,
        ErrorKind::TabInBlockIndentation,
        ErrorKind::TabInIndentation,
        ErrorKind::TabInPlainScalar,
        ErrorKind::TabAtBlockScalarStart,
    ]
    .contains(kind)
}

/// The parser's own sentence, on one line.
fn shown_whole(sentence: &str) -> String {
    sentence
        .split('\n')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join("; ")
}

impl Node {
    /// Whether nothing stands there.
    pub(super) fn is_null(&self) -> bool {
        match &self.what {
            What::Scalar { text, is_plain } => {
                *is_plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            What::List(_) | What::Map(_) | What::Spoiled => false,
        }
    }

    /// What stands there, for a message.
    pub(super) fn found(&self) -> String {
        match &self.what {
            What::Scalar { .. } if self.is_null() => "empty".to_owned(),
            What::Scalar {
                text,
                is_plain: true,
            } => format!("`{}`", shown(text)),
            What::Scalar {
                text,
                is_plain: false,
            } => format!("the text \"{}\"", shown(text)),
            What::List(_) => "a list".to_owned(),
            What::Map(_) => "a map".to_owned(),
            What::Spoiled => "something that was refused".to_owned(),
        }
    }
}
