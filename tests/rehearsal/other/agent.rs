// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The plugin on an agent that serves the rehearsed API, and on those that do not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test program")]

use std::sync::{Arc, Mutex};

use antrea_cni::api::Method;
use antrea_cni_agent::{Api, servable};
use antrea_cni_test_support::TestNode;
use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use serde_json::json;

#[expect(dead_code, unreachable_pub, reason = "generated code")]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/antrea_io.antrea.pkg.apis.cni.v2.rs"));
}

/// Serves PodNetwork, and v1beta1's ADD, and nothing else; gives the paths that came.
fn agent(node: &TestNode) -> Arc<Mutex<Vec<String>>> {
    let paths: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&paths);
    let listener = std::os::unix::net::UnixListener::bind(node.socket()).unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::UnixListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let path = request.uri().path().to_owned();
                    let mut body = request.into_body();
                    let mut message = BytesMut::new();
                    // The connection has to be polled for the body to come.
                    loop {
                        tokio::select! {
                            data = body.data() => match data {
                                Some(data) => message.extend(data.unwrap()),
                                None => break,
                            },
                            next = connection.accept() => assert!(next.is_none(), "one at a time"),
                        }
                    }
                    let (status, reply) = answer(&path, &message[5..]);
                    seen.lock().unwrap().push(path);
                    let head = http::Response::builder().header("content-type", "application/grpc");
                    let mut stream = respond.send_response(head.body(()).unwrap(), false).unwrap();
                    if let Some(reply) = reply {
                        let mut framed = BytesMut::new();
                        framed.put_u8(0);
                        framed.put_u32(u32::try_from(reply.len()).unwrap());
                        framed.extend(reply);
                        stream.send_data(framed.freeze(), false).unwrap();
                    }
                    let trailers = [("grpc-status", status)];
                    let trailers = trailers.map(|(name, value): (&'static str, &'static str)| {
                        (http::HeaderName::from_static(name), value.parse().unwrap())
                    });
                    stream.send_trailers(http::HeaderMap::from_iter(trailers)).unwrap();
                }
            }
        });
    });
    paths
}

fn answer(path: &str, message: &[u8]) -> (&'static str, Option<Vec<u8>>) {
    if path == "/antrea_io.antrea.pkg.apis.cni.v1beta1.Cni/CmdAdd" {
        // CniCmdResponse with the result {}
        return ("0", Some(b"\x0a\x02{}".to_vec()));
    }
    let Some(method) = path.strip_prefix("/antrea_io.antrea.pkg.apis.cni.v2.PodNetwork/") else {
        return ("12", None);
    };
    let request = proto::AddRequest::decode(Bytes::copy_from_slice(message)).unwrap();
    let (pod, network) = (request.pod.unwrap(), request.network.unwrap());
    assert_eq!((&*pod.container_id, &*pod.interface, &*network.name), ("c0ffee", "eth0", "antrea"));
    assert_eq!(pod.labels["K8S_POD_NAME"], "web-0");
    assert_eq!(network.options["ipam"], r#"{"type":"host-local"}"#);
    let address =
        proto::Address { cidr: "10.0.0.2/24".to_owned(), gateway: "10.0.0.1".to_owned() };
    let failure = proto::Failure { code: 103, message: "no such Pod here".to_owned() };
    let reply = match method {
        "Add" => proto::AddReply { addresses: vec![address], failure: None }.encode_to_vec(),
        "Check" => proto::Reply { failure: Some(failure) }.encode_to_vec(),
        "Remove" => proto::Reply { failure: None }.encode_to_vec(),
        other => panic!("{other}"),
    };
    ("0", Some(reply))
}

#[test]
fn an_agent_that_serves_the_new_api_is_asked_in_it() {
    let node = TestNode::new();
    let paths = agent(&node);
    let added = node.call("ADD", "1.0.0").run();
    assert_eq!(
        added.document().unwrap(),
        json!({"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.2/24", "gateway": "10.0.0.1"}]})
    );
    assert_eq!(node.call("CHECK", "1.0.0").run().code(), 103);
    node.call("DEL", "1.0.0").run().assert_silent_success();
    let methods: Vec<_> =
        paths.lock().unwrap().iter().map(|path| path.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(methods, ["Add", "Check", "Remove"]);
}

#[test]
fn what_it_cannot_express_goes_to_an_older_api() {
    let node = TestNode::new();
    let paths = agent(&node);
    let mut call = node.call("ADD", "1.0.0");
    let configuration = node.configuration("1.0.0", json!({}));
    let chained = configuration.replacen('{', r#"{"prevResult":{},"#, 1);
    call.stdin = antrea_cni_test_support::Stdin::Bytes(chained.into_bytes());
    assert_eq!(call.run().exit(), 0);
    assert_eq!(
        *paths.lock().unwrap(),
        ["v1", "v1beta1"].map(|api| format!("/antrea_io.antrea.pkg.apis.cni.{api}.Cni/CmdAdd"))
    );
}

#[test]
fn agents_without_it_are_found_below() {
    assert_eq!(Api::ALL[0], Api::V2);
    for api in servable() {
        let node = TestNode::new();
        let agent = node.agent(&[api]);
        assert_eq!(node.call("ADD", "0.4.0").run().exit(), 0);
        assert_eq!(agent.calls()[0].path, "/antrea_io.antrea.pkg.apis.cni.v2.PodNetwork/Add");
        assert_eq!(agent.served().len(), 1);
    }
}
