//! Downloads from a real server on loopback.

mod download;
mod server;
mod whole;

use std::time::Duration;

use self::server::Server;
use super::download::Patience;
use super::http::Timeouts;
use super::source::Source;

/// Patient with a busy machine, quick to ask again.
const PATIENCE: Patience = Patience {
    timeouts: Timeouts {
        connect: Duration::from_secs(5),
        silence: Duration::from_secs(5),
        request: Duration::from_secs(60),
    },
    attempts: 3,
    pause: Duration::from_millis(1),
};

fn mirrors(servers: &[&Server]) -> Vec<Source> {
    servers.iter().map(|server| Source::Mirror(server.url())).collect()
}
