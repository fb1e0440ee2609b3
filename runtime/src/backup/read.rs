//! Reading a backup: what is handed on was whole, and all of it is only trusted at its end.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use rules::State;
use rules::case::Case;
use rules::id::{BlobRef, CaseId, NodeId};
use rules::room::Shelved;
use sha2::{Digest as _, Sha256};

use super::{
    BackupError, Contents, End, Head, Item, MAX_CASE_BYTES, MAX_POSTS_BYTES, MAX_RECORDS_BYTES,
    MAX_STATE_BYTES, failed, forms,
};
use crate::codec::{self, CodecError, Form};

/// Takes in what a backup holds, in this order: the state, the closed cases, the posts,
/// the blobs.
pub trait Taker {
    /// The state's bytes.
    fn state(&mut self, body: Vec<u8>) -> Result<(), BackupError>;

    /// A closed case.
    fn case(&mut self, case: Case) -> Result<(), BackupError>;

    /// Posts that have left the state.
    fn posts(&mut self, posts: Vec<Shelved>) -> Result<(), BackupError>;

    /// Lines of the record, in their order.
    fn records(&mut self, lines: String) -> Result<(), BackupError>;

    /// A blob whose bytes come next.
    fn begin_blob(&mut self, blob: BlobRef) -> Result<(), BackupError>;

    /// Some of them.
    fn piece(&mut self, piece: &[u8]) -> Result<(), BackupError>;

    /// That they were all, and the right ones.
    fn end_blob(&mut self, blob: BlobRef) -> Result<(), BackupError>;
}

/// Reads a backup to its end without keeping anything of it.
pub fn check(path: &Path) -> Result<Contents, BackupError> {
    struct Nobody;
    impl Taker for Nobody {
        fn state(&mut self, _body: Vec<u8>) -> Result<(), BackupError> {
            Ok(())
        }
        fn case(&mut self, _case: Case) -> Result<(), BackupError> {
            Ok(())
        }
        fn posts(&mut self, _posts: Vec<Shelved>) -> Result<(), BackupError> {
            Ok(())
        }
        fn records(&mut self, _lines: String) -> Result<(), BackupError> {
            Ok(())
        }
        fn begin_blob(&mut self, _blob: BlobRef) -> Result<(), BackupError> {
            Ok(())
        }
        fn piece(&mut self, _piece: &[u8]) -> Result<(), BackupError> {
            Ok(())
        }
        fn end_blob(&mut self, _blob: BlobRef) -> Result<(), BackupError> {
            Ok(())
        }
    }
    read(path, &mut Nobody)
}

/// Reads a backup, and hands on what it holds. Blocks.
pub fn read(path: &Path, taker: &mut impl Taker) -> Result<Contents, BackupError> {
    let file = File::open(path).map_err(failed(format!("read {}", path.display())))?;
    let mut reader = Reader {
        path: path.to_owned(),
        file: BufReader::new(file),
        digest: Sha256::new(),
        at: 0,
    };
    let head = reader.head()?;
    let mut contents = Contents {
        head,
        next_node: NodeId(0),
        teams: 0,
        open_cases: 0,
        state_bytes: 0,
        closed_cases: 0,
        posts: 0,
        blobs: 0,
        blob_bytes: 0,
        missing: Vec::new(),
        bytes: 0,
    };
    loop {
        // The end is compared with all that stands before it.
        let before = reader.digest.clone();
        match reader.item()? {
            Item::State(bytes) => reader.state(bytes, &mut contents, taker)?,
            Item::Case(id, bytes) => reader.case(id, bytes, &mut contents, taker)?,
            Item::Blob(blob) => reader.blob(blob, &mut contents, taker)?,
            Item::Posts(bytes) => reader.posts(bytes, &mut contents, taker)?,
            Item::Records(bytes) => reader.records(bytes, taker)?,
            Item::Missing(blob) => contents.missing.push(blob),
            Item::Broken(why) => return Err(reader.unfinished(why)),
            Item::End(end) => {
                reader.end(&end, &before, &contents)?;
                contents.bytes = reader.at;
                return Ok(contents);
            }
        }
    }
}

/// A backup that is being read.
struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    digest: Sha256,
    at: u64,
}

impl Reader {
    fn head(&mut self) -> Result<Head, BackupError> {
        let foreign = |path: &Path, why| BackupError::Foreign {
            path: path.to_owned(),
            why,
        };
        let (sealed, found) = self.sealed(codec::BACKUP_HEAD)?;
        if let Some(why) = found {
            return Err(foreign(&self.path, why));
        }
        let head: Head =
            codec::decode(codec::BACKUP_HEAD, &sealed).map_err(|why| foreign(&self.path, why))?;
        if head.forms != forms() {
            return Err(BackupError::Version {
                path: self.path.clone(),
                release: head.release,
            });
        }
        Ok(head)
    }

    fn item(&mut self) -> Result<Item, BackupError> {
        let at = self.at;
        let sealed = self.whole(codec::BACKUP_ITEM)?;
        codec::decode(codec::BACKUP_ITEM, &sealed).map_err(|error| self.damaged(at, &error))
    }

    fn state(
        &mut self,
        bytes: u64,
        contents: &mut Contents,
        taker: &mut impl Taker,
    ) -> Result<(), BackupError> {
        let at = self.at;
        if contents.state_bytes > 0 {
            return Err(self.damaged(at, "it has a second state"));
        }
        let body = self.body(bytes, MAX_STATE_BYTES)?;
        let state: State = codec::decode_body(&body).map_err(|error| self.damaged(at, &error))?;
        if state.index != contents.head.index {
            return Err(self.damaged(at, "its state is of another entry"));
        }
        contents.state_bytes = bytes;
        contents.next_node = state.next_node;
        contents.teams = state.teams.len() as u64;
        contents.open_cases = state.cases.len() as u64;
        taker.state(body)
    }

    fn case(
        &mut self,
        id: CaseId,
        bytes: u64,
        contents: &mut Contents,
        taker: &mut impl Taker,
    ) -> Result<(), BackupError> {
        let at = self.at;
        let body = self.body(bytes, MAX_CASE_BYTES)?;
        let case: Case = codec::decode_body(&body).map_err(|error| self.damaged(at, &error))?;
        if case.id != id || !case.is_closed() {
            return Err(self.damaged(at, "it is another case, or not closed"));
        }
        contents.closed_cases += 1;
        taker.case(case)
    }

    fn posts(
        &mut self,
        bytes: u64,
        contents: &mut Contents,
        taker: &mut impl Taker,
    ) -> Result<(), BackupError> {
        let at = self.at;
        let body = self.body(bytes, MAX_POSTS_BYTES)?;
        let posts: Vec<Shelved> =
            codec::decode_body(&body).map_err(|error| self.damaged(at, &error))?;
        contents.posts += posts.len() as u64;
        taker.posts(posts)
    }

    fn records(&mut self, bytes: u64, taker: &mut impl Taker) -> Result<(), BackupError> {
        let at = self.at;
        let body = self.body(bytes, MAX_RECORDS_BYTES)?;
        let lines = String::from_utf8(body).map_err(|error| self.damaged(at, &error))?;
        taker.records(lines)
    }

    fn blob(
        &mut self,
        blob: BlobRef,
        contents: &mut Contents,
        taker: &mut impl Taker,
    ) -> Result<(), BackupError> {
        let at = self.at;
        taker.begin_blob(blob)?;
        let (mut digest, mut left) = (Sha256::new(), blob.bytes);
        while left > 0 {
            let piece = self.piece(left)?;
            digest.update(&piece);
            left -= piece.len() as u64;
            taker.piece(&piece)?;
        }
        if digest.finalize()[..] != blob.sha256 {
            return Err(self.damaged(at, "a blob's bytes are not those of its name"));
        }
        contents.blobs += 1;
        contents.blob_bytes += blob.bytes;
        taker.end_blob(blob)
    }

    fn end(&mut self, end: &End, all: &Sha256, contents: &Contents) -> Result<(), BackupError> {
        let at = self.at;
        let is_counted = end.cases == contents.closed_cases && end.blobs == contents.blobs;
        if !is_counted || contents.state_bytes == 0 || all.clone().finalize()[..] != end.sha256 {
            return Err(self.damaged(at, "its parts do not belong together"));
        }
        let read = self.file.read(&mut [0]);
        if read.map_err(failed(format!("read {}", self.path.display())))? > 0 {
            return Err(self.damaged(at, "it goes on behind its end"));
        }
        Ok(())
    }

    fn body(&mut self, bytes: u64, limit: u64) -> Result<Vec<u8>, BackupError> {
        if bytes > limit {
            return Err(self.damaged(self.at, "it is larger than it can be"));
        }
        let mut body = Vec::new();
        while (body.len() as u64) < bytes {
            body.extend(self.piece(bytes - body.len() as u64)?);
        }
        Ok(body)
    }

    fn piece(&mut self, most: u64) -> Result<Vec<u8>, BackupError> {
        let at = self.at;
        let sealed = self.whole(codec::BACKUP_PIECE)?;
        let piece = codec::open(codec::BACKUP_PIECE, &sealed);
        let piece = piece.map_err(|error| self.damaged(at, &error))?;
        if piece.is_empty() || piece.len() as u64 > most {
            return Err(self.damaged(at, "a piece has another size than was said"));
        }
        Ok(piece.to_vec())
    }

    /// The next envelope, which must be of that form.
    fn whole(&mut self, form: Form) -> Result<Vec<u8>, BackupError> {
        let at = self.at;
        match self.sealed(form)? {
            (sealed, None) => Ok(sealed),
            (_, Some(error)) => Err(self.damaged(at, &error)),
        }
    }

    /// The next envelope, and what is wrong with its head.
    fn sealed(&mut self, form: Form) -> Result<(Vec<u8>, Option<CodecError>), BackupError> {
        let mut sealed = vec![0; codec::HEAD_BYTES];
        self.read_exact(&mut sealed)?;
        let mut head = [0; codec::HEAD_BYTES];
        head.copy_from_slice(&sealed);
        match codec::body_length(form, &head) {
            Ok(length) => sealed.resize(codec::HEAD_BYTES + length, 0),
            Err(error) => return Ok((sealed, Some(error))),
        }
        self.read_exact(&mut sealed[codec::HEAD_BYTES..])?;
        self.digest.update(&sealed);
        Ok((sealed, None))
    }

    fn read_exact(&mut self, into: &mut [u8]) -> Result<(), BackupError> {
        match self.file.read_exact(into) {
            Ok(()) => {
                self.at += into.len() as u64;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.unfinished(format!("it ends after byte {}", self.at)))
            }
            Err(error) => Err(failed(format!("read {}", self.path.display()))(error)),
        }
    }

    fn damaged(&self, at: u64, why: &(impl ToString + ?Sized)) -> BackupError {
        BackupError::Damaged {
            path: self.path.clone(),
            at,
            why: why.to_string(),
        }
    }

    fn unfinished(&self, why: String) -> BackupError {
        BackupError::Unfinished {
            path: self.path.clone(),
            why,
        }
    }
}
