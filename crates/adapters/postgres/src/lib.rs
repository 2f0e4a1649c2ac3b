//! The store of a Latchkey deployment: diesel-async over PostgreSQL
