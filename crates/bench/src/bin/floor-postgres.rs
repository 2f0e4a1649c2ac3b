//! The query floor: an actix-web server that runs the store's one indexed query through plain tokio-postgres, then
//! responds with a fixed body.

use std::cell::Cell;

use actix_web::error::{ErrorInternalServerError, ErrorServiceUnavailable};
use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Context as _;
use clap::Parser;
use latchkey_bench::floor::{FloorFlags, ROUTE, TOKENS_OF_PROJECT, answer};
use tokio_postgres::{Client, NoTls, Statement};

/// The query that the store runs on its hot path.
const QUERY: &str = include_str!("../../sql/postgres_tokens_of_project.sql");

/// Reads the project's tokens from PostgreSQL, then responds with a fixed body.
#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    floor: FloorFlags,

    /// The URL of the database
    #[arg(long)]
    database_url: String,

    /// Database connections, divided among the workers
    #[arg(long, default_value_t = 10)]
    connections: usize,
}

/// A connection with its prepared query. Concurrent queries on one connection are pipelined.
struct Prepared {
    client: Client,
    query: Statement,
}

/// The connections of one worker, used round-robin.
struct Connections {
    all: Vec<Prepared>,
    next: Cell<usize>,
}

impl Connections {
    async fn open(url: String, count: usize) -> anyhow::Result<Self> {
        let mut all = Vec::new();
        for _ in 0..count {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
            // An error of the connection is returned by the client's next query.
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
    // Fail at startup if the database is unreachable: a worker that cannot connect only logs the error.
    Connections::open(database_url.clone(), 1).await.context("cannot connect to the database")?;
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
        return Err(ErrorInternalServerError("unexpected number of tokens"));
    }
    Ok(answer(&body))
}
