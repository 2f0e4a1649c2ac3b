//! Replaces what a running server has read from files: at SIGHUP, and when a file changes.

use std::{sync::Arc, time::Duration};

use latchkey_ports::ErrorChain;
use tokio::signal::unix::Signal;

use super::{
    systemd,
    tls::{Certificates, Versions},
};
use crate::clock::ticks;

/// Reloads the certificates at each signal, and when their files have changed, which is looked at `every` so often.
///
/// It never ends. Without TLS, a signal changes nothing, and says so.
pub(crate) async fn follow(certificates: Option<Arc<Certificates>>, mut hangups: Signal, every: Duration) {
    let mut watched =
        certificates.map(|certificates| (Watch::new(certificates.first_versions()), certificates));
    let mut ticks = ticks(every);
    loop {
        let is_signal = tokio::select! {
            _ = hangups.recv() => true,
            _ = ticks.tick(), if watched.is_some() => false,
        };
        if is_signal {
            systemd::reloading();
        }
        if let Some((watch, certificates)) = &mut watched {
            let versions = certificates.versions();
            if watch.has_changed(&versions) || is_signal {
                watch.loaded(versions);
                reload(certificates);
            }
        } else {
            tracing::info!("there is nothing to reload: settings are read at the start");
        }
        if is_signal {
            systemd::ready();
        }
    }
}

fn reload(certificates: &Certificates) {
    match certificates.reload() {
        Ok(()) => tracing::info!("the certificates of TLS were reloaded"),
        Err(error) => tracing::error!(
            error = %ErrorChain(&error),
            "the certificates of TLS could not be reloaded; new connections get those from before"
        ),
    }
}

/// Notices that files have changed, once they no longer do: a certificate and its key are written one after the other.
struct Watch {
    loaded: Versions,
    seen: Versions,
}

impl Watch {
    fn new(loaded: Versions) -> Self {
        Self { seen: loaded.clone(), loaded }
    }

    /// Returns whether these versions are others than were loaded, and the same as at the last look.
    fn has_changed(&mut self, versions: &Versions) -> bool {
        let has_settled = self.seen == *versions;
        self.seen.clone_from(versions);
        has_settled && self.loaded != *versions
    }

    /// Notes that these versions have been loaded, whether they could be used or not.
    fn loaded(&mut self, versions: Versions) {
        self.loaded = versions;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_noticed_when_it_has_settled_and_once() {
        let versions = |number: u64| Versions::of_one(number);
        let mut watch = Watch::new(versions(1));
        let mut seen = Vec::new();
        for number in [1, 2, 3, 3, 3, 4, 4] {
            let has_changed = watch.has_changed(&versions(number));
            if has_changed {
                watch.loaded(versions(number));
            }
            seen.push(has_changed);
        }
        assert_eq!(seen, [false, false, false, true, false, false, true]);
    }
}
