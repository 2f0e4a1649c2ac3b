//! What a case is given.

use std::{any::Any, fmt, sync::Arc};

use latchkey_ports::Store;

/// A fresh store, and what has to live as long as it.
pub struct Fixture {
    /// The store, holding what [`latchkey_ports::fresh`] says and nothing else.
    pub store: Arc<dyn Store>,
    /// Dropped after the store: a folder or database that goes with it.
    pub guard: Option<Box<dyn Any + Send>>,
}

impl Fixture {
    /// A store that leaves nothing behind.
    #[must_use]
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store), guard: None }
    }

    /// The same with a guard, which removes what the store leaves behind when it is dropped.
    #[must_use]
    pub fn guarded_by(self, guard: impl Any + Send) -> Self {
        Self { guard: Some(Box::new(guard)), ..self }
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("guarded", &self.guard.is_some()).finish_non_exhaustive()
    }
}
