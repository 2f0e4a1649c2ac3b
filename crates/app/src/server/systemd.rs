//! The service manager (systemd): sockets that it passes on, and what it is told about the state of the server.
//!
//! Its protocols are `sd_listen_fds(3)` and `sd_notify(3)`. Without a service manager, nothing here has an effect.

use std::{env, time::Duration};

use anyhow::{Context as _, bail};
use latchkey_ports::ErrorChain;
use listenfd::ListenFd;
use sd_notify::NotifyState;

use super::listener::{BoundSocket, Setting};
use crate::clock::ticks;

/// `FileDescriptorName=` of the socket that serves verification only.
const VERIFY: &str = "verify";

/// The sockets that the service manager passed on.
#[derive(Debug, Default)]
pub(crate) struct PassedSockets {
    /// In place of `server.listen`.
    pub(crate) main: Option<BoundSocket>,
    /// In place of `server.verify_listen`.
    pub(crate) verify: Option<BoundSocket>,
}

impl PassedSockets {
    /// Takes the sockets. It changes the environment of the process, so no other thread may run yet.
    ///
    /// # Errors
    /// If one of them is not a socket that a server listens on, or if there are several for the same purpose.
    pub(crate) fn take() -> anyhow::Result<Self> {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut passed = ListenFd::from_env();
        let mut sockets = Self::default();
        for (index, name) in (0..passed.len()).zip(names.split(':').chain(std::iter::repeat(""))) {
            let failed = || format!("socket {} of the service manager cannot be used", index + 1);
            let setting = if name == VERIFY { Setting::VerifyListen } else { Setting::Listen };
            let socket = if let Ok(Some(tcp)) = passed.take_tcp_listener(index) {
                BoundSocket::of_tcp(tcp, setting).with_context(failed)?
            } else {
                let unix = passed.take_unix_listener(index).with_context(failed)?;
                BoundSocket::of_unix(unix.with_context(failed)?, setting).with_context(failed)?
            };
            let place =
                if setting == Setting::VerifyListen { &mut sockets.verify } else { &mut sockets.main };
            if place.replace(socket).is_some() {
                bail!(
                    "the service manager passes several sockets for the same purpose: pass one, and one with \
                     FileDescriptorName={VERIFY} for verification only"
                );
            }
        }
        Ok(sockets)
    }
}

/// Tells the service manager that the server answers requests.
pub(crate) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// Tells the service manager that the server shuts down.
pub(crate) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Tells the service manager that the server reloads its files; [`ready`] says when that has ended.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager could not be told of the reload"),
    }
}

/// Tells the service manager that the server is alive, twice as often as it demands. Returns at once if it demands nothing.
pub(crate) async fn keep_alive() {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| *limit > Duration::ZERO) else { return };
    let mut ticks = ticks(limit / 2);
    loop {
        ticks.tick().await;
        notify(&[NotifyState::Watchdog]);
    }
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(error = %ErrorChain(&error), "the service manager could not be told the state of the server");
    }
}
