//! Asks a Spark over Spark Connect.

use std::fmt;
use std::io::Cursor;
use std::time::{Duration, Instant};

use polars::prelude::{DataFrame, IpcStreamReader, Schema, SerReader};
use secrecy::{ExposeSecret, SecretString};
use spark_connect_core::channel::{PARAM_TOKEN, PARAM_USER_AGENT, PARAM_USER_ID};
use spark_connect_core::retries::RetryPolicy;
use spark_connect_core::{ChannelBuilder, SparkConnectClient, SparkError};
use spark_connect_proto::execute_plan_response::{ArrowBatch, ResponseType};
use spark_connect_proto::{
    Command, ExecutePlanRequest, Plan, Relation, Sql, SqlCommand, UserContext, command, plan, relation,
};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::answers::require_exact;
use super::script::{SESSION_SETTINGS, written};
use super::{SqlAudit, SqlError, Statement};
use crate::parquet::file::catch_panics;

/// How often what failed on the way is tried again. By itself the client would try for an hour.
const RETRIES: RetryPolicy = RetryPolicy {
    max_retries: Some(4),
    initial_backoff_ms: 500,
    max_backoff_ms: Some(8_000),
    backoff_multiplier: 2.0,
    jitter_ms: 0,
    min_jitter_threshold_ms: 0,
    recognize_server_retry_delay: false,
    max_server_retry_delay_ms: None,
    max_retry_exception_elapsed_time_ms: Some(60_000),
};
/// How long ending a session may take: nothing is lost without it, the server ends it later.
const FAREWELL: Duration = Duration::from_secs(2);
/// What is wrong with an address that can't be read. What it is may not be told: it may hold a token.
const ADDRESS: &str = "give an address such as sc://HOST:15002, or sc://HOST:15002/;use_ssl=true";
/// The most characters of what Spark says of an error that are shown.
const SHOWN: usize = 400;

/// Where a Spark is, and how long it may take.
#[derive(Clone, Debug)]
pub struct Spark {
    /// Its address, such as `sc://host:15002/;use_ssl=true`.
    pub remote: String,
    /// What it knows us by.
    pub token: Option<SecretString>,
    /// How long all answers together may take.
    pub deadline: Duration,
}

/// A session that is ready to answer.
pub struct Session {
    runtime: Runtime,
    client: SparkConnectClient,
    remote: String,
    ends: Instant,
    deadline: Duration,
    statements: Vec<(Statement, String)>,
}

impl Session {
    /// Begins a session that calculates as it must, and prepares the audit of the dataset at an address.
    ///
    /// # Errors
    /// When the Spark can't be reached, does not calculate as it must, or does not accept what it is asked.
    pub fn begin(spark: &Spark, sql: &SqlAudit<'_>, dataset: &str) -> Result<Self, SqlError> {
        let views = written(dataset)?;
        let channel = channel(spark).map_err(|problem| SqlError::Remote { problem })?;
        // Without its parameters: one of them may be a secret.
        let remote = format!("sc://{}", channel.endpoint());
        let unusable = |problem: String| SqlError::Spark { remote: remote.clone(), problem };
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| unusable(format!("no thread can be started ({error})")))?;
        let connected = runtime.block_on(SparkConnectClient::connect(&channel));
        let mut client = connected.map_err(|_| SqlError::Remote { problem: ADDRESS.to_owned() })?;
        client.set_retry_policy(RETRIES);
        let statements = Statement::ALL.into_iter().filter_map(|asked| Some((asked, sql.statement(asked, "")?)));
        let session = Self {
            runtime,
            client,
            remote: remote.clone(),
            ends: Instant::now()
                .checked_add(spark.deadline)
                .ok_or_else(|| unusable("the deadline is too far away".to_owned()))?,
            deadline: spark.deadline,
            statements: statements.collect(),
        };
        session.settle()?;
        for (name, view) in views {
            session.run(&format!("CREATE OR REPLACE TEMPORARY VIEW {name} {view}"))?;
        }
        for (name, select) in sql.views() {
            session.run(&format!("CREATE OR REPLACE TEMPORARY VIEW {name} AS\n{select}"))?;
        }
        Ok(session)
    }

    /// Makes the session calculate as it must, and makes sure that it does.
    fn settle(&self) -> Result<(), SqlError> {
        for (name, value) in SESSION_SETTINGS {
            self.wait(self.client.set_config(name, value))?;
        }
        let names = SESSION_SETTINGS.map(|(name, _)| name);
        let found = self.wait(self.client.get_configs(&names))?;
        for ((name, value), found) in SESSION_SETTINGS.into_iter().zip(found) {
            if found.as_deref() != Some(value) {
                let found = found.unwrap_or_default();
                return Err(SqlError::Untrusted(format!("its session has {name} = {found:?}, not {value}")));
            }
        }
        let mut answers = 0;
        self.each(Statement::Session, |frame| {
            answers += 1;
            require_exact(frame).map(drop)
        })?;
        if answers == 1 { Ok(()) } else { Err(SqlError::Untrusted("its session has no single answer".to_owned())) }
    }

    /// Runs a statement without an answer.
    fn run(&self, text: &str) -> Result<(), SqlError> {
        let command = SqlCommand { input: Some(select(text)), ..SqlCommand::default() };
        let command = Command { command_type: Some(command::CommandType::SqlCommand(command)) };
        self.execute(plan::OpType::Command(command), |_| Ok::<_, SqlError>(()))
    }

    /// Visits the rows of an answer.
    pub(super) fn each<E: From<SqlError>>(
        &self,
        statement: Statement,
        mut visit: impl FnMut(&DataFrame) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some((_, text)) = self.statements.iter().find(|(asked, _)| *asked == statement) else { return Ok(()) };
        let (mut rows, columns) = (0_i64, statement.columns());
        self.execute(plan::OpType::Root(select(text)), |batch| {
            let frame = frame(&batch, rows, &columns)
                .map_err(|problem| SqlError::Contradiction(format!("{}: {problem}", statement.name())))?;
            rows += batch.row_count;
            if frame.height() == 0 { Ok(()) } else { visit(&frame) }
        })
    }

    /// Executes a plan to its end.
    fn execute<E: From<SqlError>>(
        &self,
        plan: plan::OpType,
        mut visit: impl FnMut(ArrowBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        let request = ExecutePlanRequest {
            session_id: self.client.session_id().to_owned(),
            user_context: Some(UserContext {
                user_id: self.client.user_id().unwrap_or_default().to_owned(),
                ..UserContext::default()
            }),
            plan: Some(Plan { op_type: Some(plan) }),
            ..ExecutePlanRequest::default()
        };
        let mut responses = self.wait(self.client.execute_plan_reattachable(request))?;
        let mut is_complete = false;
        while let Some(response) = self.wait(responses.message())? {
            match response.response_type {
                Some(ResponseType::ArrowBatch(batch)) => visit(batch)?,
                Some(ResponseType::ResultComplete(_)) => is_complete = true,
                _ => {}
            }
        }
        // A stream that ends may be one that was cut.
        if is_complete { Ok(()) } else { Err(self.failed("its answer is cut off").into()) }
    }

    /// Waits for Spark, until the deadline.
    fn wait<T>(&self, what: impl Future<Output = Result<T, SparkError>>) -> Result<T, SqlError> {
        let left = self.ends.saturating_duration_since(Instant::now());
        match self.runtime.block_on(async { timeout(left, what).await }) {
            Ok(answer) => answer.map_err(|error| self.failed(&error.message())),
            Err(_) => {
                let asked = async { timeout(FAREWELL, self.client.interrupt_all()).await };
                // Whether it stops its work or not: nobody waits for it any more.
                let _ = self.runtime.block_on(asked);
                Err(SqlError::Deadline { remote: self.remote.clone(), deadline: self.deadline })
            }
        }
    }

    fn failed(&self, problem: &str) -> SqlError {
        let shown: String = problem.lines().next().unwrap_or_default().chars().take(SHOWN).collect();
        SqlError::Spark { remote: self.remote.clone(), problem: shown }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let ended = async { timeout(FAREWELL, self.client.release_session()).await };
        // The server ends it in the end.
        let _ = self.runtime.block_on(ended);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("remote", &self.remote).finish_non_exhaustive()
    }
}

/// How the Spark is reached. Says why if it can't be.
fn channel(spark: &Spark) -> Result<ChannelBuilder, String> {
    let mut channel = ChannelBuilder::parse(&spark.remote).map_err(|_| ADDRESS.to_owned())?;
    if channel.host().contains(|sign: char| !sign.is_ascii_alphanumeric() && !"-._[]:".contains(sign)) {
        return Err(ADDRESS.to_owned());
    }
    if channel.get(PARAM_TOKEN).is_some() {
        return Err("a token in an address is seen by others: put it into a file, and name that".to_owned());
    }
    if let Some(token) = &spark.token {
        if !channel.use_ssl() && !channel.is_loopback() {
            return Err("a token is sent to another machine only over TLS: add ;use_ssl=true".to_owned());
        }
        channel.set(PARAM_TOKEN, token.expose_secret());
    }
    if channel.user_id().is_none() {
        channel.set(PARAM_USER_ID, "tieout");
    }
    if channel.get(PARAM_USER_AGENT).is_none() {
        channel.set(PARAM_USER_AGENT, concat!("tieout/", env!("CARGO_PKG_VERSION")));
    }
    Ok(channel)
}

fn select(text: &str) -> Relation {
    let sql = Sql { query: text.to_owned(), ..Sql::default() };
    Relation { rel_type: Some(relation::RelType::Sql(sql)), ..Relation::default() }
}

/// The rows of a batch, which begins after those that were read.
fn frame(batch: &ArrowBatch, read: i64, columns: &Schema) -> Result<DataFrame, String> {
    if batch.start_offset.is_some_and(|start| start != read)
        || batch.num_chunks_in_batch.is_some_and(|chunks| chunks > 1)
    {
        return Err("a batch is missing".to_owned());
    }
    let frame = catch_panics(|| IpcStreamReader::new(Cursor::new(&batch.data[..])).finish())?;
    if i64::try_from(frame.height()) != Ok(batch.row_count) {
        return Err(format!("a batch has {} rows, not {}", frame.height(), batch.row_count));
    }
    if **frame.schema() != *columns {
        return Err("its columns are not those that were asked for".to_owned());
    }
    Ok(frame)
}
