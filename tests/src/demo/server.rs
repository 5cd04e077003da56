//! A small server that speaks the PostgreSQL protocol and knows the demo's statements only.
//!
//! Start-up without TLS and without a password, simple and extended queries, named prepared
//! statements, transaction status. It keeps the keys of payment requests in memory, so that a repeated
//! one is a real `unique_violation`; a rollback does not forget them.

use super::statement::Kind;
use super::{FAST, SLOW, is_slow_user};
use async_trait::async_trait;
use futures::{Sink, stream};
use pgwire::api::auth::StartupHandler;
use pgwire::api::auth::noop::NoopStartupHandler;
use pgwire::api::portal::{Format, Portal};
use pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use pgwire::api::results::{DataRowEncoder, FieldInfo, QueryResponse, Response, Tag};
use pgwire::api::stmt::QueryParser;
use pgwire::api::store::PortalStore;
use pgwire::api::{ClientInfo, ClientPortalStore, PgWireServerHandlers, Type};
use pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::TransactionStatus;
use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

/// The service behind every connection.
#[derive(Debug, Default)]
pub struct PaymentsServer {
    request_keys: Mutex<HashSet<String>>,
}

/// A statement, ready to run.
struct Call {
    kind: Kind,
    user_id: i64,
    request_key: String,
}

impl PaymentsServer {
    async fn run(&self, call: Call, format: &Format, status: TransactionStatus) -> PgWireResult<Response> {
        let ends = matches!(call.kind, Kind::Commit | Kind::Rollback);
        if status == TransactionStatus::Error && !ends {
            return Err(sql_error("25P02", "current transaction is aborted"));
        }
        match call.kind {
            Kind::Lookup(_) => {
                tokio::time::sleep(if is_slow_user(call.user_id) { SLOW } else { FAST }).await;
                let fields = Arc::new(columns(&call.kind, format));
                let mut row = DataRowEncoder::new(fields.clone());
                row.encode_field(&call.user_id.wrapping_mul(16))?;
                row.encode_field(&"settled")?;
                row.encode_field(&call.user_id.wrapping_mul(37).rem_euclid(50_000))?;
                Ok(Response::Query(QueryResponse::new(fields, stream::iter([Ok(row.take_row())]))))
            }
            Kind::FileRequest => {
                tokio::time::sleep(FAST).await;
                let mut keys = self.request_keys.lock().unwrap_or_else(PoisonError::into_inner);
                if keys.insert(call.request_key) {
                    Ok(Response::Execution(Tag::new("INSERT").with_oid(0).with_rows(1)))
                } else {
                    let message = "duplicate key value violates unique constraint \"payment_requests_pkey\"";
                    Err(sql_error("23505", message))
                }
            }
            Kind::AcceptRequest => {
                tokio::time::sleep(FAST).await;
                let keys = self.request_keys.lock().unwrap_or_else(PoisonError::into_inner);
                let rows = usize::from(keys.contains(&call.request_key));
                Ok(Response::Execution(Tag::new("UPDATE").with_rows(rows)))
            }
            Kind::Health => {
                let fields = Arc::new(columns(&call.kind, format));
                let mut row = DataRowEncoder::new(fields.clone());
                row.encode_field(&1_i32)?;
                Ok(Response::Query(QueryResponse::new(fields, stream::iter([Ok(row.take_row())]))))
            }
            Kind::Begin => Ok(Response::TransactionStart(Tag::new("BEGIN"))),
            // COMMIT of a failed transaction rolls back and says so, as PostgreSQL does.
            Kind::Commit if status == TransactionStatus::Error => {
                Ok(Response::TransactionEnd(Tag::new("ROLLBACK")))
            }
            Kind::Commit => Ok(Response::TransactionEnd(Tag::new("COMMIT"))),
            Kind::Rollback => Ok(Response::TransactionEnd(Tag::new("ROLLBACK"))),
        }
    }
}

fn sql_error(code: &str, message: &str) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".into(), code.into(), message.into())))
}

fn parse(text: &str) -> PgWireResult<Kind> {
    let unknown = || sql_error("0A000", "the demo server knows only the statements of the demo");
    Kind::parse(text).ok_or_else(unknown)
}

fn parameter_types(kind: &Kind) -> Vec<Type> {
    match kind {
        Kind::Lookup(None) => vec![Type::INT8],
        Kind::FileRequest => vec![Type::TEXT, Type::INT8, Type::INT8],
        Kind::AcceptRequest => vec![Type::TEXT],
        _ => vec![],
    }
}

fn columns(kind: &Kind, format: &Format) -> Vec<FieldInfo> {
    let columns: &[(&str, Type)] = match kind {
        Kind::Lookup(_) => &[("id", Type::INT8), ("status", Type::TEXT), ("amount", Type::INT8)],
        Kind::Health => &[("?column?", Type::INT4)],
        _ => &[],
    };
    let field = |(at, (name, column_type)): (usize, &(&str, Type))| {
        FieldInfo::new((*name).to_owned(), None, None, column_type.clone(), format.format_for(at))
    };
    columns.iter().enumerate().map(field).collect()
}

impl NoopStartupHandler for PaymentsServer {}

#[async_trait]
impl SimpleQueryHandler for PaymentsServer {
    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let status = client.transaction_status();
        let mut responses = Vec::new();
        for text in query.split(';').filter(|text| !text.trim().is_empty()) {
            let kind = parse(text)?;
            if !parameter_types(&kind).is_empty() {
                return Err(sql_error("42P02", "there is no parameter $1"));
            }
            let user_id = if let Kind::Lookup(Some(user_id)) = kind { user_id } else { 0 };
            let call = Call { kind, user_id, request_key: String::new() };
            responses.push(self.run(call, &Format::UnifiedText, status).await?);
        }
        Ok(responses)
    }
}

/// Turns the text of a Parse message into a [`Kind`].
#[derive(Debug)]
pub struct StatementParser;

#[async_trait]
impl QueryParser for StatementParser {
    type Statement = Kind;

    async fn parse_sql<C>(&self, _: &C, sql: &str, _: &[Option<Type>]) -> PgWireResult<Option<Kind>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        parse(sql).map(Some)
    }

    fn get_parameter_types(&self, kind: &Kind) -> PgWireResult<Vec<Type>> {
        Ok(parameter_types(kind))
    }

    fn get_result_schema(&self, kind: &Kind, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        Ok(columns(kind, format.unwrap_or(&Format::UnifiedBinary)))
    }
}

#[async_trait]
impl ExtendedQueryHandler for PaymentsServer {
    type Statement = Kind;
    type QueryParser = StatementParser;

    fn query_parser(&self) -> Arc<StatementParser> {
        Arc::new(StatementParser)
    }

    async fn do_query<C>(&self, client: &mut C, portal: &Portal<Kind>, _: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Kind>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let kind = portal.statement.statement.clone();
        let number = |at| portal.parameter::<i64>(at, &Type::INT8).map(Option::unwrap_or_default);
        let text = |at| portal.parameter::<String>(at, &Type::TEXT).map(Option::unwrap_or_default);
        let (user_id, request_key) = match kind {
            Kind::Lookup(None) => (number(0)?, String::new()),
            Kind::Lookup(Some(user_id)) => (user_id, String::new()),
            Kind::FileRequest => (number(1)?, text(0)?),
            Kind::AcceptRequest => (0, text(0)?),
            _ => (0, String::new()),
        };
        let call = Call { kind, user_id, request_key };
        self.run(call, &portal.result_column_format, client.transaction_status()).await
    }
}

/// What every connection shares.
#[derive(Debug, Clone, Default)]
pub struct Handlers(Arc<PaymentsServer>);

impl PgWireServerHandlers for Handlers {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        self.0.clone()
    }

    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        self.0.clone()
    }

    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        self.0.clone()
    }
}
