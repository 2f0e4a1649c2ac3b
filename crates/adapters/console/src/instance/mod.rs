//! The instance: its version, store, replicas, keys, tasks and settings.

mod keys;
mod show;

use std::sync::Arc;

use actix_web::web::{self, Data, ServiceConfig};

/// What only the program that serves the console knows of itself.
#[derive(Debug, Default)]
pub struct Instance {
    /// The name of the database system; empty if it is not known.
    pub store: &'static str,
    /// The settings in effect, in the order of their declaration.
    pub settings: Vec<Setting>,
}

/// A setting in effect.
#[derive(Debug)]
pub struct Setting {
    pub section: &'static str,
    pub name: &'static str,
    /// The value as it may be shown, with passwords masked.
    pub value: String,
    /// Where it comes from: `default`, a variable, a file or a flag.
    pub origin: String,
}

impl Setting {
    /// The origin of a value that nothing sets.
    const DEFAULT: &str = "default";

    fn is_default(&self) -> bool {
        self.origin == Self::DEFAULT
    }
}

pub(crate) fn configure(config: &mut ServiceConfig, instance: &Arc<Instance>) {
    config.app_data(Data::from(Arc::clone(instance))).route(path!("instance"), web::get().to(show::show));
}
