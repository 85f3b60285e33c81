// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Sockets that are files, and listeners that are no agents.

use std::fs;
use std::io::Read;
use std::os::unix::net::UnixListener;

use super::Place;

#[test]
fn no_agent_is_exit_status_3() {
    let place = Place::new();
    place.probe(&[]).assert(3, "No agent listens");
    antrea_cni_test_support::leave_dead_socket(place.socket());
    place.probe(&[]).assert(3, "No agent listens");
}

#[test]
fn a_file_that_is_not_a_socket_is_no_agent() {
    let place = Place::new();
    fs::write(place.socket(), "").unwrap();
    place.probe(&[]).assert(3, "not a socket");
}

#[test]
fn a_stuck_agent_is_exit_status_1_after_one_wait() {
    let place = Place::new();
    let listener = UnixListener::bind(place.socket()).unwrap();
    let connections = std::thread::spawn(move || {
        let mut connections = 0;
        for stream in listener.incoming() {
            // Until the other side gives up.
            let asked = stream.unwrap().read_to_end(&mut Vec::new()).unwrap();
            connections += 1;
            if asked > 0 {
                break;
            }
        }
        connections
    });
    place.probe(&["--timeout", "300ms"]).assert(1, "does not answer");
    assert!(connections.join().unwrap() <= 2);
}

#[test]
fn what_talks_another_protocol_is_exit_status_1() {
    let place = Place::new();
    let listener = UnixListener::bind(place.socket()).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = std::io::Write::write_all(&mut stream.unwrap(), b"HTTP/1.1 400 \r\n\r\n");
        }
    });
    place.probe(&[]).assert(1, "would fail");
}
