//! What is done to the machines, and when each fault began and ended.

use std::time::Duration;

use latchkey_testkit::{
    process::Signal,
    wait::{try_until, until, until_true},
};

use crate::{
    load::{Act, Load},
    site::{REPLICAS, Replica, Site},
};

/// A fault of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An operator makes another node the primary.
    Switchover,
    /// The primary's machine loses its power.
    PrimaryDies,
    /// The primary's machine is starved of time until its watchdog resets it.
    PrimaryFreezes,
    /// Two of three etcd members end.
    EtcdLosesMajority,
    /// The machine of the synchronous standby loses its power.
    SynchronousStandbyDies,
    /// The way of one replica to the database ends.
    ReplicaIsCutOff,
    /// The way of one replica to the database is silent: connections stay open.
    ProxyIsSilent,
    /// The primary's machine, which has no watchdog, is paused until another one is the primary, and then goes on.
    PrimaryWakes,
}

/// All from which `deploy/ha` protects.
pub(crate) const ALL: [Fault; 7] = [
    Fault::Switchover,
    Fault::PrimaryDies,
    Fault::PrimaryFreezes,
    Fault::EtcdLosesMajority,
    Fault::SynchronousStandbyDies,
    Fault::ReplicaIsCutOff,
    Fault::ProxyIsSilent,
];

/// The interval at which a listening replica polls: its knowledge may be that old when its database goes away.
pub(crate) const POLLING: Duration = Duration::from_millis(1_250);
/// How long a fault lasts that does not end by itself: longer than `verify.max_staleness` and than Patroni's lease.
const CUT_OFF: Duration = Duration::from_secs(9);
const WITHOUT_ETCD: Duration = Duration::from_secs(25);
/// `ttl` less the watchdog's `safety_margin`: a machine that reported its lease just before it froze is reset then.
const WATCHDOG: Duration = Duration::from_secs(15);
/// How long a primary stays frozen after another one was promoted, and how long it is watched after it woke.
const FROZEN_ON: Duration = Duration::from_secs(3);
const AFTER_WAKING: Duration = Duration::from_secs(10);

/// A fault that is over.
#[derive(Debug, Clone)]
pub(crate) struct Outage {
    pub(crate) fault: Fault,
    pub(crate) began: Duration,
    /// The node that became the primary.
    pub(crate) new_primary: Option<NewPrimary>,
    /// When everything was as before, and each replica had written again.
    pub(crate) ended: Duration,
}

/// How soon another node was the primary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewPrimary {
    /// When it had been promoted.
    pub(crate) promoted: Duration,
    /// When its database acknowledged a first commit, of a transaction without Latchkey.
    pub(crate) committed: Duration,
}

impl Fault {
    /// Lets it happen, and waits until everything is as before.
    pub(crate) fn happen(self, site: &mut Site, load: &Load) -> Outage {
        let began = load.now();
        let mut new_primary = None;
        match self {
            Self::Switchover => {
                let (from, to) = (primary(site), site.synchronous_standby());
                site.switch_over(from, to);
                new_primary = Some(other_primary(site, load, from));
            }
            Self::PrimaryDies => {
                let node = primary(site);
                site.kill_node(node);
                new_primary = Some(other_primary(site, load, node));
                all_write(load, load.now());
                site.start_node(node);
            }
            Self::PrimaryFreezes => {
                let node = primary(site);
                site.freeze_node(node);
                load.run_for(WATCHDOG);
                site.kill_node(node);
                new_primary = Some(other_primary(site, load, node));
                all_write(load, load.now());
                site.start_node(node);
            }
            Self::PrimaryWakes => {
                let node = primary(site);
                site.freeze_node(node);
                new_primary = Some(other_primary(site, load, node));
                load.run_for(FROZEN_ON);
                site.thaw_node(node);
                load.run_for(AFTER_WAKING);
            }
            Self::EtcdLosesMajority => {
                for node in [0, 1] {
                    site.kill_etcd(node);
                }
                load.run_for(WITHOUT_ETCD);
                for node in [0, 1] {
                    site.start_etcd(node);
                }
            }
            Self::SynchronousStandbyDies => {
                let node = site.synchronous_standby();
                site.kill_node(node);
                all_write(load, load.now());
                site.start_node(node);
            }
            Self::ReplicaIsCutOff => {
                site.kill_proxy();
                load.run_for(CUT_OFF);
                site.start_proxy();
            }
            Self::ProxyIsSilent => {
                site.signal_proxy(Signal::STOP);
                load.run_for(CUT_OFF);
                site.signal_proxy(Signal::CONT);
            }
        }
        all_write(load, load.now());
        site.wait_until_whole();
        // Or the next fault would find a replica that has not asked yet what changed during this one.
        all_current(site);
        Outage { fault: self, began, new_primary, ended: load.now() }
    }

    /// Whether a replica cannot reach its database meanwhile.
    pub(crate) fn cuts_off(self, replica: Replica) -> bool {
        match self {
            Self::Switchover | Self::PrimaryDies | Self::PrimaryFreezes | Self::PrimaryWakes => true,
            Self::ReplicaIsCutOff | Self::ProxyIsSilent => replica == Replica::Proxied,
            Self::EtcdLosesMajority | Self::SynchronousStandbyDies => false,
        }
    }
}

fn primary(site: &Site) -> usize {
    until("a primary", || site.primary())
}

/// Waits for another primary, for two minutes at most.
fn other_primary(site: &Site, load: &Load, than: usize) -> NewPrimary {
    let other = || site.primary().filter(|&node| node != than && site.accepts_writes(node));
    let node = (0..4).find_map(|_| try_until(other)).expect("another primary");
    let promoted = load.now();
    site.commit(node);
    NewPrimary { promoted, committed: load.now() }
}

/// Waits until each replica has written something after that time, for two minutes at most: a primary of a lower timeline
/// is used when the newer one has not answered for a minute.
fn all_write(load: &Load, after: Duration) {
    for (number, replica) in REPLICAS.iter().enumerate() {
        let has_written = || load.has_succeeded(Act::Create, number, after).then_some(());
        let writes = (0..4).any(|_| try_until(has_written).is_some());
        assert!(writes, "{replica:?} does not write again");
    }
}

/// Waits until no replica's knowledge of changes is older than it is while its database answers.
fn all_current(site: &Site) {
    for (server, replica) in site.replicas.iter().zip(REPLICAS) {
        let is_current = || server.metric("latchkey_feed_age_seconds") <= POLLING.as_secs_f64();
        until_true(&format!("{replica:?} knows all changes"), is_current);
    }
}
