//! The fixed floor: an actix-web server that responds to every request with the same bytes.

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use clap::Parser;
use latchkey_bench::floor::{FloorFlags, ROUTE, answer};

/// Responds to every request with a fixed body.
#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    floor: FloorFlags,
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let Flags { floor } = Flags::parse();
    let body = floor.body()?;
    HttpServer::new(move || {
        let app = App::new().app_data(Data::new(body.clone())).route(ROUTE, web::get().to(list));
        // All other requests get the same response.
        app.default_service(web::to(other))
    })
    .workers(floor.workers()?)
    .bind(floor.listen)?
    .run()
    .await?;
    Ok(())
}

/// Reads the request body and discards it: actix-web closes a connection whose request body was not read.
async fn other(body: Data<Bytes>, _request_body: Bytes) -> HttpResponse {
    answer(&body)
}

async fn list(body: Data<Bytes>) -> HttpResponse {
    answer(&body)
}
