//! What a node is asked over its links: any bytes are answered or dropped, and its ledger goes on.

use std::sync::OnceLock;

use rules::id::NodeId;
use runtime::ledger::{Ledger, OpenOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A ledger of its own.
struct Peer {
    runtime: Runtime,
    ledger: Ledger,
    _folder: TempDir,
}

impl Peer {
    fn open() -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().expect("a runtime");
        let options = OpenOptions::new(folder.path().join("ledger"), NodeId(1));
        let ledger = runtime.block_on(async {
            let (ledger, _) = Ledger::open(options).await.expect("it opens");
            ledger.init_single().await.expect("it leads");
            ledger
        });
        Self {
            runtime,
            ledger,
            _folder: folder,
        }
    }
}

pub fn run(bytes: &[u8]) {
    static PEER: OnceLock<Peer> = OnceLock::new();
    let peer = PEER.get_or_init(Peer::open);
    peer.runtime.block_on(async {
        drop(peer.ledger.answer(NodeId(2), bytes).await);
    });
}
