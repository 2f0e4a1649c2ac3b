//! The first floor: actix-web responds with the same bytes to every request.

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use clap::Parser;
use latchkey_bench::floor::{FloorFlags, ROUTE, answer};

/// Answers a fixed body.
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
        app.default_service(web::to(asked))
    })
    .workers(floor.workers()?)
    .bind(floor.listen)?
    .run()
    .await?;
    Ok(())
}

/// Reads the request body: unread, it would cost the client its connection.
async fn asked(body: Data<Bytes>, _sent: Bytes) -> HttpResponse {
    answer(&body)
}

async fn list(body: Data<Bytes>) -> HttpResponse {
    answer(&body)
}
