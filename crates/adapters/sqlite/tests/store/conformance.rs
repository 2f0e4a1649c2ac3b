//! The store passes the suite that says what a store is: in a file, and in memory.

mod in_a_file {
    use std::future::{Ready, ready};

    use latchkey_sqlite::{Location, SqliteSettings, SqliteStore};
    use latchkey_storage_conformance::Fixture;

    fn fixture() -> Ready<Fixture> {
        let folder = tempfile::tempdir().expect("a folder");
        let location = Location::File(folder.path().join("latchkey.db"));
        let settings = SqliteSettings { location, ..SqliteSettings::default() };
        let store = SqliteStore::open(settings).expect("opens");
        store.migrate().expect("migrates");
        ready(Fixture::new(store).guarded_by(folder))
    }

    latchkey_storage_conformance::suite!(fixture);
}

mod in_memory {
    use std::future::{Ready, ready};

    use latchkey_sqlite::{Location, SqliteSettings, SqliteStore};
    use latchkey_storage_conformance::Fixture;

    fn fixture() -> Ready<Fixture> {
        let settings = SqliteSettings { location: Location::Memory, ..SqliteSettings::default() };
        let store = SqliteStore::open(settings).expect("opens");
        store.migrate().expect("migrates");
        ready(Fixture::new(store))
    }

    latchkey_storage_conformance::suite!(fixture);
}
