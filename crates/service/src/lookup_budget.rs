//! The budget of each client for lookups of secrets that turn out to be unknown.
//!
//! Without a limit, a client that sends a new guess with each request would cause a query for each. Each client, by its
//! network, has a budget of its own, so that one that guesses does not use up the capacity that the others need.
//!
//! Whether a lookup counts is known after it, so lookups of one client that run at the same moment can exceed the
//! budget by their number. Reserving it beforehand would refuse valid tokens when many come for the first time at once.

use std::{net::IpAddr, time::Duration};

use quick_cache::sync::{Cache, EntryAction, EntryResult};

use crate::client_network::client_network;

/// Clients whose spending is remembered. One that is forgotten begins its second anew, so a flood from more networks
/// than this is not limited per network; that many could not be limited by address in any case.
const MAX_CLIENTS: usize = 16_384;

/// What each client has left of the present second.
pub(crate) struct LookupBudget {
    per_second: u32,
    clients: Cache<Option<IpAddr>, Spent>,
}

/// What a client spent in one second.
#[derive(Debug, Clone, Copy)]
struct Spent {
    second: u64,
    lookups: u32,
}

impl LookupBudget {
    /// Returns a budget of so many lookups per second and client.
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second, clients: Cache::new(MAX_CLIENTS) }
    }

    /// Whether a secret of this client may be looked up now. Clients of unknown address share a budget.
    pub(crate) fn has_room(&self, client: Option<IpAddr>, now: Duration) -> bool {
        let spent = self.clients.get(&client.map(client_network));
        let lookups = spent.filter(|spent| spent.second == now.as_secs()).map_or(0, |spent| spent.lookups);
        lookups < self.per_second
    }

    /// Records that a secret of this client was unknown.
    pub(crate) fn spend(&self, client: Option<IpAddr>, now: Duration) {
        let second = now.as_secs();
        let count = |_: &Option<IpAddr>, spent: &mut Spent| {
            let before = if spent.second == second { spent.lookups } else { 0 };
            *spent = Spent { second, lookups: before.saturating_add(1) };
            EntryAction::Retain(())
        };
        if let EntryResult::Vacant(vacant) = self.clients.entry(&client.map(client_network), None, count) {
            // Refused only for a client that was forgotten in the meantime.
            vacant.insert(Spent { second, lookups: 1 }).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u32 = 3;

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn a_budget_lasts_for_a_second() {
        let budget = LookupBudget::new(MAX);
        let now = Duration::from_millis(7_900);
        for _ in 0..MAX {
            assert!(budget.has_room(None, now));
            budget.spend(None, now);
        }
        assert!(!budget.has_room(None, now));
        assert!(budget.has_room(None, Duration::from_secs(8)));
        budget.spend(None, Duration::from_secs(8));
        assert!(budget.has_room(None, Duration::from_secs(8)));
    }

    #[test]
    fn each_client_has_a_budget_of_its_own() {
        let budget = LookupBudget::new(MAX);
        for host in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
            budget.spend(address(host), Duration::ZERO);
        }
        assert!(!budget.has_room(address("2001:db8::4"), Duration::ZERO), "the same /64");
        for other in [address("2001:db8:0:1::1"), address("192.0.2.7"), None] {
            assert!(budget.has_room(other, Duration::ZERO), "{other:?}");
        }
    }

    #[test]
    fn a_flood_from_many_networks_takes_bounded_memory() {
        let budget = LookupBudget::new(MAX);
        for network in 0..10 * u32::try_from(MAX_CLIENTS).expect("few") {
            budget.spend(Some(IpAddr::from(network.to_be_bytes())), Duration::ZERO);
        }
        assert!(budget.clients.len() <= MAX_CLIENTS);
    }
}
