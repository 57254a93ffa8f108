//! Downloads from a real server on loopback.

mod download;
mod server;
mod whole;

use std::time::Duration;

use fashion_data::known::{self, KnownFile};

use self::server::Server;
use super::download::Patience;
use super::source::Source;

/// Patient with a busy machine, quick to ask again.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(5),
    silence: Duration::from_secs(5),
    request: Duration::from_secs(60),
    attempts: 3,
    pause: Duration::from_millis(1),
};

fn mirrors(servers: &[&Server]) -> Vec<Source> {
    servers.iter().map(|server| Source::Mirror(server.url())).collect()
}

/// A file of these bytes, which are what is published.
fn known_file(name: &'static str, gz: &[u8]) -> KnownFile {
    let gz_sha256 = known::sha256(gz).leak();
    KnownFile { name, gz_bytes: gz.len() as u64, gz_sha256, sha256: "" }
}
