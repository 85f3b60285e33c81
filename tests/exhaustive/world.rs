//! What is simulated: a clock that the test turns, and an agent as a small state machine
//! with the behaviour of real ones.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use antrea_cni::{Action, Api};

use crate::choices::Choices;

/// What an agent serves: an API, or none of ours, and whether it takes more than 0.4.0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Generation {
    pub(crate) api: Option<Api>,
    pub(crate) accepts_all: bool,
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
    pub(crate) pending: Option<Action>,
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
    pub(crate) start: Instant,
    pub(crate) elapsed: Cell<Duration>,
    generation: Cell<Generation>,
    /// Which process serves
    pub(crate) process: Cell<u64>,
    /// When the socket can be connected to, and what it says until then
    pub(crate) up_at: Cell<Option<Duration>>,
    pub(crate) away: Cell<ErrorKind>,
    pub(crate) seen: Cell<Option<Duration>>,
    pub(crate) containers: RefCell<BTreeMap<String, Container>>,
    pub(crate) events: RefCell<Vec<Event>>,
    pub(crate) dead: RefCell<Vec<u64>>,
    /// Whether the agent closes each connection with a call
    pub(crate) closes: Cell<bool>,
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

    pub(crate) fn pass(&self, time: Duration) {
        self.elapsed.set(self.elapsed.get() + time);
    }

    pub(crate) fn tell(&self, event: Event) {
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
    pub(crate) fn die(&self) {
        self.dead.borrow_mut().push(self.process.get());
        self.process.set(self.process.get() + 1);
        self.containers.borrow_mut().values_mut().for_each(|it| it.pending = None);
        self.closes.set(false);
        self.go_away();
        self.generation.set(self.choices.choose(&GENERATIONS));
    }

    pub(crate) fn go_away(&self) {
        let seconds = self.choices.choose(&[
            ("the next one is there at once", Some(0)),
            ("there is none for 1 s", Some(1)),
            ("there is none for 20 s", Some(20)),
            ("there is none any more", None),
        ]);
        self.up_at.set(seconds.map(|seconds| self.elapsed() + Duration::from_secs(seconds)));
    }

    /// What an agent does for a command; the code of the error, or 0.
    pub(crate) fn act(&self, container: &str, action: Action) -> i32 {
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
