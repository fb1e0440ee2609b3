//! What every verb is given: which node to ask, and where its answer goes.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use config::settings::Settings;
use runtime::clock::Deadline;
use serde::Serialize;

use super::print::{self, Paper, Printer};
use super::stop::Stop;
use super::wish::Wish;
use crate::admin::TOKEN_PREFIX;
use crate::admin::client::{Client, ClientError};
use crate::daemon::socket_path;

/// The variable that names the socket where no flag does.
pub(crate) const SOCKET_VARIABLE: &str = "DOMO_SOCKET";

/// The variable that names the file with a token where no flag does.
pub(crate) const TOKEN_VARIABLE: &str = "DOMO_TOKEN_FILE";
/// More than any token has.
const MAX_TOKEN_BYTES: u64 = 1024;

/// Which node is asked, and where its answer goes.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    /// Where answers and remarks go.
    pub(crate) printer: Printer,
    /// The socket of the command line.
    pub(crate) socket: Option<PathBuf>,
    /// The file with the token by which whoever asks is known.
    pub(crate) token_file: Option<PathBuf>,
}

/// A socket, and who chose it.
struct Chosen {
    path: PathBuf,
    by: &'static str,
}

impl Console {
    /// Runs what asks a node; says where one was looked for when none is there.
    pub(crate) async fn ask<T>(
        &self,
        asking: impl AsyncFnOnce(Client) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let chosen = self.choose()?;
        match asking(self.client(&chosen.path)?).await {
            Err(Stop::Asked(ClientError::NoDaemon { socket, source })) => Err(Stop::StartNode {
                socket: socket.display().to_string(),
                why: source.to_string(),
                hint: advice(&socket, chosen.by, source.kind()),
            }),
            answer => answer,
        }
    }

    /// A client of the node at a socket, known by the same token.
    pub(crate) fn client(&self, socket: &Path) -> Result<Client, Stop> {
        Ok(match self.token()? {
            Some(token) => Client::with_token(socket, &token),
            None => Client::new(socket),
        })
    }

    /// Asks for a change under the wish's request id, which is never lost on the way.
    pub(crate) async fn change<T>(
        &self,
        client: &Client,
        wish: &Wish,
        deadline: Option<Deadline>,
        ask: impl AsyncFnOnce(&str) -> Result<T, ClientError>,
    ) -> Result<T, Stop> {
        let id = within(deadline, async { Ok(wish.id(client).await?) }).await?;
        let unknown = |why: String| Stop::Repeat {
            request_id: id.clone(),
            why,
        };
        let late = async {
            match deadline {
                Some(deadline) => tokio::time::sleep(deadline.left()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            answer = ask(&id) => answer.map_err(|error| match error {
                ClientError::Unknown { why, .. } => unknown(why),
                error @ (ClientError::NoDaemon { .. }
                | ClientError::Refused { .. }
                | ClientError::NotUnderstood { .. }
                | ClientError::CannotRead { .. }) => error.into(),
            }),
            () = late => Err(unknown("no answer within --timeout".to_owned())),
            () = interrupt() => Err(unknown("interrupted before the answer".to_owned())),
        }
    }

    /// A page of a list: nothing for people where it is empty, and how to read on where it is not all.
    pub(crate) fn list<T: Serialize>(
        &self,
        page: &T,
        is_empty: bool,
        next: Option<&str>,
        people: impl FnOnce(&T, &Paper) -> String,
    ) -> Result<(), Stop> {
        if !is_empty || self.printer.is_json() {
            self.printer.show(page, people)?;
        }
        if let Some(next) = next {
            print::note(&format!("there are more: --after {next}"));
        }
        Ok(())
    }

    /// Says that a change was made: its request to programs, a sentence to people.
    pub(crate) fn done(&self, done: &impl Serialize, sentence: &str) -> Result<(), Stop> {
        if self.printer.is_json() {
            self.printer.json(done)?;
        } else {
            print::note(sentence);
        }
        Ok(())
    }

    /// The token by which whoever asks is known, where one is given.
    fn token(&self) -> Result<Option<String>, Stop> {
        let named = std::env::var_os(TOKEN_VARIABLE).filter(|path| !path.is_empty());
        let Some(path) = self.token_file.clone().or(named.map(PathBuf::from)) else {
            return Ok(None);
        };
        let wrong = |why: String| {
            let what = format!("the token in {} cannot be used: {why}", path.display());
            Stop::mend(what, "`domo human token NAME --out FILE` makes such a file")
        };
        let mut text = String::new();
        let opened = std::fs::File::open(&path).map_err(|error| wrong(error.to_string()))?;
        let read = opened.take(MAX_TOKEN_BYTES).read_to_string(&mut text);
        read.map_err(|error| wrong(error.to_string()))?;
        let token = text.trim();
        if !token.starts_with(TOKEN_PREFIX) {
            return Err(wrong(format!("it does not begin with {TOKEN_PREFIX}")));
        }
        Ok(Some(token.to_owned()))
    }

    fn choose(&self) -> Result<Chosen, Stop> {
        if let Some(path) = &self.socket {
            return Ok(Chosen {
                path: path.clone(),
                by: "--socket",
            });
        }
        match std::env::var_os(SOCKET_VARIABLE) {
            Some(path) if !path.is_empty() => Ok(Chosen {
                path: path.into(),
                by: SOCKET_VARIABLE,
            }),
            Some(_) | None => of_settings(),
        }
    }
}

/// Does what comes before a change, and changes nothing if that takes too long.
pub(crate) async fn within<T>(
    deadline: Option<Deadline>,
    before: impl Future<Output = Result<T, Stop>>,
) -> Result<T, Stop> {
    let Some(deadline) = deadline else {
        return before.await;
    };
    match tokio::time::timeout(deadline.left(), before).await {
        Ok(done) => done,
        Err(_) => Err(Stop::LookLater {
            what: "no answer within --timeout; nothing was asked to be done".to_owned(),
            hint: "see whether the node is well (`domo status`), then say it again".to_owned(),
        }),
    }
}

/// The socket of the settings: the defaults, and what the environment changes of them.
fn of_settings() -> Result<Chosen, Stop> {
    let settings =
        Settings::load(None, utf8_environment(), &[]).map_err(|mistakes| Stop::MendAll {
            what: "the environment does not say which socket to use".into(),
            mistakes,
        })?;
    Ok(Chosen {
        path: socket_path(&settings),
        by: "the default settings",
    })
}

/// The environment's variables that are text; others cannot be settings.
pub(crate) fn utf8_environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Comes when whoever runs the command interrupts it.
pub(crate) async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the signal ends the process, which is as good.
        std::future::pending::<()>().await;
    }
}

fn advice(socket: &Path, chosen_by: &str, kind: std::io::ErrorKind) -> String {
    let choose = format!("name another socket with --socket PATH or {SOCKET_VARIABLE}");
    let folder = socket.parent().unwrap_or(Path::new("."));
    if kind == std::io::ErrorKind::PermissionDenied {
        return format!(
            "the socket (chosen by {chosen_by}) is another user's: ask as that user, or {choose}"
        );
    }
    if kind == std::io::ErrorKind::ConnectionRefused {
        return format!(
            "a daemon was there and is gone (socket chosen by {chosen_by}): start it again, as \
             with `domo node run --dev --data {}`, or {choose}",
            folder.display()
        );
    }
    format!(
        "the socket was chosen by {chosen_by}; start a node with `domo node run --dev --data DIR`, \
         whose socket is DIR/admin.sock, or {choose}"
    )
}
