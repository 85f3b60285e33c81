// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A call to the agent, and what can happen to it.

use std::rc::Rc;
use std::time::{Duration, Instant};

use antrea_cni::client::Connection;
use antrea_cni::{Action, Api, Deadline, grpc};
use bytes::Bytes;
use tonic::{Code, Status};

use crate::world::{End, Event, World};

/// What can happen to a call.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Answered,
    KilledBefore,
    KilledHalfway,
    KilledAfter,
    KilledUnseen,
    ClosedBefore,
    ClosedAfter,
    ClosesForGood,
    GoawayBelow,
    GoawayAbove,
    Refused,
    Silent,
    SilentAndRewritten,
    Slow,
    Garbage,
    Fails,
    Busy,
    Unavailable,
    HandsOver,
}

const FATES: [(&str, Fate); 19] = [
    ("it answers", Fate::Answered),
    ("it is killed before the effect", Fate::KilledBefore),
    ("it is killed in the middle of the effect", Fate::KilledHalfway),
    ("it is killed after the effect", Fate::KilledAfter),
    ("it is killed, and nobody can know that", Fate::KilledUnseen),
    ("it closes, lives, and does it later", Fate::ClosedBefore),
    ("it does it, closes, and lives", Fate::ClosedAfter),
    ("it closes each call from now on, lives, and does it later", Fate::ClosesForGood),
    ("GOAWAY for a stream that it took", Fate::GoawayBelow),
    ("GOAWAY above the stream", Fate::GoawayAbove),
    ("REFUSED_STREAM", Fate::Refused),
    ("it says nothing", Fate::Silent),
    ("it says nothing, and the conflist is rewritten after 7 s", Fate::SilentAndRewritten),
    ("it is slow", Fate::Slow),
    ("it answers with garbage", Fate::Garbage),
    ("it fails", Fate::Fails),
    ("it answers \"try again later\"", Fate::Busy),
    ("it answers UNAVAILABLE", Fate::Unavailable),
    ("who listens ends, and a child of it does it later", Fate::HandsOver),
];

pub(crate) struct SimulatedConnection {
    pub(crate) world: Rc<World>,
    pub(crate) process: u64,
    pub(crate) deadline: Rc<Deadline>,
    /// Whether the process was seen alive
    pub(crate) tracked: bool,
    /// Whether it had ended by then
    pub(crate) was_gone: bool,
    pub(crate) unseen: bool,
    pub(crate) closed: bool,
}

impl Connection for SimulatedConnection {
    fn call(&mut self, path: String, message: Bytes) -> Result<Bytes, grpc::Error> {
        let find = |api: &Api| {
            let asks = |action: &Action| {
                (api.method)(*action).is_some_and(|method| api.path(&method) == path)
            };
            Some((*api, Action::ALL.into_iter().find(asks)?))
        };
        let (api, action) = Api::ALL.iter().find_map(find).expect("a path of ours");
        let text = String::from_utf8_lossy(&message).into_owned();
        let version = text.split("\"cniVersion\":\"").nth(1).unwrap_or_default();
        let version = version.split('"').next().unwrap_or_default().to_owned();
        // The container's id is the first string of the arguments.
        let id = ["c0", "c1", "c2"].into_iter().find(|id| text.contains(id)).unwrap_or("c0");
        let broken = message.is_empty();
        let left = self.deadline.time_left(self.now());
        let (end, reply) = self.answer(&api, action, &version, broken, id);
        let container = id;
        let is_owed = self.world.owed.borrow().iter().any(|it| it.args.container_id == container);
        if action == Action::Del && is_owed && matches!(end, End::InBand | End::Other) {
            // The agent's word: nobody asks again, and a person has to look.
            self.world.with(id, |it| (it.attached, it.link, it.deleted) = (false, false, false));
        }
        self.world.tell(Event::Called { api, action, version, broken, container, left, end });
        if matches!(end, End::Done | End::InBand)
            && self.world.choose(&[("", false), ("the plugin is killed", true)])
        {
            self.world.kill_plugin();
        }
        reply
    }

    fn probe_method(&mut self, path: String) -> Result<Bytes, grpc::Error> {
        self.call(path, Bytes::new())
    }

    fn peer_id(&self) -> Option<i32> {
        (!self.unseen).then(|| i32::try_from(self.process).unwrap_or_default())
    }

    fn peer_was_gone(&self) -> bool {
        self.was_gone
    }

    fn peer_is_gone(&self) -> bool {
        self.tracked && !self.unseen && self.world.dead.borrow().contains(&self.process)
    }

    fn peer_is_alive(&self) -> bool {
        !self.unseen && !self.world.dead.borrow().contains(&self.process)
    }
}

impl SimulatedConnection {
    fn now(&self) -> Instant {
        self.world.start + self.world.elapsed()
    }

    /// The agent does it later, whoever waits for it.
    fn goes_on(&self, container: &str, action: Action) {
        let is_settled = self.world.is_settled(container);
        self.world.with(container, |it| it.pending = Some((action, is_settled)));
    }

    /// Waits for an answer that does not come.
    fn wait_in_vain(&self) {
        loop {
            let now = self.now();
            let next = self.deadline.next_check(now);
            if next <= now {
                return;
            }
            self.world.pass(next - now);
        }
    }

    fn answer(
        &mut self,
        api: &Api,
        action: Action,
        version: &str,
        broken: bool,
        container: &str,
    ) -> (End, Result<Bytes, grpc::Error>) {
        let world = Rc::clone(&self.world);
        let cut = || grpc::Error::ConnectionLost("simulated".to_owned());
        assert!(!self.closed, "a call on a connection that is closed");
        // The real client ends such a call before it writes.
        if self.deadline.next_check(self.now()) <= self.now() {
            return (End::Silence, Err(grpc::Error::Deadline));
        }
        let fate = match world.closes.get() {
            true => Fate::ClosesForGood,
            false => world.choose(&FATES),
        };
        world.pass(Duration::from_millis(1));
        let generation = world.generation();
        let has_method = generation.api == Some(*api);
        match fate {
            Fate::GoawayAbove | Fate::Refused => {
                self.closed = true;
                return (End::NotTaken, Err(grpc::Error::Refused("simulated".to_owned())));
            }
            Fate::KilledBefore | Fate::KilledUnseen => {
                self.closed = true;
                self.unseen = fate == Fate::KilledUnseen;
                world.die();
                return (End::Cut { dead: !self.unseen }, Err(cut()));
            }
            Fate::Unavailable => {
                let status = Status::new(Code::Unavailable, "simulated");
                return (End::Other, Err(grpc::Error::Status(status)));
            }
            Fate::Garbage => {
                return (End::Other, Err(grpc::Error::NoValidReply("simulated".to_owned())));
            }
            _ => (),
        }
        let takes = generation.accepts_all || version <= "0.4.0";
        let acts = has_method && takes && !broken;
        match fate {
            Fate::KilledHalfway => {
                self.closed = true;
                if acts && action == Action::Add && !world.with(container, |it| it.attached) {
                    world.with(container, |it| it.link = true);
                }
                world.die();
                (End::Cut { dead: true }, Err(cut()))
            }
            Fate::KilledAfter => {
                self.closed = true;
                if acts {
                    world.act(container, action, world.is_settled(container));
                }
                world.die();
                (End::Cut { dead: true }, Err(cut()))
            }
            Fate::ClosedBefore | Fate::ClosedAfter | Fate::ClosesForGood | Fate::GoawayBelow => {
                self.closed = true;
                world.closes.set(fate == Fate::ClosesForGood);
                if acts && matches!(fate, Fate::ClosedBefore | Fate::ClosesForGood) {
                    self.goes_on(container, action);
                } else if acts {
                    world.act(container, action, world.is_settled(container));
                }
                (End::Cut { dead: false }, Err(cut()))
            }
            Fate::HandsOver => {
                self.closed = true;
                world.dead.borrow_mut().push(world.listener.get());
                if acts {
                    self.goes_on(container, action);
                }
                (End::Inherited, Err(cut()))
            }
            Fate::Silent | Fate::SilentAndRewritten => {
                if fate == Fate::SilentAndRewritten {
                    world.conf_changed.set(Some(world.elapsed() + Duration::from_secs(7)));
                }
                self.wait_in_vain();
                if acts {
                    self.goes_on(container, action);
                }
                (End::Silence, Err(grpc::Error::Deadline))
            }
            _ if !has_method => {
                let status = Status::unimplemented("simulated");
                (End::Unimplemented, Err(grpc::Error::Status(status)))
            }
            _ if broken => {
                // It has ADD, which is all that it can say.
                world.said_ready.set(Some(true));
                (End::Other, Err(grpc::Error::Status(Status::internal("simulated"))))
            }
            Fate::Slow if self.deadline.expires_at(self.now()) < self.now() + SLOW => {
                self.wait_in_vain();
                world.act(container, action, world.is_settled(container));
                (End::Silence, Err(grpc::Error::Deadline))
            }
            _ if !takes => {
                world.said_ready.set(None);
                (End::Refused, Ok(reply(1, version)))
            }
            Fate::Busy => {
                world.said_ready.set((action == Action::Status).then_some(false));
                (End::Busy, Ok(reply(11, version)))
            }
            Fate::Fails => {
                world.said_ready.set((action == Action::Status).then_some(false));
                (End::InBand, Ok(reply(101, version)))
            }
            _ => {
                if fate == Fate::Slow {
                    world.pass(SLOW);
                }
                let not_ready = action == Action::Status && generation.not_ready;
                let code = if not_ready {
                    50
                } else {
                    world.act(container, action, world.is_settled(container))
                };
                // Whoever answers another command was seen since.
                world.said_ready.set((action == Action::Status).then_some(code == 0));
                let end = if code == 0 { End::Done } else { End::InBand };
                (end, Ok(reply(code, version)))
            }
        }
    }
}

const SLOW: Duration = Duration::from_millis(1500);

/// `CniCmdResponse`, with a result or an error.
fn reply(code: i32, version: &str) -> Bytes {
    if code == 0 {
        let result = format!(r#"{{"cniVersion":"{version}"}}"#);
        let length = u8::try_from(result.len()).unwrap();
        return [&[0x0a, length], result.as_bytes()].concat().into();
    }
    vec![0x12, 2, 0x08, u8::try_from(code).unwrap()].into()
}
