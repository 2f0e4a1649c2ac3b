//! SQLite's floor: actix-web answers a fixed body after the one indexed query by bare diesel, on a blocking thread.

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

/// Asks SQLite for the project's tokens, then answers a fixed body.
#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    floor: FloorFlags,

    /// The database: a path
    #[arg(long)]
    database_url: String,

    /// Connections in the pool
    #[arg(long, default_value_t = 4)]
    connections: u32,
}

/// Makes every connection wait for a writer in place of failing.
#[derive(Debug)]
struct Patient;

impl CustomizeConnection<SqliteConnection, Error> for Patient {
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
        .connection_customizer(Box::new(Patient))
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
        return Err(ErrorInternalServerError("another number of tokens"));
    }
    Ok(answer(&body))
}
