// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Answers one call: finds its API and does its command.

use std::sync::Arc;
use std::time::Duration;

use antrea_cni::{Action, Api};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Channel, Full};
use prost::Message;
use tokio::sync::Notify;
use tonic::body::Body;
use tonic::server::{Grpc, UnaryService};

use crate::api::Rpc;
use crate::commands::Commands;
use crate::journal::{self, Call, Entry, Journal};
use crate::options::Options;
use crate::proto::{
    CniCmdRequest, CniCmdResponse, Error, GetCapabilitiesRequest, GetCapabilitiesResponse,
};
use crate::script::{Behaviour, Close, Die, InBandError, ScriptRunner};

/// Length of gRPC's frame header: a flag and a length.
const FRAME_BYTES: usize = 5;

/// Shares state between all connections.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) options: Options,
    pub(crate) journal: Journal,
    pub(crate) commands: Commands,
    pub(crate) script: ScriptRunner,
}

impl Service {
    /// Answers a call. `close` closes its connection.
    pub(crate) async fn call(
        self: Arc<Self>,
        request: Request<hyper::body::Incoming>,
        close: Arc<Notify>,
    ) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let call = Call {
            time: journal::unix_seconds(),
            path: path.clone(),
            authority,
            ..Call::default()
        };
        let Some((api, rpc, method)) = self.route(&path) else {
            self.journal.write(Entry::Call(call.into()));
            let status = self.script.unserved_status().map_or_else(
                || tonic::Status::unimplemented(self.unknown(&path)),
                |it| tonic::Status::new(it.code.into(), &it.message),
            );
            return status.into_http();
        };
        let call = with_headers(call, request.headers());
        // Like a gRPC server, decodes the message before any handler runs.
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let is_compressed = body.first() != Some(&0);
        let message = body.get(FRAME_BYTES..).map(CniCmdRequest::decode);
        let Some(Ok(message)) = message.filter(|_| !is_compressed) else {
            self.journal.write(Entry::Call(Call { served: false, broken: true, ..call }.into()));
            return tonic::Status::internal("the request cannot be decoded").into_http();
        };
        let container = message.cni_args.unwrap_or_default().container_id;
        let request = Request::from_parts(head, Full::new(body));
        let action = match rpc {
            Rpc::Command(action) => Some(action),
            Rpc::Capabilities => None,
        };
        let behaviour = self.script.next_behaviour(&api, method, action, &container);
        if let Some(raw) = &behaviour.raw_b64 {
            self.journal.write(Entry::Call(Call { served: true, ..call }.into()));
            return raw_reply(&STANDARD.decode(raw).unwrap_or_default());
        }
        let Some(action) = action else {
            self.journal.write(Entry::Call(Call { served: true, ..call }.into()));
            let mut grpc = Grpc::new(tonic_prost::ProstCodec::default());
            return grpc.unary(Capabilities(self, api), request).await;
        };
        let command = Command { service: self, action, behaviour, call, close };
        Grpc::new(tonic_prost::ProstCodec::default())
            .max_decoding_message_size(usize::MAX)
            .unary(command, request)
            .await
    }

    fn route(&self, path: &str) -> Option<(Api, Rpc, &'static str)> {
        let (service, name) = path.strip_prefix('/')?.split_once('/')?;
        let is_named = |api: &&Api| format!("{}.{}", api.package, api.service) == service;
        let api = self.options.apis.iter().find(is_named)?;
        let (rpc, method) = Rpc::all(api).find(|(_, method)| *method == name)?;
        self.options.serves(api, method).then_some((*api, rpc, method))
    }

    /// Returns what grpc-go says of a path that it does not serve.
    fn unknown(&self, path: &str) -> String {
        let (service, method) = path.trim_start_matches('/').rsplit_once('/').unwrap_or_default();
        let served = |api: &Api| format!("{}.{}", api.package, api.service) == service;
        if self.options.apis.iter().any(served) {
            format!("unknown method {method} for service {service}")
        } else {
            format!("unknown service {service}")
        }
    }
}

fn with_headers(mut call: Call, headers: &HeaderMap) -> Call {
    call.served = true;
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match name.as_str() {
            "grpc-timeout" => call.timeout = Some(value),
            name => drop(call.metadata.insert(name.to_owned(), value)),
        }
    }
    call
}

/// Handles the call of a CNI command.
struct Command {
    service: Arc<Service>,
    action: Action,
    behaviour: Behaviour,
    call: Call,
    close: Arc<Notify>,
}

type Answer<T> = Result<tonic::Response<T>, tonic::Status>;

impl UnaryService<CniCmdRequest> for Command {
    type Response = CniCmdResponse;
    type Future = std::pin::Pin<Box<dyn Future<Output = Answer<CniCmdResponse>> + Send>>;

    fn call(&mut self, request: tonic::Request<CniCmdRequest>) -> Self::Future {
        let args = request.into_inner().cni_args.unwrap_or_default();
        let mut call = std::mem::take(&mut self.call);
        call.container_id = args.container_id.clone();
        call.netns = args.netns.clone();
        call.ifname = args.ifname.clone();
        call.args = args.args.clone();
        call.cni_path = args.path.clone();
        call.network_configuration = args.network_configuration.clone();
        self.service.journal.write(Entry::Call(call.into()));

        let (service, action) = (Arc::clone(&self.service), self.action);
        let (behaviour, close) = (self.behaviour.clone(), Arc::clone(&self.close));
        // The command continues on a task of its own after the client disconnects.
        let work = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(behaviour.delay_ms)).await;
            if behaviour.die == Some(Die::Before) {
                std::process::abort();
            }
            if behaviour.hang {
                std::future::pending::<()>().await;
            }
            if behaviour.close == Some(Close::Before) {
                close.notify_one();
                std::future::pending::<()>().await;
            }
            if let Some(status) = behaviour.status {
                return Err(tonic::Status::new(status.code.into(), status.message));
            }
            if let Some(error) = behaviour.error {
                return Ok(reply(Err(error)));
            }
            let outcome =
                service.commands.execute(action, args, behaviour.die, &service.journal).await;
            if behaviour.close == Some(Close::After) && outcome.is_ok() {
                close.notify_one();
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(behaviour.delay_after_ms)).await;
            Ok(reply(match behaviour.reply {
                Some(result) => outcome.map(|_| result.into_bytes()),
                None => outcome,
            }))
        });
        Box::pin(async move {
            work.await.unwrap_or_else(|error| Err(tonic::Status::internal(error.to_string())))
        })
    }
}

fn reply(outcome: Result<Vec<u8>, InBandError>) -> tonic::Response<CniCmdResponse> {
    tonic::Response::new(match outcome {
        Ok(cni_result) => CniCmdResponse { cni_result, error: None },
        Err(InBandError { code, message, details }) => CniCmdResponse {
            cni_result: Vec::new(),
            error: Some(Error { code, message, details_text: details, ..Error::default() }),
        },
    })
}

/// Handles `GetCapabilities`.
struct Capabilities(Arc<Service>, Api);

impl UnaryService<GetCapabilitiesRequest> for Capabilities {
    type Response = GetCapabilitiesResponse;
    type Future = std::future::Ready<Answer<GetCapabilitiesResponse>>;

    fn call(&mut self, _: tonic::Request<GetCapabilitiesRequest>) -> Self::Future {
        let Self(service, api) = self;
        let served = Rpc::all(api).filter(|(_, method)| service.options.serves(api, method));
        std::future::ready(Ok(tonic::Response::new(GetCapabilitiesResponse {
            api_version: api.version.to_owned(),
            cni_versions: service.commands.cni_versions().to_vec(),
            rpcs: served.map(|(_, method)| method.to_owned()).collect(),
            agent_version: format!("antrea-cni-agent {}", env!("CARGO_PKG_VERSION")),
        })))
    }
}

/// Returns a reply with these bytes as its message.
fn raw_reply(message: &[u8]) -> Response<Body> {
    let mut data = BytesMut::with_capacity(5 + message.len());
    data.put_u8(0);
    data.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    data.extend_from_slice(message);
    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    let (mut sender, body) = Channel::<Bytes, std::convert::Infallible>::new(2);
    let _ = sender.try_send(Frame::data(data.freeze()));
    let _ = sender.try_send(Frame::trailers(trailers));
    let mut response = Response::new(Body::new(body));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(http::header::CONTENT_TYPE, grpc);
    response
}
