//! High availability as `docs/operate/high-availability.md` describes it, from the very files of `deploy/ha`: three
//! database nodes with etcd and Patroni, HAProxy, three replicas of Latchkey, and clients that create, revoke, verify and
//! list throughout, while one part after the other fails.
//!
//! `settings` reads the files, `site` runs the programs and `probe` asks them, `faults` breaks them, `load` is the clients, `judge`
//! compares what the clients saw with the promises. `webhooks` is a test of its own. The test takes minutes and the whole machine: `just ha` goes three times through all faults, with the bounds of the
//! promises, and ends with a frozen primary that no watchdog resets. Without `LATCHKEY_HA_ROUNDS` it goes through a short list, with bounds for a busy machine; `./test`
//! does that last.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod load;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod site;
#[cfg(test)]
mod webhooks;

#[cfg(test)]
mod tests {
    use crate::{
        faults::{ALL, Fault},
        judge::{Bounds, Verdict},
        load::Load,
        site::Site,
    };

    /// What is tried where there is little time: a node that dies, and one that is replaced.
    const SHORT: [Fault; 2] = [Fault::Switchover, Fault::PrimaryDies];

    #[test]
    #[ignore = "a dozen programs that need the machine for themselves: ./test runs it last, just ha at length"]
    fn failures_lose_nothing_that_was_acknowledged() {
        let rounds =
            std::env::var("LATCHKEY_HA_ROUNDS").ok().map(|rounds| rounds.parse::<u32>().expect("a number"));
        let (faults, bounds) = match rounds {
            None => (SHORT.to_vec(), Bounds::of_a_busy_machine()),
            Some(rounds) => (ALL.repeat(usize::try_from(rounds).expect("small")), Bounds::promised()),
        };
        let mut site = Site::start();
        let load = Load::start(&site, "promised");
        let mut verdict = Verdict::new(bounds);
        for fault in faults {
            let outage = fault.happen(&mut site, &load);
            verdict.add(&outage, &load);
        }
        let seen = load.stop();
        verdict.check_database(&site, &seen);
        verdict.assert_kept();
        if rounds.is_some() {
            without_a_watchdog(&mut site, bounds);
        }
    }

    /// Patroni may make the woken primary the primary again, which loses changes before Latchkey can know. So this fails
    /// only if a replica does not write again without a restart; what else was seen is printed.
    fn without_a_watchdog(site: &mut Site, bounds: Bounds) {
        let load = Load::start(site, "woken");
        let outage = Fault::PrimaryWakes.happen(site, &load);
        let mut verdict = Verdict::new(bounds);
        verdict.add(&outage, &load);
        verdict.check_database(site, &load.stop());
        verdict.print();
    }
}
