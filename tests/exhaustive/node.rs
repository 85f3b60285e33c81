//! The node as the ladder sees it.

use std::io::ErrorKind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use antrea_cni::grpc;
use antrea_cni::ladder::Node;

use crate::agent::SimulatedConnection;
use crate::world::{Event, World};

/// A node that is simulated.
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
