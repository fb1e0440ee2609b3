//! A client: hands cases over, reads and cancels them through whatever node answers, and writes
//! down what it was told.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use runtime::clock::{self, Deadline};
use serde_json::{Value, json};

use super::{Call, Outcome, Said, Seen, Wish};
use crate::dice::Dice;
use crate::http::{self, Reply, Unanswered};
use crate::wait::rest;

/// A client gives a node up after this, and asks the next one.
const TRY_LIMIT: Duration = Duration::from_secs(3);
/// It wants nothing any longer than this: longer than any takeover.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two tries.
const BETWEEN_TRIES: Duration = Duration::from_millis(25);

/// What a client is to do.
#[derive(Clone, Debug)]
pub struct Orders {
    /// The nodes' sockets.
    pub sockets: Vec<PathBuf>,
    /// The teams that take cases.
    pub teams: Vec<String>,
    /// Begins each request's id: no two clients have the same.
    pub name: String,
    /// What all its choices are drawn from.
    pub seed: u64,
    /// Between two cases.
    pub pause: Duration,
    /// Before the first one.
    pub rest_first: Duration,
    /// Whether it is to break off in the middle of what it says.
    pub break_off: Arc<AtomicBool>,
}

/// A client at work.
#[derive(Debug)]
pub struct Client {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Call>>,
}

impl Client {
    /// Sets it to work.
    pub fn start(orders: Orders) -> Client {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || Desk::new(orders, stopped).work());
        Client { stop, thread }
    }

    /// Lets it finish what it is at, and says what it was told.
    ///
    /// # Panics
    /// When it broke off.
    pub fn finish(self) -> Vec<Call> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("a client does not break off")
    }
}

struct Desk {
    orders: Orders,
    stop: Arc<AtomicBool>,
    dice: Dice,
    calls: Vec<Call>,
    wishes: usize,
}

impl Desk {
    fn new(orders: Orders, stop: Arc<AtomicBool>) -> Desk {
        Desk {
            dice: Dice::new(orders.seed),
            orders,
            stop,
            calls: Vec::new(),
            wishes: 0,
        }
    }

    fn work(mut self) -> Vec<Call> {
        rest(self.orders.rest_first);
        while !self.stop.load(Ordering::Relaxed) {
            let team = self.dice.choose(&self.orders.teams).clone();
            let Some(case) = self.call(Wish::Submit(team)) else {
                continue;
            };
            if self.dice.is_in(2) {
                self.call(Wish::Read(case.clone()));
            }
            if self.dice.is_in(5) {
                self.call(Wish::Cancel(case.clone()));
                self.call(Wish::Read(case));
            }
            rest(self.orders.pause);
        }
        self.calls
    }

    /// Not each time, so that whatever it wants is told in the end.
    fn breaks_off(&mut self) -> bool {
        self.orders.break_off.load(Ordering::Relaxed) && self.dice.is_in(2)
    }

    /// Wants something until it is told what came of it, or is tired of asking; says which case it
    /// is about, when it was promised anything.
    fn call(&mut self, wish: Wish) -> Option<String> {
        self.wishes += 1;
        let request = format!("{}-{}", self.orders.name, self.wishes);
        let begun_ms = clock::boot().0;
        let patience = Deadline::after(PATIENCE);
        let mut node = self.dice.below(self.orders.sockets.len());
        let mut is_in_doubt = false;
        let (tried_ms, outcome) = loop {
            let tried_ms = clock::boot().0;
            let told = if self.breaks_off() {
                let said = self.dice.below(100);
                leave(&self.orders.sockets[node], &request, &wish, said)
            } else {
                ask(&self.orders.sockets[node], &request, &wish)
            };
            let refused = match told {
                Told::Acknowledged(said) => break (tried_ms, Outcome::Acknowledged(said)),
                Told::Refused(why) => Some(why),
                Told::NotNow(why) => patience.is_over().then_some(why),
                Told::Nothing => {
                    is_in_doubt = true;
                    patience.is_over().then(String::new)
                }
            };
            match refused {
                Some(_) if is_in_doubt => break (tried_ms, Outcome::Unknown),
                Some(why) => break (tried_ms, Outcome::Refused(why)),
                None => rest(BETWEEN_TRIES),
            }
            node = (node + 1) % self.orders.sockets.len();
        };
        let call = Call {
            request,
            wish,
            begun_ms,
            tried_ms,
            ended_ms: clock::boot().0,
            outcome,
        };
        let case = call.case().filter(|_| call.is_acknowledged());
        let case = case.map(str::to_owned);
        self.calls.push(call);
        case
    }
}

/// What one try was told.
enum Told {
    Acknowledged(Said),
    /// For good.
    Refused(String),
    /// Nothing was done; later, or elsewhere, it may be.
    NotNow(String),
    /// Nothing, or nothing that says whether it was done.
    Nothing,
}

/// Says so many hundredths of it and is gone; beyond three quarters all of it.
fn leave(socket: &Path, request: &str, wish: &Wish, said: usize) -> Told {
    let (method, path, body) = spelled(request, wish);
    match http::leave(socket, (method, &path), request, &body, said * 4 / 3) {
        Ok(()) => Told::Nothing,
        Err(_) => Told::NotNow("nobody is there".to_owned()),
    }
}

fn ask(socket: &Path, request: &str, wish: &Wish) -> Told {
    let (method, path, body) = spelled(request, wish);
    match http::wish(socket, (method, &path), Some(request), &body, TRY_LIMIT) {
        Ok(reply) => told(wish, &reply),
        Err(Unanswered::NobodyThere) => Told::NotNow("nobody is there".to_owned()),
        Err(Unanswered::Unknown) => Told::Nothing,
    }
}

fn spelled(request: &str, wish: &Wish) -> (&'static str, String, String) {
    match wish {
        Wish::Submit(team) => {
            let case = json!({"team": team, "title": request, "brief": "look"});
            ("POST", "/v1/cases".to_owned(), case.to_string())
        }
        Wish::Cancel(case) => {
            let path = format!("/v1/cases/{case}/cancel");
            ("POST", path, json!({"reason": "not needed"}).to_string())
        }
        Wish::Read(case) => ("GET", format!("/v1/cases/{case}"), String::new()),
    }
}

fn told(wish: &Wish, reply: &Reply) -> Told {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let refused = || format!("{} {}", reply.status, body["error"]["message"]);
    let said = match (wish, reply.status) {
        (Wish::Submit(_), 201) => body["case"]
            .as_str()
            .map(|case| Said::Opened(case.to_owned())),
        (Wish::Cancel(_), 200) => Some(Said::Ended),
        (Wish::Cancel(_), 404 | 409) => Some(Said::TooLate),
        (Wish::Read(_), 200) => Seen::of(&body).map(Said::Seen),
        (Wish::Read(_), 404) => Some(Said::Absent),
        (_, 429 | 503) => return Told::NotNow(refused()),
        (_, 400..=499) => return Told::Refused(refused()),
        // 504 says that nobody knows; a broken answer says nothing.
        _ => None,
    };
    said.map_or(Told::Nothing, Told::Acknowledged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            head: String::new(),
            body: body.to_owned(),
        }
    }

    #[test]
    fn only_a_whole_answer_is_a_promise() {
        let wish = Wish::Submit("crew".to_owned());
        let promised = told(&wish, &reply(201, r#"{"case":"c-7"}"#));
        assert!(matches!(promised, Told::Acknowledged(Said::Opened(case)) if case == "c-7"));
        assert!(matches!(told(&wish, &reply(201, r#"{"ca"#)), Told::Nothing));
        assert!(matches!(told(&wish, &reply(504, "{}")), Told::Nothing));
        assert!(matches!(told(&wish, &reply(503, "{}")), Told::NotNow(_)));
        assert!(matches!(told(&wish, &reply(400, "{}")), Told::Refused(_)));
    }
}
