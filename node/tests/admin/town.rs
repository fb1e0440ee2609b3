//! Two teams with their people, cases in each, and everybody who asks: by token, as a user of the
//! host, with a token for one team, and with what is no token at all.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use node::admin::client::Client;
use node::admin::wire::{
    ApplyQuery, Approval, Approver, Document, HumanWish, MintHumanToken, OpenCase, PutHumans,
    RoleIn,
};
use rules::human::TeamRole;
use rules::id::CaseId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::faces::Line;
use super::house::{House, PATIENCE, team};

/// Users of the host that the settings name.
pub const USERS: [(u32, &str); 2] = [(4241, "lea"), (4242, "bob")];

/// A name, whether they are an admin, and their roles.
type Person = (&'static str, bool, Vec<(&'static str, TeamRole)>);

/// What is known of an asker outside the state.
pub struct Known {
    pub is_admin: bool,
    pub roles: Vec<(&'static str, TeamRole)>,
}

/// Somebody who asks.
pub struct Asker {
    pub name: &'static str,
    /// Their account's name.
    human: &'static str,
    pub known: Option<Known>,
    pub token: Option<String>,
    pub narrowed_to: Option<&'static str>,
    /// As which user of the host, where it is not the daemon's own.
    pub uid: Option<u32>,
    /// Their own cases, by team.
    own: Vec<(&'static str, CaseId)>,
}

impl Asker {
    pub fn is_known(&self) -> bool {
        self.known.is_some() && self.human != "admin"
    }

    pub fn has_opened_in(&self, team: &str) -> bool {
        self.own.iter().any(|(of, _)| *of == team)
    }
}

/// All of it.
pub struct Town {
    house: House,
    pub askers: Vec<Asker>,
    cases: Vec<(&'static str, CaseId, CaseId)>,
    requests: AtomicU64,
}

fn human(name: &str, roles: &[(&str, TeamRole)]) -> HumanWish {
    use node::admin::wire::TeamRole as Shown;
    let role = |(team, role): &(&str, TeamRole)| RoleIn {
        team: (*team).to_owned(),
        role: match role {
            TeamRole::Lead => Shown::Lead,
            TeamRole::Member => Shown::Member,
        },
    };
    HumanWish {
        name: name.to_owned(),
        display: None,
        employee: None,
        roles: roles.iter().map(role).collect(),
    }
}

/// The documents of a team; its stage waits for an approval by a member.
fn described(name: &str) -> Vec<Document> {
    let mut documents = team();
    for document in &mut documents {
        match document {
            Document::Team(team) => name.clone_into(&mut team.name),
            Document::Worker(worker) => name.clone_into(&mut worker.team),
            Document::Playbook(playbook) => {
                name.clone_into(&mut playbook.team);
                playbook.stages[0].approval = Some(Approval {
                    by: vec![Approver::Role("member".to_owned())],
                    note: String::new(),
                });
            }
        }
    }
    documents
}

impl Town {
    pub async fn found() -> Self {
        let house = House::named(USERS).await;
        let (how, id) = (ApplyQuery::default(), house.id().await);
        let documents = [described("sre"), described("db")].concat();
        house
            .client
            .apply(&documents, &how, Some(&id))
            .await
            .unwrap();
        house.place().await;
        let mut town = Self {
            house,
            askers: Vec::new(),
            cases: Vec::new(),
            requests: AtomicU64::new(0),
        };
        town.settle().await;
        town.open_cases().await;
        town.let_in_users();
        town
    }

    async fn settle(&mut self) {
        use TeamRole::{Lead, Member};
        self.bring_back().await;
        let humans: [Person; 6] = [
            ("ada", true, vec![]),
            ("lea", false, vec![("sre", Lead)]),
            ("bob", false, vec![("sre", Member)]),
            ("dave", false, vec![("db", Lead)]),
            ("carol", false, vec![]),
            ("both", false, vec![("sre", Lead), ("db", Member)]),
        ];
        let people = humans.iter().map(|(name, _, roles)| human(name, roles));
        self.put(people.collect()).await;
        self.house.make_admin("ada").await;
        for (name, is_admin, roles) in humans {
            let token = Some(self.token(name, None).await);
            let known = Some(Known { is_admin, roles });
            self.askers.push(asker(name, name, known, token));
        }
        let root = Known {
            is_admin: true,
            roles: vec![],
        };
        self.askers.push(asker("root", "admin", Some(root), None));
        for (name, human, only, is_admin) in [
            ("ada only in sre", "ada", "sre", true),
            ("lea only in sre", "lea", "sre", false),
            ("lea only in db", "lea", "db", false),
        ] {
            let token = Some(self.token(human, Some(only)).await);
            let roles = if is_admin {
                vec![]
            } else {
                vec![("sre", Lead)]
            };
            let mut narrow = asker(name, human, Some(Known { is_admin, roles }), token);
            narrow.narrowed_to = Some(only);
            self.askers.push(narrow);
        }
        let mut known = vec![("lea as a user", "lea", Lead, 4241)];
        known.push(("bob as a user", "bob", Member, 4242));
        for (name, human, role, uid) in known {
            let known = Known {
                is_admin: false,
                roles: vec![("sre", role)],
            };
            let mut user = asker(name, human, Some(known), None);
            user.uid = Some(uid);
            self.askers.push(user);
        }
        let mut unknown = asker("a user whom nobody named", "-", None, None);
        unknown.uid = Some(4243);
        self.askers.push(unknown);
        // What an agent holds is good at its gateway, and here it is nothing.
        for token in ["domo-attempt-0123456789", "domo-human-00", ""] {
            let stranger = asker("a stranger", "-", None, Some(token.to_owned()));
            self.askers.push(stranger);
        }
    }

    /// Accounts that requests take away.
    pub async fn bring_back(&self) {
        use TeamRole::Member;
        self.put(vec![
            human("erin", &[("sre", Member)]),
            human("gus", &[("db", Member)]),
            human("fay", &[("sre", Member), ("db", Member)]),
        ])
        .await;
    }

    async fn put(&self, humans: Vec<HumanWish>) {
        let (roster, id) = (PutHumans { humans }, self.house.id().await);
        self.house.client.put_humans(&roster, &id).await.unwrap();
    }

    async fn token(&self, human: &str, only: Option<&str>) -> String {
        let how = MintHumanToken {
            valid_ms: 3_600_000,
            team: only.map(str::to_owned),
            only_if_none: false,
        };
        let id = self.house.id().await;
        let minted = self.house.client.mint_human_token(human, &how, &id).await;
        minted.unwrap().token
    }

    async fn open_cases(&mut self) {
        for team in ["sre", "db"] {
            let case = open(&self.house.client, team).await;
            let planned = open(&self.house.client, team).await;
            self.house.plan(planned).await;
            self.cases.push((team, case, planned));
        }
        let mut own = Vec::new();
        for asker in &self.askers {
            let mut cases = Vec::new();
            let Some(known) = &asker.known else {
                own.push(cases);
                continue;
            };
            for (team, _) in &known.roles {
                // Whoever may open cases: some askers are one human, whose cases they share.
                let token = self.token(asker.human, None).await;
                let client = Client::with_token(&self.house.path, &token);
                cases.push((*team, open(&client, team).await));
            }
            own.push(cases);
        }
        for (asker, cases) in self.askers.iter_mut().zip(own) {
            asker.own = cases;
        }
    }

    /// Lets other users of the host come as far as the socket.
    fn let_in_users(&self) {
        let may = |path: &std::path::Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        may(self.house.folder.path(), 0o711);
        may(&self.house.path, 0o666);
    }

    /// A line as a request of somebody about a team.
    pub fn request(&self, line: &Line, asker: &Asker, team: &str) -> String {
        let case_of = |which: fn(&(&str, CaseId, CaseId)) -> CaseId| {
            let found = self.cases.iter().find(|(of, ..)| *of == team);
            found.map_or(CaseId(0), which).to_string()
        };
        let own = asker.own.iter().find(|(of, _)| *of == team);
        let victim = if team == "sre" { "erin" } else { "gus" };
        let fill = |text: &str| {
            text.replace("{team}", team)
                .replace("{case}", &case_of(|(_, case, _)| *case))
                .replace("{planned}", &case_of(|(_, _, planned)| *planned))
                .replace(
                    "{mine}",
                    &own.map_or(CaseId(0), |(_, case)| *case).to_string(),
                )
                .replace("{victim}", victim)
                .replace("{me}", asker.human)
                .replace("{sha256}", &"0".repeat(64))
        };
        let body = match line.body.strip_prefix("{doc:") {
            Some(which) => document(which.trim_end_matches('}'), team),
            None => fill(line.body),
        };
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let token = asker.token.as_ref();
        let token = token.map_or(String::new(), |token| {
            format!("authorization: Bearer {token}\r\n")
        });
        format!(
            "{} {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nrequest-id: faces-{number}\r\n\
             {token}content-length: {}\r\n\r\n{body}",
            line.method,
            fill(line.path),
            body.len()
        )
    }

    /// Asks; gives the status, and what a refusal says.
    pub async fn ask(&self, asker: &Asker, request: &str) -> (u16, String) {
        let answer = match asker.uid {
            Some(uid) => self.ask_as(uid, request),
            None => tokio::time::timeout(PATIENCE, self.ask_here(request))
                .await
                .expect("it is answered"),
        };
        let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
        (status.unwrap_or_else(|| panic!("{answer}")), answer)
    }

    async fn ask_here(&self, request: &str) -> String {
        let mut stream = UnixStream::connect(&self.house.path).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let read = stream.read(&mut piece).await.unwrap();
            bytes.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&bytes);
            // A stream goes on for ever; what a refusal says comes whole.
            let is_refusal = text.starts_with("HTTP/1.1 4") || text.starts_with("HTTP/1.1 5");
            if read == 0 || text.contains("\r\n\r\n") && !is_refusal {
                return text.into_owned();
            }
        }
    }

    /// Asks from a process of another user: the kernel says who that is.
    fn ask_as(&self, uid: u32, request: &str) -> String {
        const ASK: &str = "import socket,sys\n\
            s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode())\n\
            b=b''\n\
            while True:\n\
            \x20p=s.recv(4096); b+=p\n\
            \x20if not p or (b'\\r\\n\\r\\n' in b and b[9:10] not in b'45'): break\n\
            sys.stdout.write(b.decode('utf-8','replace'))";
        let child = Command::new("python3")
            .args(["-c", ASK])
            .arg(&self.house.path)
            .arg(request)
            .uid(uid)
            .gid(uid)
            .stdin(Stdio::null())
            .output()
            .expect("python3 can be started as another user");
        assert!(child.status.success(), "{child:?}");
        String::from_utf8_lossy(&child.stdout).into_owned()
    }

    pub async fn close(self) {
        self.house.close().await;
    }
}

fn asker(
    name: &'static str,
    human: &'static str,
    known: Option<Known>,
    token: Option<String>,
) -> Asker {
    Asker {
        name,
        human,
        known,
        token,
        narrowed_to: None,
        uid: None,
        own: Vec::new(),
    }
}

async fn open(client: &Client, team: &str) -> CaseId {
    let case = OpenCase {
        team: Some(team.to_owned()),
        brief: "look".to_owned(),
        ..OpenCase::default()
    };
    let id = client.request_id().await.unwrap();
    let opened = client.open_case(&case, &id).await.unwrap();
    opened.case.parse().unwrap()
}

/// A document of a team, as JSON.
fn document(which: &str, team: &str) -> String {
    let mut documents = described(team);
    documents.retain_mut(|document| match (which, document) {
        ("team", Document::Team(_))
        | ("playbook", Document::Playbook(_))
        | ("worker", Document::Worker(_)) => true,
        ("newworker", Document::Worker(worker)) => {
            "another".clone_into(&mut worker.name);
            true
        }
        ("newteam", Document::Team(team)) => {
            "third".clone_into(&mut team.name);
            true
        }
        _ => false,
    });
    serde_json::to_string(&documents).unwrap()
}
