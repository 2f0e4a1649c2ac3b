//! The second floor: the same, after the one indexed query by bare tokio-postgres.

use std::cell::Cell;

use actix_web::error::{ErrorInternalServerError, ErrorServiceUnavailable};
use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Context as _;
use clap::Parser;
use latchkey_bench::floor::{FloorFlags, ROUTE, TOKENS_OF_PROJECT, answer};
use tokio_postgres::{Client, NoTls, Statement};

/// What the store asks on its hot path.
const QUERY: &str = include_str!("../../sql/postgres_tokens_of_project.sql");

/// Asks Postgres for the project's tokens, then answers a fixed body.
#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    floor: FloorFlags,

    /// The database
    #[arg(long)]
    database_url: String,

    /// Connections, shared out among the workers
    #[arg(long, default_value_t = 10)]
    connections: usize,
}

/// One connection, with the query prepared on it. Requests that meet on it are pipelined.
struct Prepared {
    client: Client,
    query: Statement,
}

/// The connections of one worker, used in turns.
struct Connections {
    all: Vec<Prepared>,
    next: Cell<usize>,
}

impl Connections {
    async fn open(url: String, count: usize) -> anyhow::Result<Self> {
        let mut all = Vec::new();
        for _ in 0..count {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
            // What breaks the connection is reported to the client's next request.
            actix_web::rt::spawn(connection);
            let query = client.prepare(QUERY).await?;
            all.push(Prepared { client, query });
        }
        Ok(Self { all, next: Cell::new(0) })
    }

    fn take(&self) -> Option<&Prepared> {
        let turn = self.next.get();
        self.next.set(turn.wrapping_add(1));
        self.all.get(turn.checked_rem(self.all.len())?)
    }
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let Flags { floor, database_url, connections } = Flags::parse();
    let (body, workers) = (floor.body()?, floor.workers()?);
    let share = connections.div_ceil(workers).max(1);
    // A worker that fails to connect would only be a line in a log.
    Connections::open(database_url.clone(), 1).await.context("cannot ask the database")?;
    HttpServer::new(move || {
        let url = database_url.clone();
        App::new()
            .app_data(Data::new(body.clone()))
            .data_factory(move || Connections::open(url.clone(), share))
            .route(ROUTE, web::get().to(list))
    })
    .workers(workers)
    .bind(floor.listen)?
    .run()
    .await?;
    Ok(())
}

async fn list(
    project: Path<String>,
    connections: Data<Connections>,
    body: Data<Bytes>,
) -> actix_web::Result<HttpResponse> {
    let Prepared { client, query } =
        connections.take().ok_or_else(|| ErrorServiceUnavailable("no connection"))?;
    let rows = client.query(query, &[&*project]).await.map_err(ErrorServiceUnavailable)?;
    if rows.len() != TOKENS_OF_PROJECT {
        return Err(ErrorInternalServerError("another number of tokens"));
    }
    Ok(answer(&body))
}
