// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What only the transport can do wrong: it is never success, never a step
//! down, and an ADD is never sent again for it.

use antrea_cni_agent::Api;

use antrea_cni_test_support::TestNode;
use antrea_cni_test_support::frames::{Connection, END_STREAM, RawAgent, kind};

/// Asks for an ADD and gives the code; the agent got one request.
fn add(serve: impl Fn(&mut Connection) -> Option<()> + Send + Sync + 'static) -> u64 {
    let place = TestNode::new();
    let agent = RawAgent::start(&place.socket(), serve);
    let answer = place.call("ADD", "1.0.0").run();
    let code = answer.code();
    assert_eq!(agent.requests(), 1, "{answer:?}");
    code
}

/// Serves one request and goes on reading, so that the connection lives.
fn reply(
    connection: &mut Connection,
    with: impl Fn(&mut Connection, u32) -> Option<()>,
) -> Option<()> {
    connection.handshake()?;
    let stream = connection.request()?;
    with(connection, stream)?;
    connection.drain()
}

/// As load balancers and `MaxConnectionAge` do. What a process refused it is not asked again,
/// so each connection gets further.
#[test]
fn a_server_that_ends_each_connection_after_one_answer_is_asked_for_each_api() {
    for served in [2, 9] {
        let place = TestNode::new();
        let number = std::sync::atomic::AtomicUsize::new(0);
        let agent = RawAgent::start(&place.socket(), move |connection| {
            connection.handshake()?;
            let stream = connection.request()?;
            if number.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 < served {
                connection.trailers_only(stream, "12", b"unknown service")?;
            } else {
                connection.head(stream)?;
                connection.message(stream, 0, 4, b"\x0a\x02{}")?;
                connection.trailers(stream, "0")?;
            }
            let last = [stream.to_be_bytes(), [0; 4]].concat();
            connection.frame(kind::GOAWAY, 0, 0, &last)
        });
        let answer = place.call("ADD", "1.0.0").run();
        // A request behind the GOAWAY was not taken.
        let apis = Api::ALL.len();
        assert_eq!(agent.connections(), served.min(apis), "{answer:?}");
        if served < apis {
            assert_eq!(answer.exit(), 0, "{answer:?}");
        } else {
            assert_eq!(answer.code(), 202, "{answer:?}");
            assert!(Api::ALL.iter().all(|api| answer.text().contains(api.package)));
        }
    }
}

/// A server may wait until its SETTINGS are known, or that its PING is answered.
#[test]
fn what_the_agent_wants_acknowledged_is_acknowledged_before_it_answers() {
    const PING: u8 = 6;
    let place = TestNode::new();
    let _agent = RawAgent::start(&place.socket(), |connection| {
        reply(connection, |connection, stream| {
            connection.acknowledged(kind::SETTINGS)?;
            connection.frame(PING, 0, 0, &[7; 8])?;
            connection.acknowledged(PING)?;
            connection.trailers_only(stream, "8", b"all was seen")
        })
    });
    let answer = place.call("ADD", "1.0.0").run();
    assert!(answer.text().contains("all was seen"), "{answer:?}");
}

#[test]
fn an_http_status_without_a_grpc_status_is_no_answer() {
    for status in ["404", "400", "401", "403", "429", "502", "503", "504", "418"] {
        let code = add(move |connection| {
            reply(connection, |connection, stream| {
                connection.headers(stream, END_STREAM, &[(":status", status.as_bytes())])
            })
        });
        assert_eq!(code, 201, "HTTP {status}");
    }
}

#[test]
fn a_compressed_reply_is_not_taken_for_unimplemented() {
    let code = add(|connection| {
        reply(connection, |connection, stream| {
            let head: [(&str, &[u8]); 3] = [
                (":status", b"200"),
                ("content-type", b"application/grpc"),
                ("grpc-encoding", b"gzip"),
            ];
            connection.headers(stream, 0, &head)?;
            connection.message(stream, 1, 2, &[0x1f, 0x8b])?;
            connection.trailers(stream, "0")
        })
    });
    assert_eq!(code, 201);
}

/// tonic says so in a status of its own, which is not the agent's.
#[test]
fn a_reply_that_cannot_be_read_is_no_answer_of_the_agent() {
    let place = TestNode::new();
    let _agent = RawAgent::start(&place.socket(), |connection| {
        reply(connection, |connection, stream| {
            connection.head(stream)?;
            connection.trailers(stream, "0")
        })
    });
    let answer = place.call("ADD", "1.0.0").run();
    assert_eq!(answer.code(), 201);
    assert!(answer.text().contains("gave no valid answer"), "{answer:?}");
    assert!(!answer.text().contains("answered"), "{answer:?}");
    assert!(!std::fs::exists(format!("{}.ready", place.socket().display())).unwrap());
}

/// A reply of HEADERS alone, and its end if `flags` say so.
fn add_answered_by(headers: &'static [(&'static str, &'static [u8])], flags: u8) -> u64 {
    add(move |connection| {
        reply(connection, move |connection, stream| {
            let head: [(&str, &[u8]); 2] =
                [(":status", b"200"), ("content-type", b"application/grpc")];
            connection.headers(stream, flags, &[&head, headers].concat())?;
            connection.message(stream, 0, 2, b"{}")
        })
    })
}

/// tonic takes a reply in an encoding that it lacks for UNIMPLEMENTED: the ADD would be sent again.
#[test]
fn a_status_with_an_encoding_is_that_status() {
    let headers: &[(&str, &[u8])] = &[("grpc-encoding", b"gzip"), ("grpc-status", b"13")];
    for flags in [0, END_STREAM] {
        assert_eq!(add_answered_by(headers, flags), 201, "{flags}");
    }
}

/// What follows may be a message, of a method that there is.
#[test]
fn unimplemented_before_the_end_is_no_reason_to_ask_in_another_api() {
    assert_eq!(add_answered_by(&[("grpc-status", b"12")], 0), 201);
}

#[test]
fn details_of_a_status_that_are_not_base64_are_not_read() {
    let place = TestNode::new();
    let _agent = RawAgent::start(&place.socket(), |connection| {
        connection.handshake()?;
        // The newest API may have a reply of another shape.
        let stream = connection.request()?;
        connection.trailers_only(stream, "12", b"unknown service")?;
        let stream = connection.request()?;
        connection.head(stream)?;
        connection.message(stream, 0, 4, b"\x0a\x02{}")?;
        let status: [(&str, &[u8]); 2] = [("grpc-status", b"0"), ("grpc-status-details-bin", b"!")];
        connection.headers(stream, END_STREAM, &status)?;
        connection.drain()
    });
    assert_eq!(place.call("ADD", "1.0.0").run().exit(), 0);
}

#[test]
fn a_reply_that_says_that_it_is_not_compressed_is_read() {
    let place = TestNode::new();
    let _agent = RawAgent::start(&place.socket(), |connection| {
        reply(connection, |connection, stream| {
            let head: [(&str, &[u8]); 3] = [
                (":status", b"200"),
                ("content-type", b"application/grpc"),
                ("grpc-encoding", b"identity"),
            ];
            connection.headers(stream, 0, &head)?;
            let status: [(&str, &[u8]); 2] = [("grpc-status", b"13"), ("grpc-message", b"its own")];
            connection.headers(stream, END_STREAM, &status)
        })
    });
    let answer = place.call("ADD", "1.0.0").run();
    assert!(answer.text().contains("its own"), "{answer:?}");
}

#[test]
fn a_reply_that_ends_without_a_status_is_no_success() {
    let place = TestNode::new();
    let _agent = RawAgent::start(&place.socket(), |connection| {
        reply(connection, |connection, stream| {
            connection.head(stream)?;
            connection.message(stream, 0, 4, b"\x0a\x02{}")?;
            connection.frame(kind::DATA, END_STREAM, stream, &[])
        })
    });
    let answer = place.call("ADD", "1.0.0").run();
    assert_eq!(answer.code(), 201);
    assert!(answer.text().contains("ended without a gRPC status"), "{answer:?}");
}

#[test]
fn a_reply_that_is_not_grpc_is_no_success() {
    let code = add(|connection| {
        reply(connection, |connection, stream| {
            let head: [(&str, &[u8]); 2] = [(":status", b"200"), ("content-type", b"text/html")];
            connection.headers(stream, 0, &head)?;
            connection.frame(kind::DATA, END_STREAM, stream, b"<html>")
        })
    });
    assert_eq!(code, 201);
}

#[test]
fn a_reply_that_only_looks_like_grpc_is_no_success() {
    let code = add(|connection| {
        reply(connection, |connection, stream| {
            let head: [(&str, &[u8]); 2] = [(":status", b"200"), ("content-type", b"text/html")];
            connection.headers(stream, 0, &head)?;
            connection.message(stream, 0, 4, b"\x0a\x02{}")?;
            connection.trailers(stream, "0")
        })
    });
    assert_eq!(code, 201);
}

#[test]
fn a_reset_stream_on_a_living_connection_is_201() {
    // REFUSED_STREAM says that the call was not taken.
    for reason in (0..=13u32).filter(|reason| *reason != 7) {
        let code = add(move |connection| {
            reply(connection, |connection, stream| {
                connection.frame(kind::RST_STREAM, 0, stream, &reason.to_be_bytes())
            })
        });
        assert_eq!(code, 201, "RST_STREAM {reason}");
    }
}

/// The handler may go on, and the runtime's own DEL may overtake it.
#[test]
fn an_add_whose_stream_was_reset_owes_a_del() {
    let place = TestNode::new();
    let _agent = RawAgent::start(&place.socket(), |connection| {
        reply(connection, |connection, stream| {
            connection.frame(kind::RST_STREAM, 0, stream, &2_u32.to_be_bytes())
        })
    });
    assert_eq!(place.call("ADD", "1.0.0").run().code(), 201);
    assert_eq!(place.owed().len(), 1);
}

#[test]
fn a_dead_connection_is_11() {
    let code = add(|connection| {
        connection.handshake()?;
        connection.request().map(|_| ())
    });
    assert_eq!(code, 11);
}

#[test]
fn a_reply_of_nearly_4_mib_is_read_and_a_larger_one_is_201() {
    let reply = |bytes: usize| format!("{{\"pad\":\"{}\"}}", "x".repeat(bytes));
    let run = |reply: &str| {
        let place = TestNode::new();
        let script = serde_json::json!({"ADD": {"reply": reply}});
        let _agent = place.scripted(&[Api::V1], script);
        place.call("ADD", "1.0.0").run()
    };
    let large = reply((4 << 20) - 100);
    let answer = run(&large);
    assert_eq!(answer.exit(), 0);
    assert!(answer.stdout == large.as_bytes());
    assert_eq!(run(&reply(5 << 20)).code(), 201);
}

#[test]
fn unimplemented_is_known_by_its_number_whatever_its_text() {
    const TEXTS: [&str; 4] = ["unknown service X", "Method not found!", "", "%e4%ff"];
    for (text, at_once) in TEXTS.iter().flat_map(|text| [(text, true), (text, false)]) {
        let place = TestNode::new();
        let agent = RawAgent::start(&place.socket(), move |connection| {
            connection.handshake()?;
            loop {
                let stream = connection.request()?;
                if at_once {
                    connection.trailers_only(stream, "12", text.as_bytes())?;
                } else {
                    connection.head(stream)?;
                    let trailers: [(&str, &[u8]); 2] =
                        [("grpc-status", b"12"), ("grpc-message", text.as_bytes())];
                    connection.headers(stream, END_STREAM, &trailers)?;
                }
            }
        });
        let answer = place.call("ADD", "1.0.0").run();
        assert_eq!(answer.code(), 202, "{answer:?}");
        assert_eq!((agent.requests(), agent.connections()), (Api::ALL.len(), 1));
    }
}

/// grpc-go ends the connection of a client that pings more often than it likes.
#[test]
fn the_plugin_never_pings() {
    const PING: u8 = 6;
    let place = TestNode::new();
    let agent = RawAgent::start(&place.socket(), |connection| {
        connection.handshake()?;
        connection.drain()
    });
    assert_eq!(place.call("STATUS", "1.1.0").run().code(), 50);
    assert!(agent.kinds().contains(&kind::HEADERS));
    assert!(!agent.kinds().contains(&PING), "{:?}", agent.kinds());
}

/// Strict servers refuse a path as the authority.
#[test]
fn the_authority_is_a_host_name() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1]);
    assert_eq!(place.call("ADD", "1.0.0").run().exit(), 0);
    assert_eq!(agent.served().pop().unwrap().authority, "localhost");
}

/// A call that was not taken is made again, an ADD too: RFC 9113, section 8.7.
#[test]
fn a_call_that_was_not_taken_is_made_again() {
    type Refuse = fn(&mut Connection) -> Option<()>;
    let refusals: [(&str, Refuse); 4] = [
        ("REFUSED_STREAM", |connection| {
            connection.handshake()?;
            let stream = connection.request()?;
            connection.frame(kind::RST_STREAM, 0, stream, &7u32.to_be_bytes())?;
            connection.drain()
        }),
        ("GOAWAY below the stream", |connection| {
            connection.handshake()?;
            connection.request()?;
            connection.frame(kind::GOAWAY, 0, 0, &[0; 8])
        }),
        ("GOAWAY before the request", |connection| {
            connection.handshake()?;
            connection.frame(kind::GOAWAY, 0, 0, &[0; 8])?;
            connection.drain()
        }),
        ("GOAWAY between two calls", |connection| {
            connection.handshake()?;
            let stream = connection.request()?;
            let goaway = [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];
            connection.frame(kind::GOAWAY, 0, 0, &goaway)?;
            connection.trailers_only(stream, "12", b"unknown service")?;
            connection.drain()
        }),
    ];
    for (what, refuse) in refusals {
        // GC has one API to be asked in.
        let commands =
            if what.contains("two calls") { &["ADD", "DEL"][..] } else { &["ADD", "GC"] };
        for command in commands {
            let place = TestNode::new();
            let connections = std::sync::atomic::AtomicUsize::new(0);
            let agent = RawAgent::start(&place.socket(), move |connection| {
                if connections.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 {
                    return refuse(connection);
                }
                // In the shape of no API: whichever is asked first.
                reply(connection, |connection, stream| {
                    connection.trailers_only(stream, "13", b"the answer")
                })
            });
            let answer = place.call(command, "1.1.0").run();
            assert!(answer.text().contains("the answer"), "{what}, {command}: {answer:?}");
            assert_eq!(agent.connections(), 3, "{what}, {command}");
        }
    }
}

#[test]
fn a_stream_that_goaway_names_may_have_been_taken() {
    let code = add(|connection| {
        connection.handshake()?;
        let stream = connection.request()?;
        connection.frame(kind::GOAWAY, 0, 0, &[stream.to_be_bytes(), [0; 4]].concat())
    });
    assert_eq!(code, 11);
}

#[test]
fn unimplemented_after_a_message_does_not_step_down() {
    let code = add(|connection| {
        reply(connection, |connection, stream| {
            connection.head(stream)?;
            connection.message(stream, 0, 4, b"\x0a\x02{}")?;
            connection.trailers(stream, "12")
        })
    });
    assert_eq!(code, 201);
}

#[test]
fn two_statuses_are_no_success() {
    let code = add(|connection| {
        reply(connection, |connection, stream| {
            connection.head(stream)?;
            connection.message(stream, 0, 4, b"\x0a\x02{}")?;
            let twice: [(&str, &[u8]); 2] = [("grpc-status", b"0"), ("grpc-status", b"13")];
            connection.headers(stream, END_STREAM, &twice)
        })
    });
    assert_eq!(code, 201);
}
