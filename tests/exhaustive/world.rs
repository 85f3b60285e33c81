// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What is simulated: a clock that the test turns, and an agent as a small state machine
//! with the behaviour of real ones.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::panic;
use std::rc::Rc;
use std::time::{Duration, Instant};

use antrea_cni::input::CmdArgs;
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
    /// A living agent goes on with a call whose caller is gone, and whether that sent a DEL
    /// that was owed
    pub(crate) pending: Option<(Action, bool)>,
    /// The runtime was told that an ADD succeeded, and of no DEL since
    pub(crate) live: bool,
    /// The same, and it has asked for no DEL since
    pub(crate) undisturbed: bool,
    /// The runtime was told that a DEL succeeded, and has asked for no ADD since
    pub(crate) deleted: bool,
}

/// A DEL that is owed: for which container, and since when it is due.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwedDel {
    pub(crate) args: CmdArgs,
    pub(crate) due: Duration,
}

/// The plugin is killed here.
pub(crate) struct Killed;

/// What happened, for the invariants.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "most are calls")]
pub(crate) enum Event {
    Connected(u64),
    /// A call that went out: API, command, cniVersion, whether it was a question without
    /// an effect, and how it ended
    Called {
        api: Api,
        action: Action,
        version: String,
        broken: bool,
        container: &'static str,
        /// The time of the command that was left
        left: Duration,
        end: End,
    },
    Slept(Duration),
    /// From here on DELs that were owed are sent
    Settling,
    /// A link was removed that the call did not make
    OthersLinkRemoved,
    /// An ADD took effect while another one was alive
    Twice,
    /// A DEL that was owed took effect on a container that lives
    DeletedLive,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Done,
    Refused,
    InBand,
    /// Code 11: nothing was done
    Busy,
    Unimplemented,
    NotTaken,
    /// Cut off, and whether the process is gone for all to see
    Cut {
        dead: bool,
    },
    /// Cut off by a child of the process that listened, which ended
    Inherited,
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
    /// Which process called listen(), as the kernel tells it
    pub(crate) listener: Cell<u64>,
    /// When the socket can be connected to, and what it says until then
    pub(crate) up_at: Cell<Option<Duration>>,
    pub(crate) away: Cell<ErrorKind>,
    /// When the plugin looked for an agent last
    pub(crate) looked_at: Cell<Duration>,
    pub(crate) seen: Cell<Option<Duration>>,
    pub(crate) containers: RefCell<BTreeMap<String, Container>>,
    pub(crate) events: RefCell<Vec<Event>>,
    pub(crate) dead: RefCell<Vec<u64>>,
    /// Whether the agent closes each connection with a call
    pub(crate) closes: Cell<bool>,
    pub(crate) owed: RefCell<Vec<OwedDel>>,
    /// When the runtime's folder of network configurations changed
    pub(crate) conf_changed: Cell<Option<Duration>>,
    /// When a command ended that had delayed the runtime's reading of it
    pub(crate) delay_ended: Cell<Option<Duration>>,
    /// The link in the container's namespace is another plugin's
    pub(crate) others_link: Cell<bool>,
    /// Nothing happens any more
    pub(crate) healed: Cell<bool>,
    /// The container that the command is about
    pub(crate) container: RefCell<String>,
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
            listener: Cell::new(1),
            up_at: Cell::new(Some(Duration::ZERO)),
            away: Cell::new(ErrorKind::NotFound),
            looked_at: Cell::default(),
            seen: Cell::default(),
            containers: RefCell::default(),
            events: RefCell::default(),
            dead: RefCell::default(),
            closes: Cell::default(),
            owed: RefCell::default(),
            conf_changed: Cell::default(),
            delay_ended: Cell::default(),
            others_link: Cell::default(),
            healed: Cell::default(),
            container: RefCell::default(),
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
        let mut events = self.events.borrow_mut();
        match (events.last_mut(), &event) {
            // A pause is interrupted by looks at the runtime's folder.
            (Some(Event::Slept(slept)), Event::Slept(more)) => *slept += *more,
            _ => events.push(event),
        }
    }

    /// Chooses what happens: nothing, once all is healed.
    pub(crate) fn choose<T: Copy>(&self, options: &[(&str, T)]) -> T {
        if self.healed.get() { options[0].1 } else { self.choices.choose(options) }
    }

    /// Ends the plugin's process.
    pub(crate) fn kill_plugin(&self) -> ! {
        // What the agent said is remembered by nobody.
        self.said_ready.set(None);
        panic::resume_unwind(Box::new(Killed))
    }

    /// An agent that does all is there, and nothing happens any more.
    pub(crate) fn heal(&self) {
        self.healed.set(true);
        self.closes.set(false);
        self.generation.set(Generation { api: Some(Api::V1), accepts_all: true, not_ready: false });
        self.up_at.set(Some(self.elapsed()));
        // What is due later is due now.
        self.pass(Duration::from_secs(100));
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
        for (container, (action, is_settled)) in waiting {
            self.act(&container, action, is_settled);
        }
    }

    /// The agent's process ends, and another one comes, or none.
    pub(crate) fn die(&self) {
        self.dead.borrow_mut().push(self.process.get());
        self.process.set(self.process.get() + 1);
        self.listener.set(self.process.get());
        self.containers.borrow_mut().values_mut().for_each(|it| it.pending = None);
        self.closes.set(false);
        self.go_away();
        self.generation.set(self.choose(&GENERATIONS));
    }

    pub(crate) fn go_away(&self) {
        let (seconds, is_rewritten) = self.choose(&[
            ("the next one is there at once", (Some(0), false)),
            ("there is none for 1 s", (Some(1), false)),
            ("there is none for 20 s", (Some(20), false)),
            ("there is none for 50 s, and the conflist is rewritten", (Some(50), true)),
            ("there is none any more", (None, false)),
        ]);
        if is_rewritten {
            self.conf_changed.set(Some(self.elapsed()));
        }
        self.up_at.set(seconds.map(|seconds| self.elapsed() + Duration::from_secs(seconds)));
    }

    /// Whether a call for a container is one that was owed, and not the command's own.
    pub(crate) fn is_settled(&self, container: &str) -> bool {
        *self.container.borrow() != container || self.events.borrow().contains(&Event::Settling)
    }

    /// What an agent does for a command; the code of the error, or 0.
    pub(crate) fn act(&self, container: &str, action: Action, is_settled: bool) -> i32 {
        if action == Action::Del && is_settled && self.with(container, |it| it.undisturbed) {
            self.tell(Event::DeletedLive);
        }
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
