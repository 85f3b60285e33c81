//! A node that is simulated: a clock that the test turns, and an agent as a small
//! state machine with the behaviour of real ones.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use antrea_cni::ladder::{Connection, Node};
use antrea_cni::{Action, Api, grpc};
use bytes::Bytes;
use tonic::{Code, Status};

use crate::choices::Choices;

/// What an agent serves: an API, or none of ours, and whether it takes more than 0.4.0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Generation {
    pub(crate) api: Option<Api>,
    accepts_all: bool,
    /// STATUS is answered with 50
    pub(crate) not_ready: bool,
}

pub(crate) const GENERATIONS: [(&str, Generation); 6] = {
    const fn of(api: Option<Api>, accepts_all: bool) -> Generation {
        Generation { api, accepts_all, not_ready: false }
    }
    [
        ("a v1beta1 agent", of(Some(Api::V1BETA1), true)),
        ("a v1beta1 agent of 0.4.0", of(Some(Api::V1BETA1), false)),
        ("an agent with the older name", of(Some(Api::VMWARE), false)),
        ("a v1 agent", of(Some(Api::V1), true)),
        ("a v1 agent that is not ready", Generation { not_ready: true, ..of(Some(Api::V1), true) }),
        ("an agent of the future", of(None, true)),
    ]
};

/// What the agents of a node share.
#[derive(Default)]
pub(crate) struct Container {
    /// The agent knows of it
    pub(crate) attached: bool,
    /// There is an interface in its namespace
    pub(crate) link: bool,
    /// A living agent goes on with a call whose caller is gone
    pending: Option<Action>,
}

/// What happened, for the invariants.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Connected(u64),
    /// A call that went out: API, command, cniVersion, whether it was a question without
    /// an effect, and how it ended
    Called {
        api: Api,
        action: Action,
        version: String,
        broken: bool,
        end: End,
    },
    Slept(Duration),
    /// For a socket that was missing
    Waited,
    LinkRemoved,
    /// An ADD took effect while another one was alive
    Twice,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Done,
    Refused,
    InBand,
    Unimplemented,
    NotTaken,
    /// Cut off, and whether the process is gone for all to see
    Cut {
        dead: bool,
    },
    Silence,
    Other,
}

pub(crate) struct World {
    pub(crate) choices: Choices,
    start: Instant,
    elapsed: Cell<Duration>,
    generation: Cell<Generation>,
    /// Which process serves
    process: Cell<u64>,
    /// When the socket can be connected to, and what it says until then
    up_at: Cell<Option<Duration>>,
    away: Cell<ErrorKind>,
    seen: Cell<Option<Duration>>,
    containers: RefCell<BTreeMap<String, Container>>,
    pub(crate) events: RefCell<Vec<Event>>,
    dead: RefCell<Vec<u64>>,
    /// Whether the agent closes each connection with a call
    closes: Cell<bool>,
    /// Whether the last answer to STATUS was that the agent is ready
    pub(crate) said_ready: Cell<Option<bool>>,
}

impl World {
    pub(crate) fn new(choices: Choices, generation: Generation) -> Rc<Self> {
        Rc::new(Self {
            choices,
            start: Instant::now(),
            elapsed: Cell::default(),
            generation: Cell::new(generation),
            process: Cell::new(1),
            up_at: Cell::new(Some(Duration::ZERO)),
            away: Cell::new(ErrorKind::NotFound),
            seen: Cell::default(),
            containers: RefCell::default(),
            events: RefCell::default(),
            dead: RefCell::default(),
            closes: Cell::default(),
            said_ready: Cell::default(),
        })
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed.get()
    }

    pub(crate) fn generation(&self) -> Generation {
        self.generation.get()
    }

    /// When an agent can be connected to; `None`: never.
    pub(crate) fn up_at(&self) -> Option<Duration> {
        self.up_at.get()
    }

    pub(crate) fn with<T>(&self, container: &str, read: impl FnOnce(&mut Container) -> T) -> T {
        read(self.containers.borrow_mut().entry(container.to_owned()).or_default())
    }

    fn pass(&self, time: Duration) {
        self.elapsed.set(self.elapsed.get() + time);
    }

    fn tell(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }

    /// Living agents finish what they began.
    pub(crate) fn settle(&self) {
        let waiting: Vec<_> = {
            let mut containers = self.containers.borrow_mut();
            containers
                .iter_mut()
                .filter_map(|(id, it)| Some((id.clone(), it.pending.take()?)))
                .collect()
        };
        for (container, action) in waiting {
            self.act(&container, action);
        }
    }

    /// The agent's process ends, and another one comes, or none.
    fn die(&self) {
        self.dead.borrow_mut().push(self.process.get());
        self.process.set(self.process.get() + 1);
        self.containers.borrow_mut().values_mut().for_each(|it| it.pending = None);
        self.closes.set(false);
        self.go_away();
        self.generation.set(self.choices.choose(&GENERATIONS));
    }

    fn go_away(&self) {
        let seconds = self.choices.choose(&[
            ("the next one is there at once", Some(0)),
            ("there is none for 1 s", Some(1)),
            ("there is none for 20 s", Some(20)),
            ("there is none any more", None),
        ]);
        self.up_at.set(seconds.map(|seconds| self.elapsed() + Duration::from_secs(seconds)));
    }

    /// What an agent does for a command; the code of the error, or 0.
    fn act(&self, container: &str, action: Action) -> i32 {
        let twice = self.with(container, |it| match action {
            Action::Add if it.attached => Err(()),
            Action::Add if it.link => Ok(102),
            Action::Add => {
                (it.attached, it.link) = (true, true);
                Ok(0)
            }
            Action::Del => {
                // It knows nothing of an interface that was half made.
                it.link &= !it.attached;
                it.attached = false;
                Ok(0)
            }
            _ => Ok(0),
        });
        twice.unwrap_or_else(|()| {
            self.tell(Event::Twice);
            102
        })
    }
}

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
    Slow,
    Garbage,
    Fails,
    Unavailable,
}

const FATES: [(&str, Fate); 16] = [
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
    ("it is slow", Fate::Slow),
    ("it answers with garbage", Fate::Garbage),
    ("it fails", Fate::Fails),
    ("it answers UNAVAILABLE", Fate::Unavailable),
];

/// The node as the ladder sees it.
pub(crate) struct SimulatedNode(pub(crate) Rc<World>);

impl Node for SimulatedNode {
    type Connection = SimulatedConnection;
    type Waiting = ();

    fn now(&self) -> Instant {
        self.0.start + self.0.elapsed()
    }

    fn sleep(&self, pause: Duration) {
        self.0.pass(pause);
        self.0.tell(Event::Slept(pause));
    }

    fn connect(
        &self,
        deadline: Instant,
        watched: bool,
    ) -> Result<SimulatedConnection, grpc::Error> {
        let world = &self.0;
        world.settle();
        if world.up_at().is_some_and(|up_at| up_at <= world.elapsed()) {
            match world.choices.choose(&[
                ("it is connected to", 0),
                ("its socket is missing", 1),
                ("nobody listens", 2),
                ("its backlog is full", 3),
                ("it was replaced", 4),
            ]) {
                0 => (),
                4 => world.die(),
                kind => {
                    let kinds =
                        [ErrorKind::NotFound, ErrorKind::ConnectionRefused, ErrorKind::WouldBlock];
                    world.away.set(kinds[kind - 1]);
                    world.go_away();
                    if world.up_at() == Some(world.elapsed()) {
                        world.up_at.set(Some(world.elapsed() + Duration::from_millis(3)));
                    }
                }
            }
        }
        if world.up_at().is_none_or(|up_at| up_at > world.elapsed()) {
            return Err(grpc::Error::Unreachable(world.away.get().into()));
        }
        let process = world.process.get();
        world.tell(Event::Connected(process));
        let (world, closed) = (Rc::clone(world), false);
        Ok(SimulatedConnection { world, process, deadline, watched, unseen: false, closed })
    }

    /// A socket is seen when it comes, a listener at the next look.
    fn wait(&self, (): &mut (), away: &grpc::Error, until: Instant) {
        let left = until - self.now();
        if away.is_missing() {
            let comes = self.0.up_at().map(|up_at| up_at.saturating_sub(self.0.elapsed()));
            self.0.pass(comes.unwrap_or(left).min(left));
            self.0.tell(Event::Waited);
        } else {
            self.sleep(Duration::from_millis(80).min(left));
        }
    }

    fn remove_link(&self, _: &str, _: &str) {
        // The one container that a command is about.
        self.0.containers.borrow_mut().values_mut().for_each(|it| {
            if !it.attached {
                it.link = false;
            }
        });
        self.0.tell(Event::LinkRemoved);
    }

    fn remember(&self) {
        self.0.seen.set(Some(self.0.elapsed()));
    }

    fn forget(&self) {
        self.0.seen.set(None);
    }

    fn was_seen(&self, within: Duration) -> bool {
        self.0.seen.get().is_some_and(|seen| self.0.elapsed() - seen < within)
    }
}

pub(crate) struct SimulatedConnection {
    world: Rc<World>,
    process: u64,
    deadline: Instant,
    watched: bool,
    unseen: bool,
    closed: bool,
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
        let id = ["c0", "c1", "c2"].into_iter().find(|id| text.contains(id));
        let broken = message.is_empty();
        let (end, reply) = self.answer(&api, action, &version, broken, id.unwrap_or("c0"));
        self.world.tell(Event::Called { api, action, version, broken, end });
        reply
    }

    fn call_undecodable(&mut self, path: String) -> Result<Bytes, grpc::Error> {
        self.call(path, Bytes::new())
    }

    fn peer_id(&self) -> Option<i32> {
        (!self.unseen).then(|| i32::try_from(self.process).unwrap_or_default())
    }

    fn peer_is_gone(&self) -> bool {
        self.watched && !self.unseen && self.world.dead.borrow().contains(&self.process)
    }
}

impl SimulatedConnection {
    fn answer(
        &mut self,
        api: &Api,
        action: Action,
        version: &str,
        broken: bool,
        container: &str,
    ) -> (End, Result<Bytes, grpc::Error>) {
        let world = Rc::clone(&self.world);
        let cut = || grpc::Error::Cut("simulated".to_owned());
        assert!(!self.closed, "a call on a connection that is closed");
        let fate = match world.closes.get() {
            true => Fate::ClosesForGood,
            false => world.choices.choose(&FATES),
        };
        world.pass(Duration::from_millis(1));
        let generation = world.generation();
        let has_method = generation.api == Some(*api);
        match fate {
            Fate::GoawayAbove | Fate::Refused => {
                self.closed = true;
                return (End::NotTaken, Err(grpc::Error::NotTaken("simulated".to_owned())));
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
                return (End::Other, Err(grpc::Error::Ended("simulated".to_owned())));
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
                    world.act(container, action);
                }
                world.die();
                (End::Cut { dead: true }, Err(cut()))
            }
            Fate::ClosedBefore | Fate::ClosedAfter | Fate::ClosesForGood | Fate::GoawayBelow => {
                self.closed = true;
                world.closes.set(fate == Fate::ClosesForGood);
                if acts && matches!(fate, Fate::ClosedBefore | Fate::ClosesForGood) {
                    world.with(container, |it| it.pending = Some(action));
                } else if acts {
                    world.act(container, action);
                }
                (End::Cut { dead: false }, Err(cut()))
            }
            Fate::Silent => {
                let left = self.deadline.saturating_duration_since(world.start + world.elapsed());
                world.pass(left);
                if acts {
                    world.with(container, |it| it.pending = Some(action));
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
            Fate::Slow if self.deadline < world.start + world.elapsed() + SLOW => {
                let left = self.deadline.saturating_duration_since(world.start + world.elapsed());
                world.pass(left);
                world.act(container, action);
                (End::Silence, Err(grpc::Error::Deadline))
            }
            _ if !takes => {
                world.said_ready.set(None);
                (End::Refused, Ok(reply(1, version)))
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
                let code = if not_ready { 50 } else { world.act(container, action) };
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
