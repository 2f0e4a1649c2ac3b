//! The instance: its version, store, replicas, keys, tasks and settings.

mod configuration;
mod keys;
mod replicas;
mod show;
mod spans;

use std::sync::Arc;

use actix_web::web::{self, Data, ServiceConfig};

pub use self::configuration::{Instance, Setting};

pub(crate) fn configure(config: &mut ServiceConfig, instance: &Arc<Instance>) {
    config.app_data(Data::from(Arc::clone(instance))).route(path!("instance"), web::get().to(show::show));
}
