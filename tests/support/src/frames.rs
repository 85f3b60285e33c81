// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! An agent made of raw HTTP/2 frames, for answers that no server library
//! gives.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Frame types of RFC 9113, section 6.
pub mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const GOAWAY: u8 = 7;
}

pub const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
const PREFACE_BYTES: usize = 24;

/// Listens on a socket and does the same with every connection.
pub struct RawAgent {
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    kinds: Arc<Mutex<Vec<u8>>>,
}

impl RawAgent {
    pub fn start(
        socket: &Path,
        serve: impl Fn(&mut Connection) -> Option<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let agent =
            Self { connections: Arc::default(), requests: Arc::default(), kinds: Arc::default() };
        let connections = Arc::clone(&agent.connections);
        let (requests, kinds) = (Arc::clone(&agent.requests), Arc::clone(&agent.kinds));
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (serve, requests) = (Arc::clone(&serve), Arc::clone(&requests));
                let kinds = Arc::clone(&kinds);
                std::thread::spawn(move || {
                    let mut connection = Connection::over(stream.unwrap());
                    (connection.requests, connection.kinds) = (requests, kinds);
                    // A client that goes away ends it.
                    let _ = serve(&mut connection);
                });
            }
        });
        agent
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// The types of the frames that came in.
    pub fn kinds(&self) -> Vec<u8> {
        self.kinds.lock().unwrap().clone()
    }
}

pub struct Connection {
    pub stream: UnixStream,
    requests: Arc<AtomicUsize>,
    kinds: Arc<Mutex<Vec<u8>>>,
}

impl Connection {
    /// A connection that nobody counts.
    pub fn over(stream: UnixStream) -> Self {
        Self { stream, requests: Arc::default(), kinds: Arc::default() }
    }

    /// The start of every HTTP/2 server.
    pub fn handshake(&mut self) -> Option<()> {
        self.stream.read_exact(&mut [0; PREFACE_BYTES]).ok()?;
        self.frame(kind::SETTINGS, 0, 0, &[])
    }

    /// Reads until a request is complete, and gives its stream.
    pub fn request(&mut self) -> Option<u32> {
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            self.stream.read_exact(&mut vec![0; length]).ok()?;
            let (kind, flags) = (head[3], head[4]);
            self.kinds.lock().unwrap().push(kind);
            if kind == kind::SETTINGS && flags & ACK == 0 {
                self.frame(kind::SETTINGS, ACK, 0, &[])?;
            }
            if matches!(kind, kind::DATA | kind::HEADERS) && flags & END_STREAM != 0 {
                self.requests.fetch_add(1, Ordering::SeqCst);
                return Some(u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]));
            }
        }
    }

    /// Reads until the client acknowledged a SETTINGS or PING.
    pub fn acknowledged(&mut self, wanted: u8) -> Option<()> {
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            self.stream.read_exact(&mut vec![0; length]).ok()?;
            if head[3] == wanted && head[4] & ACK != 0 {
                return Some(());
            }
        }
    }

    pub fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Option<()> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.stream.write_all(&frame).ok()
    }

    /// A header block; one that is too long for a frame is continued.
    pub fn headers(&mut self, stream: u32, flags: u8, headers: &[(&str, &[u8])]) -> Option<()> {
        const CONTINUATION: u8 = 9;
        let block: Vec<u8> = headers.iter().flat_map(|(name, value)| field(name, value)).collect();
        let mut pieces = block.chunks(16384).peekable();
        let mut kind = kind::HEADERS;
        let mut flags = flags;
        while let Some(piece) = pieces.next() {
            let end = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            self.frame(kind, flags | end, stream, piece)?;
            (kind, flags) = (CONTINUATION, 0);
        }
        Some(())
    }

    /// The head of an ordinary gRPC reply.
    pub fn head(&mut self, stream: u32) -> Option<()> {
        let head: [(&str, &[u8]); 2] = [(":status", b"200"), ("content-type", b"application/grpc")];
        self.headers(stream, 0, &head)
    }

    /// A gRPC message in one DATA frame, with the length that it claims.
    pub fn message(&mut self, stream: u32, flag: u8, claims: usize, bytes: &[u8]) -> Option<()> {
        let mut data = vec![flag];
        data.extend(u32::try_from(claims).unwrap().to_be_bytes());
        data.extend(bytes);
        for piece in data.chunks(16384) {
            self.frame(kind::DATA, 0, stream, piece)?;
        }
        Some(())
    }

    /// The trailers that end a reply.
    pub fn trailers(&mut self, stream: u32, status: &str) -> Option<()> {
        self.headers(stream, END_STREAM, &[("grpc-status", status.as_bytes())])
    }

    /// A status without a reply.
    pub fn trailers_only(&mut self, stream: u32, status: &str, message: &[u8]) -> Option<()> {
        let headers: [(&str, &[u8]); 4] = [
            (":status", b"200"),
            ("content-type", b"application/grpc"),
            ("grpc-status", status.as_bytes()),
            ("grpc-message", message),
        ];
        self.headers(stream, END_STREAM, &headers)
    }

    /// Reads until the client goes away.
    pub fn drain(&mut self) -> Option<()> {
        while self.request().is_some() {}
        None
    }
}

/// A literal header field, never indexed (RFC 7541, section 6.2.2).
fn field(name: &str, value: &[u8]) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name.as_bytes(), value] {
        let mut length = text.len();
        if length < 127 {
            field.push(u8::try_from(length).unwrap());
        } else {
            field.push(127);
            length -= 127;
            while length >= 128 {
                field.push(u8::try_from(length % 128).unwrap() | 128);
                length /= 128;
            }
            field.push(u8::try_from(length).unwrap());
        }
        field.extend(text);
    }
    field
}
