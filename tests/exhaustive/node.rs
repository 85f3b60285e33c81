// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A simulated [`Node`].

use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use antrea_cni::client::{Node, OwedDels};
use antrea_cni::input::CmdArgs;
use antrea_cni::{Change, Deadline, LastChange, grpc};

use crate::agent::SimulatedConnection;
use crate::world::{Event, OwedDel, World};

/// A node that is simulated.
pub(crate) struct SimulatedNode(pub(crate) Rc<World>);

impl Node for SimulatedNode {
    type Connection = SimulatedConnection;
    type Netns = ();
    type Owed = SimulatedOwed;

    fn now(&self) -> Instant {
        self.0.start + self.0.elapsed()
    }

    fn sleep(&self, pause: Duration) {
        self.0.pass(pause);
        self.0.tell(Event::Slept(pause));
    }

    fn connect(
        &self,
        deadline: &Rc<Deadline>,
        track_peer: bool,
    ) -> Result<SimulatedConnection, grpc::Error> {
        let world = &self.0;
        world.looked_at.set(world.elapsed());
        world.settle();
        if world.up_at().is_some_and(|up_at| up_at <= world.elapsed()) {
            match world.choose(&[
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
        let process = world.listener.get();
        world.tell(Event::Connected(process));
        let (world, deadline, closed) = (Rc::clone(world), Rc::clone(deadline), false);
        // Who had ended before was never seen alive.
        let was_gone = track_peer && world.dead.borrow().contains(&process);
        let (tracked, unseen) = (track_peer && !was_gone, false);
        Ok(SimulatedConnection { world, process, deadline, tracked, was_gone, unseen, closed })
    }

    fn last_conf_change(&self) -> LastChange {
        let world = Rc::clone(&self.0);
        Box::new(move || {
            let since = |it| world.elapsed().checked_sub(it);
            let delay_ended = world.delay_ended.get().and_then(since);
            Some(Change { age: since(world.conf_changed.get()?)?, delay_ended })
        })
    }

    fn record_delay(&self) {
        self.0.delay_ended.set(Some(self.0.elapsed()));
    }

    fn netns(&self) -> Option<()> {
        Some(())
    }

    fn netns_is_gone(&self, path: &str) -> bool {
        path.is_empty()
    }

    fn is_own_type(&self, name: &str) -> bool {
        name == "antrea"
    }

    fn remove_veth(&self, _: &str, (): (), _: &str) {
        if self.0.others_link.get() {
            self.0.tell(Event::OthersLinkRemoved);
        }
        let container = self.0.container.borrow().clone();
        self.0.with(&container, |it| it.link &= it.attached);
    }

    fn store_owed_del(&self, args: &CmdArgs, later: Duration) -> bool {
        let world = &self.0;
        let what = world.choose(&[
            ("it is written down", 0),
            ("it cannot be written down", 1),
            ("the plugin is killed before it is written down", 2),
            ("the plugin is killed after it is written down", 3),
        ]);
        match what {
            1 => return false,
            2 => world.kill_plugin(),
            _ => (),
        }
        let due = world.elapsed() + later;
        let mut owed = world.owed.borrow_mut();
        match owed.iter_mut().find(|it| it.args.container_id == args.container_id) {
            Some(old) => old.due = old.due.max(due),
            None => owed.push(OwedDel { args: args.clone(), due }),
        }
        drop(owed);
        if what == 3 {
            world.kill_plugin();
        }
        true
    }

    fn open_owed_dels(&self) -> io::Result<Option<SimulatedOwed>> {
        Ok((!self.0.owed.borrow().is_empty()).then(|| SimulatedOwed(Rc::clone(&self.0))))
    }

    fn was_seen(&self, within: Duration) -> bool {
        self.0.seen.get().is_some_and(|seen| self.0.elapsed() - seen < within)
    }
}

/// The DELs that are owed on it.
pub(crate) struct SimulatedOwed(Rc<World>);

impl OwedDels for SimulatedOwed {
    type Entry = OwedDel;
    type Claim = ();

    fn find(&self, args: &CmdArgs) -> io::Result<Option<OwedDel>> {
        let owed = self.0.owed.borrow();
        Ok(owed.iter().find(|it| Self::is_for(it, args)).cloned())
    }

    fn due(&self) -> Vec<OwedDel> {
        self.0.tell(Event::Settling);
        let mut due = self.0.owed.borrow().clone();
        due.retain(|it| it.due <= self.0.elapsed());
        due.sort_by_key(|it| it.due);
        due
    }

    fn try_lock(&self) -> bool {
        !self.0.choose(&[("", false), ("another process sends what is owed", true)])
    }

    fn claim(&self, entry: &OwedDel) -> io::Result<((), CmdArgs)> {
        if !self.0.owed.borrow().contains(entry) {
            return Err(ErrorKind::NotFound.into());
        }
        match self.0.choose(&[("", false), ("another process sends this one", true)]) {
            true => Err(ErrorKind::WouldBlock.into()),
            false => Ok(((), entry.args.clone())),
        }
    }

    fn remove(&self, entry: &OwedDel) -> bool {
        let what = self.0.choose(&[
            ("", 0),
            ("the plugin is killed before the DEL is removed", 1),
            ("the plugin is killed after the DEL is removed", 2),
            ("the DEL cannot be removed", 3),
        ]);
        match what {
            1 => self.0.kill_plugin(),
            3 => return false,
            _ => self.0.owed.borrow_mut().retain(|it| it != entry),
        }
        if what == 2 {
            self.0.kill_plugin();
        }
        true
    }

    fn postpone(&self, entry: &OwedDel, (): &()) {
        let due = self.0.elapsed() + Duration::from_secs(60);
        let mut owed = self.0.owed.borrow_mut();
        owed.iter_mut().filter(|it| *it == entry).for_each(|it| it.due = due);
    }

    fn is_for(entry: &OwedDel, args: &CmdArgs) -> bool {
        entry.args.container_id == args.container_id
    }

    fn key(entry: &OwedDel) -> String {
        entry.args.container_id.clone()
    }
}
