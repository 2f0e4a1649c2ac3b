//! The embedded store of Latchkey: diesel over a bundled SQLite
