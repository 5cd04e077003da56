//! Connections: one thread each.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use anyhow::Result;
use bson::Document;

use super::commands::{carry_out, hello};
use super::store::Store;
use super::wire::{self, Command};

/// The requestIDs of answers are the server's own.
static LAST_ANSWER: AtomicI32 = AtomicI32::new(1_000_000);

/// Answers every client of a listener, for ever.
///
/// # Errors
/// When the listener fails.
pub fn serve(listener: &TcpListener) -> Result<()> {
    let store = Arc::new(Store::default());
    for stream in listener.incoming() {
        let (stream, store) = (stream?, Arc::clone(&store));
        std::thread::spawn(move || {
            if let Err(error) = talk(stream, &store) {
                eprintln!("a connection ended: {error:#}");
            }
        });
    }
    Ok(())
}

fn talk(mut stream: TcpStream, store: &Store) -> Result<()> {
    stream.set_nodelay(true)?;
    while let Some(command) = wire::read(&mut stream)? {
        let name = command.document.keys().next().cloned().unwrap_or_default();
        if matches!(name.as_str(), "hello" | "isMaster" | "ismaster") {
            greet(&mut stream, &command, &name, store)?;
            continue;
        }
        let answer = carry_out(&name, &command.document, store);
        let failed = answer.get_f64("ok") != Ok(1.0) || answer.contains_key("writeErrors");
        // The counters are those of a moment before the question.
        store.lock().count(&name, failed);
        if !command.unanswered {
            let id = LAST_ANSWER.fetch_add(1, Ordering::Relaxed);
            command.answer(&mut stream, id, command.request_id, &answer, false)?;
        }
    }
    Ok(())
}

/// Answers a hello: at once, or after the time that the client allows, once or again and again.
fn greet(stream: &mut TcpStream, command: &Command, name: &str, store: &Store) -> Result<()> {
    let document = &command.document;
    let wait = document.contains_key("topologyVersion").then(|| document.get("maxAwaitTimeMS")).flatten();
    let wait = wait.and_then(|millis| millis.as_i64().or(millis.as_i32().map(i64::from)));
    let mut response_to = command.request_id;
    loop {
        if let Some(millis) = wait {
            std::thread::sleep(Duration::from_millis(u64::try_from(millis)?));
        }
        let answer: Document = hello(name, document);
        store.lock().count(if wait.is_some() { "awaited hello" } else { name }, false);
        let (id, more) = (LAST_ANSWER.fetch_add(1, Ordering::Relaxed), command.exhaust && wait.is_some());
        command.answer(stream, id, response_to, &answer, more)?;
        if !more {
            return Ok(());
        }
        // Each further answer names the one before it.
        response_to = id;
    }
}
