//! When a demo program has to stop: a signal, or the end of its standard input.
//!
//! A program that is told to stop with its input cannot outlive the process that started it, however
//! that process died: the kernel closes the pipe.

use anyhow::Context as _;
use std::io::Read as _;
use tokio::signal::unix::{SignalKind, signal};

/// Completes on SIGINT or SIGTERM, or, if `with_input`, when standard input ends.
///
/// Errors when the signal handlers cannot be installed.
pub async fn requested(with_input: bool) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let input_ended = async {
        if with_input {
            input_end().await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = input_ended => {}
    }
    Ok(())
}

/// Waits for the end of standard input, on a thread of its own that a runtime's end does not wait for.
async fn input_end() {
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut buffer = [0; 256];
        while matches!(input.read(&mut buffer), Ok(n) if n > 0) {}
        // The receiver is gone when a signal came first; then there is nobody left to tell.
        let _ = send.send(());
    });
    let _ = receive.await;
}
