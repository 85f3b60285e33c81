// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Accepts connections, and starts and stops an agent.

use std::io;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use thiserror::Error;
use tokio::runtime::{self, Runtime};
use tokio::sync::{Notify, watch};

use crate::commands::Commands;
use crate::journal::{Call, Effect, Entry, Journal};
use crate::listener::{self, Listener, Stream};
use crate::options::Options;
use crate::script::ScriptRunner;
use crate::service::Service;

/// How long a dropped agent may take to close its connections.
const CLOSE: Duration = Duration::from_secs(5);

/// Describes why an agent could not start.
#[derive(Debug, Error)]
#[error("cannot serve on {path}: {source}")]
pub struct Error {
    path: String,
    source: io::Error,
}

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Agent {
    service: Arc<Service>,
    runtime: Option<Runtime>,
    /// Closes all connections at once
    end: watch::Sender<()>,
}

impl Agent {
    /// Starts an agent on threads of its own. The agent already serves when this returns.
    ///
    /// # Errors
    /// The socket, the journal or the threads cannot be created.
    pub fn start(options: Options) -> Result<Self, Error> {
        let path = options.socket.display().to_string();
        Self::try_start(options).map_err(|source| Error { path, source })
    }

    fn try_start(options: Options) -> io::Result<Self> {
        let runtime =
            runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let journal = Journal::open(options.journal.as_deref())?;
        let service = Arc::new(Service {
            journal,
            commands: Commands::new(&options),
            script: ScriptRunner::new(options.script.clone()),
            options,
        });
        let listener = {
            let _entered = runtime.enter();
            Listener::bind(&service.options.socket)?
        };
        let (end, ended) = watch::channel(());
        runtime.spawn(accept(listener, Arc::clone(&service), ended));
        Ok(Self { service, runtime: Some(runtime), end })
    }

    /// Returns the path of the socket.
    pub fn socket(&self) -> &Path {
        &self.service.options.socket
    }

    /// Returns all calls, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        let entries = self.service.journal.entries().into_iter();
        entries
            .filter_map(|entry| match entry {
                Entry::Call(call) => Some(*call),
                Entry::Effect(_) => None,
            })
            .collect()
    }

    /// Returns the calls that a handler received, oldest first.
    pub fn served(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.served).collect()
    }

    /// Returns the commands that had an effect, oldest first.
    pub fn effects(&self) -> Vec<Effect> {
        let entries = self.service.journal.entries().into_iter();
        entries
            .filter_map(|entry| match entry {
                Entry::Effect(effect) => Some(effect),
                Entry::Call(_) => None,
            })
            .collect()
    }

    /// Returns the attached containers.
    pub fn containers(&self) -> Vec<String> {
        self.service.commands.containers()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        listener::remove(self.socket());
        // As when a process ends, all connections are closed and no call is reset.
        self.end.send_replace(());
        if let Some(runtime) = self.runtime.take() {
            let (end, (done, closed)) = (self.end.clone(), mpsc::channel());
            runtime.spawn(async move {
                end.closed().await;
                let _ = done.send(());
            });
            let _ = closed.recv_timeout(CLOSE);
            runtime.shutdown_background();
        }
    }
}

async fn accept(mut listener: Listener, service: Arc<Service>, mut ended: watch::Receiver<()>) {
    loop {
        let accepted = tokio::select! {
            _ = ended.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(stream) => {
                drop(tokio::spawn(serve(stream, Arc::clone(&service), ended.clone())));
            }
            // Descriptors ran out, but another connection may be closed soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(stream: Stream, service: Arc<Service>, mut ended: watch::Receiver<()>) {
    let close = Arc::new(Notify::new());
    let calls = service_fn(|request| {
        let (service, close) = (Arc::clone(&service), Arc::clone(&close));
        async move { Ok::<_, std::convert::Infallible>(service.call(request, close).await) }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), calls);
    tokio::select! {
        biased;
        _ = ended.changed() => (),
        _ = connection => (),
        () = close.notified() => (),
    }
}
