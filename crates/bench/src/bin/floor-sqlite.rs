//! The diesel floor: an actix-web server that runs the store's one indexed query through plain diesel on a blocking
//! thread, then responds with a fixed body.

use actix_web::error::{ErrorInternalServerError, ErrorServiceUnavailable};
use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{App, HttpResponse, HttpServer};
use clap::Parser;
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error, Pool};
use latchkey_bench::floor::{FloorFlags, ROUTE, TOKENS_OF_PROJECT, answer};
use latchkey_bench::sqlite_query::count_tokens_of_project;

type Connections = Pool<ConnectionManager<SqliteConnection>>;

/// Reads the project's tokens from SQLite, then responds with a fixed body.
#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    floor: FloorFlags,

    /// The path of the database file
    #[arg(long)]
    database_url: String,

    /// Connections in the pool
    #[arg(long, default_value_t = 4)]
    connections: u32,
}

/// Sets `busy_timeout` on every connection, so that a query waits for a writer instead of failing.
#[derive(Debug)]
struct BusyTimeout;

impl CustomizeConnection<SqliteConnection, Error> for BusyTimeout {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), Error> {
        connection.batch_execute("PRAGMA busy_timeout = 5000").map_err(Error::QueryError)
    }
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let Flags { floor, database_url, connections } = Flags::parse();
    let body = floor.body()?;
    let pool = Pool::builder()
        .max_size(connections)
        .connection_customizer(Box::new(BusyTimeout))
        .build(ConnectionManager::<SqliteConnection>::new(database_url))?;
    HttpServer::new(move || {
        App::new()
            .app_data(Data::new(body.clone()))
            .app_data(Data::new(pool.clone()))
            .route(ROUTE, web::get().to(list))
    })
    .workers(floor.workers()?)
    .bind(floor.listen)?
    .run()
    .await?;
    Ok(())
}

async fn list(
    project: Path<String>,
    pool: Data<Connections>,
    body: Data<Bytes>,
) -> actix_web::Result<HttpResponse> {
    let found = web::block(move || -> anyhow::Result<usize> {
        let mut connection = pool.get()?;
        Ok(count_tokens_of_project(&mut connection, &project)?)
    })
    .await?
    .map_err(ErrorServiceUnavailable)?;
    if found != TOKENS_OF_PROJECT {
        return Err(ErrorInternalServerError("unexpected number of tokens"));
    }
    Ok(answer(&body))
}
