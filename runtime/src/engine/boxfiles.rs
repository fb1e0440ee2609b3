//! What a process box is started from: the files that its own programs read, and its launch.

use std::fs;
use std::path::{Path, PathBuf};

use super::bubblewrap::{self, CGROUP};
use super::cgroup::BoxGroups;
use super::home::{BoxRecord, Home};
use super::{BoxSpec, Confinement, EngineError, seccomp};
use crate::init::{BoxSettings, Launch, Reap};
use crate::spool::{make_folder, to_json, write_plain};

/// The environment of a box's init, which agents inherit.
const ENVIRONMENT: [(&str, &str); 2] = [
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("LANG", "C.UTF-8"),
];

/// A box that is about to be started.
pub(super) struct Starting<'a> {
    pub(super) home: &'a Home,
    pub(super) spec: &'a BoxSpec,
    pub(super) record: &'a BoxRecord,
    pub(super) groups: Option<&'a BoxGroups>,
    pub(super) bwrap: Option<&'a Path>,
}

impl Starting<'_> {
    /// Writes everything that the launch and init read; answers the launch's own file.
    pub(super) fn write_files(&self) -> Result<PathBuf, EngineError> {
        let folder = self.home.folder(&self.spec.id);
        write_plain(
            &folder.join("in/box.json"),
            &to_json(&self.settings()),
            0o644,
        )?;
        if self.record.confinement == Confinement::Bubblewrap {
            write_plain(&folder.join("seccomp.bpf"), &seccomp::filter(), 0o600)?;
            make_folder(&folder.join("etc"), 0o755)?;
            for (name, text) in bubblewrap::own_etc() {
                write_plain(&folder.join("etc").join(name), text.as_bytes(), 0o644)?;
            }
        }
        for stale in ["launched.json", "info.json"] {
            let _ = fs::remove_file(folder.join(stale));
        }
        let file = folder.join("launch.json");
        write_plain(&file, &to_json(&self.launch()), 0o600)?;
        Ok(file)
    }

    fn settings(&self) -> BoxSettings {
        let (confinement, limits) = (self.record.confinement, &self.spec.limits);
        BoxSettings {
            reap: match confinement {
                Confinement::Container | Confinement::Bubblewrap => Reap::Namespace,
                Confinement::OwnUid => Reap::Uid,
                Confinement::Nothing => Reap::Descendants,
            },
            cgroup: self.groups.map(|groups| match confinement {
                Confinement::Container | Confinement::Bubblewrap => PathBuf::from(CGROUP),
                Confinement::OwnUid | Confinement::Nothing => groups.memory.clone(),
            }),
            open_files: limits.open_files,
            file_bytes: limits.file_bytes,
            // A shared user's processes are not counted for the box.
            processes: (confinement != Confinement::Nothing)
                .then_some(limits.processes + limits.attendants()),
            memory_watch_bytes: self.groups.is_none().then_some(limits.memory_bytes),
        }
    }

    fn launch(&self) -> Launch {
        let folder = self.home.folder(&self.spec.id);
        let name = self.home.name(&self.spec.id);
        let domo = &self.home.domo;
        let is_root = nix::unistd::geteuid().is_root();
        let confinement = self.record.confinement;
        let (argv, staged) = if let Some(bwrap) = self.bwrap
            && confinement == Confinement::Bubblewrap
        {
            let group = self.groups.map(|groups| groups.memory.as_path());
            let sandbox =
                bubblewrap::sandbox(bwrap, self.spec, &name, &folder, domo, group, is_root);
            (sandbox.argv, sandbox.staged)
        } else {
            let words = [
                &domo.to_string_lossy(),
                "init",
                &folder.to_string_lossy(),
                &name,
            ];
            (words.map(str::to_owned).to_vec(), Vec::new())
        };
        let may_choose_user = is_root && confinement != Confinement::Nothing;
        Launch {
            folder,
            cgroups: self
                .groups
                .map(|groups| groups.procs.clone())
                .unwrap_or_default(),
            user: may_choose_user.then_some(self.record.owner),
            staged,
            argv,
            env: ENVIRONMENT
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .to_vec(),
        }
    }
}

/// What has no effect with this confinement on this host, each a sentence.
pub(super) fn weaknesses(confinement: Confinement, has_groups: bool) -> Vec<String> {
    let no_groups = "no cgroup can be written: processor time is not limited, \
                     and memory is watched by looking every 50 ms";
    let weakness = match confinement {
        Confinement::Container | Confinement::Bubblewrap => None,
        Confinement::OwnUid => {
            Some("agents see the host's files and network; bubblewrap would hide both")
        }
        Confinement::Nothing => Some(
            "agents run as the daemon's own user, without any confinement: each could take this node over",
        ),
    };
    let no_groups = (!has_groups).then_some(no_groups);
    weakness
        .into_iter()
        .chain(no_groups)
        .map(str::to_owned)
        .collect()
}
