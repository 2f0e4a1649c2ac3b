//! The connection, and one snapshot of the database.

use std::{
    collections::{BTreeSet, HashSet},
    iter,
    pin::pin,
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt};
use latchkey_domain::Timestamp;
use latchkey_ports::{Finding, Incoming, IncomingEvent, IncomingToken, RowKind};
use tokio::sync::mpsc;
use tokio_postgres::{Client, Error, Row, RowStream};

use crate::{
    error::{UnleashError, forbidden},
    event_records::{EventCount, EventRecord, OtherEvents},
    events,
    groups::GroupRows,
    holdings::EditorChoice,
    layout::{COLUMNS, INDEXES, Layout, search_path},
    people::{self, Everyone, People},
    places::{self, Places},
    records::{
        EnvironmentRecord, LostEnvironment, PersonalTokenRecord, ProjectRecord, Record, SettingRecord,
    },
    token_records::{SecretTokenRecord, SelectorTokenRecord},
    tokens::{self, OrphanChoice, Presented},
};

/// How many API tokens are sorted at most: before more of them, the reader would wait for the sort.
const SORTED_TOKENS: u64 = 100_000;
/// How many API tokens, and how many events, are read at once.
const ROWS_AT_ONCE: usize = 10_000;

/// An open snapshot of an Unleash database. What the server writes from now on is not in it. It ends when it is dropped.
pub struct UnleashDatabase {
    client: Client,
    layout: Layout,
    now: Timestamp,
    tokens: u64,
    hidden_secrets: u64,
    /// What is being read.
    reading: Option<(Reading, Portions)>,
    /// What was read.
    done: BTreeSet<Reading>,
    places: Places,
    /// The events that were left out because they are too old.
    old_events: u64,
}

type Portions = mpsc::Receiver<Result<Vec<Row>, Error>>;

/// What tokens and events are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reading {
    Incoming,
    IncomingSecondForm,
    Presented,
    Events,
}

/// Everything but API tokens, with what was decided about it.
pub struct Snapshot {
    pub incoming: Incoming,
    pub findings: Vec<Finding>,
}

/// Some of the events.
pub struct EventPortion {
    /// How many rows were read.
    pub rows: usize,
    pub events: Vec<IncomingEvent>,
    /// What was decided about them.
    pub findings: Vec<Finding>,
}

impl UnleashDatabase {
    /// Begins a snapshot of this schema.
    ///
    /// # Errors
    /// [`UnleashError`].
    pub async fn open(client: Client, schema: &str) -> Result<Self, UnleashError> {
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}; \
             SET LOCAL statement_timeout = 0; SET LOCAL jit = off; SET LOCAL work_mem = '64MB'",
            search_path(schema)
        );
        client.batch_execute(&begin).await?;
        let layout = columns_of(&client, schema).await?;
        let of_second_form =
            layout.or(("api_tokens_v2", "selector"), "(SELECT count(*) FROM api_tokens_v2)", "0::bigint");
        let personal = layout.or(
            ("personal_access_tokens", "verifier"),
            "(SELECT count(*) FROM personal_access_tokens WHERE secret IS NULL)",
            "0::bigint",
        );
        let sizes = format!(
            "SELECT (extract(epoch FROM now()) * 1000)::bigint, (SELECT count(*) FROM api_tokens), {of_second_form}, {personal}"
        );
        let sizes = client.query_one(&sizes, &[]).await.map_err(forbidden)?;
        let number = |place: usize| sizes.try_get::<_, i64>(place);
        let (of_first_form, of_second_form) = (number(1)?.unsigned_abs(), number(2)?.unsigned_abs());
        Ok(Self {
            client,
            layout,
            now: Timestamp::saturating_from_millis(number(0)?),
            tokens: of_first_form + of_second_form,
            hidden_secrets: of_second_form + number(3)?.unsigned_abs(),
            reading: None,
            done: BTreeSet::new(),
            places: Places::default(),
            old_events: 0,
        })
    }

    /// Returns the version of the server, as far as the columns show it, for people.
    pub fn version(&self) -> &'static str {
        self.layout.version()
    }

    /// Returns the number of API tokens.
    pub fn token_count(&self) -> u64 {
        self.tokens
    }

    /// Returns the number of API tokens and personal access tokens of the second form, whose secrets the database does not
    /// have.
    pub fn hidden_secrets(&self) -> u64 {
        self.hidden_secrets
    }

    /// Returns everything but API tokens.
    ///
    /// # Errors
    /// [`UnleashError::EditorUndecided`]; the others.
    pub async fn read(&mut self, editor: Option<EditorChoice>) -> Result<Snapshot, UnleashError> {
        let mut findings = Vec::new();
        let environments: Vec<EnvironmentRecord> = self.all().await?;
        let lost: Vec<LostEnvironment> = self.all().await?;
        let environments = places::environments(environments, lost, &mut findings);
        let projects: Vec<ProjectRecord> = self.all().await?;
        let projects = places::projects(projects, &environments, self.now, &mut findings);
        self.places = Places {
            projects: projects.iter().map(|(one, _)| (one.id.as_str().to_owned(), one.id.clone())).collect(),
            environments: environments.iter().map(|one| one.name.clone()).collect(),
        };
        let people = People {
            roles: self.all().await?,
            users: self.all().await?,
            held: self.all().await?,
            groups: GroupRows {
                groups: self.all().await?,
                members: self.all().await?,
                roles: self.all().await?,
            },
            personal_tokens: self.all().await?,
        };
        let Everyone { roles, users, groups } =
            people::people(people, &self.places, editor, self.now, &mut findings)?;
        for setting in self.all::<SettingRecord>().await? {
            findings.extend(places::setting(&setting));
        }
        Ok(Snapshot { incoming: Incoming { environments, projects, roles, users, groups }, findings })
    }

    /// Returns the next API tokens, those of the second form at last and each form by creation unless they are many, and what was
    /// decided about them; `None` at the end. To be called after [`UnleashDatabase::read`], because tokens are scoped to what came.
    ///
    /// # Errors
    /// [`UnleashError`].
    pub async fn next_tokens(
        &mut self,
        orphans: &OrphanChoice,
    ) -> Result<Option<(Vec<IncomingToken>, Vec<Finding>)>, UnleashError> {
        let records: Vec<SecretTokenRecord> = self.next_records(Reading::Incoming).await?;
        let mut of_second_form: Vec<SelectorTokenRecord> = Vec::new();
        if records.is_empty() {
            of_second_form = self.next_records(Reading::IncomingSecondForm).await?;
        }
        let (places, now, mut findings) = (&self.places, self.now, Vec::new());
        let mut incoming = Vec::with_capacity(records.len() + of_second_form.len());
        let is_end = records.is_empty() && of_second_form.is_empty();
        for record in records {
            incoming.extend(tokens::token(&record, places, orphans, now, &mut findings));
        }
        for record in of_second_form {
            incoming.extend(tokens::selector_token(&record, places, orphans, now, &mut findings));
        }
        Ok((!is_end).then_some((incoming, findings)))
    }

    /// Returns the next API tokens of the first form as clients present them: their secrets and aliases, whatever was decided
    /// about them; `None` at the end.
    ///
    /// # Errors
    /// [`UnleashError`].
    pub async fn next_presented(&mut self) -> Result<Option<Vec<Presented>>, UnleashError> {
        let records: Vec<SecretTokenRecord> = self.next_records(Reading::Presented).await?;
        let presented = || records.iter().flat_map(|record| tokens::presented(record, self.now)).collect();
        Ok((!records.is_empty()).then(presented))
    }

    /// Returns the personal access tokens of the first form as their users present them.
    ///
    /// # Errors
    /// [`UnleashError`].
    pub async fn presented_personal_tokens(&self) -> Result<Vec<Presented>, UnleashError> {
        let records: Vec<PersonalTokenRecord> = self.all().await?;
        Ok(records.into_iter().filter_map(people::presented).collect())
    }

    /// Returns the number of events of the kinds that there are here.
    ///
    /// # Errors
    /// [`UnleashError`].
    pub async fn event_count(&self) -> Result<u64, UnleashError> {
        let counted: Vec<EventCount> = self.all().await?;
        Ok(counted.first().map_or(0, |EventCount(count)| *count))
    }

    /// Returns the next events of the kinds that there are here, by number; `None` at the end. Those that are older than
    /// `retention` are left out.
    ///
    /// # Errors
    /// [`UnleashError`].
    pub async fn next_events(
        &mut self,
        retention: Option<Duration>,
    ) -> Result<Option<EventPortion>, UnleashError> {
        let records: Vec<EventRecord> = self.next_records(Reading::Events).await?;
        if records.is_empty() {
            return Ok(None);
        }
        let since = retention.and_then(|span| self.now.minus(span).ok());
        let (rows, mut events, mut findings) = (records.len(), Vec::with_capacity(records.len()), Vec::new());
        for record in records {
            if since.is_some_and(|since| record.created.is_some_and(|at| places::time(at) < since)) {
                self.old_events += 1;
            } else {
                events.extend(events::event(record, self.now, &mut findings));
            }
        }
        Ok(Some(EventPortion { rows, events, findings }))
    }

    /// Returns what was decided about events that were not returned. To be called after the last of them.
    ///
    /// # Errors
    /// [`UnleashError`].
    pub async fn other_events(&self) -> Result<Vec<Finding>, UnleashError> {
        let others: Vec<OtherEvents> = self.all().await?;
        let mut findings: Vec<Finding> = others.into_iter().map(events::others).collect();
        if self.old_events > 0 {
            let why = format!("{} events are older than audit.retention", self.old_events);
            findings.push(Finding::left_out(RowKind::Event, "old events", why));
        }
        Ok(findings)
    }

    /// Reads the next records; none at the end. Until then, nothing else can be read.
    async fn next_records<R: Record>(&mut self, of: Reading) -> Result<Vec<R>, UnleashError> {
        if self.done.contains(&of) {
            return Ok(Vec::new());
        }
        if self.reading.as_ref().is_none_or(|(other, _)| *other != of) {
            let Some(mut select) = R::select(&self.layout) else { return Ok(Vec::new()) };
            if self.tokens <= SORTED_TOKENS {
                select.push_str(R::ORDER);
            }
            let rows = self.client.query_raw(&select, iter::empty::<i32>()).await.map_err(forbidden)?;
            self.reading = Some((of, read_ahead(rows)));
        }
        let Some((_, portions)) = &mut self.reading else { return Ok(Vec::new()) };
        let Some(rows) = portions.recv().await else {
            self.reading = None;
            self.done.insert(of);
            return Ok(Vec::new());
        };
        Ok(rows.map_err(forbidden)?.iter().map(R::read).collect::<Result<_, _>>()?)
    }

    /// Reads all records of a kind.
    async fn all<R: Record>(&self) -> Result<Vec<R>, UnleashError> {
        let Some(select) = R::select(&self.layout) else { return Ok(Vec::new()) };
        let rows = self.client.query(&select, &[]).await.map_err(forbidden)?;
        Ok(rows.iter().map(R::read).collect::<Result<_, _>>()?)
    }
}

/// Reads rows in portions, the next one while its predecessor is worked on.
fn read_ahead(rows: RowStream) -> Portions {
    let (send, portions) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut read = pin!(rows.try_chunks(ROWS_AT_ONCE));
        while let Some(portion) = read.next().await {
            if send.send(portion.map_err(|error| error.1)).await.is_err() {
                // The receiver is gone: the rest is not wanted.
                break;
            }
        }
    });
    portions
}

/// Reads which columns and indexes the schema has.
pub(crate) async fn columns_of(client: &Client, schema: &str) -> Result<Layout, UnleashError> {
    let pairs = async |statement: &str| -> Result<HashSet<(String, String)>, Error> {
        let rows = client.query(statement, &[&schema]).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    };
    Ok(Layout::new(pairs(COLUMNS).await?, schema)?.with_indexes(pairs(INDEXES).await?))
}
