//! What has to hold after every schedule.

use std::time::Duration;

use antrea_cni::{Action, Api, Error};

use crate::world::{End, Event, World};

/// What a command came to.
pub(crate) struct Outcome {
    pub(crate) action: Action,
    pub(crate) result: Result<bytes::Bytes, Error>,
    pub(crate) started: Duration,
    pub(crate) total: Duration,
    pub(crate) wait: Duration,
    /// Whether a DEL may succeed without an agent
    pub(crate) may_be_left: bool,
    pub(crate) container: String,
}

/// Says which invariant does not hold.
pub(crate) fn check(world: &World, outcome: &Outcome) -> Result<(), String> {
    let Outcome { action, result, started, total, .. } = outcome;
    let events = world.events.borrow();
    let succeeded = result.is_ok();
    let took = world.elapsed() - *started;
    if took > *total + Duration::from_millis(5) {
        return Err(format!("the answer came after {took:?}, and not by {total:?}"));
    }
    if result.as_ref().is_err_and(|error| error.code() == 0) {
        return Err("an error has the code 0".to_owned());
    }
    let sent = events.iter().filter(|event| matches!(event, Event::Connected(_))).count();
    if sent > 130 {
        return Err(format!("{sent} connections for one command"));
    }
    pauses(&events)?;
    pause_between(&events)?;
    if events.contains(&Event::Twice) {
        return Err("an ADD took effect while another one was alive".to_owned());
    }
    ladder(&events)?;
    match action {
        Action::Add => add(world, &events, outcome),
        Action::Del => del(&events, outcome),
        Action::Status if succeeded => ready(world, &events, outcome),
        _ => Ok(()),
    }
}

/// Pauses between attempts grow: a second of one command has not more than a few
/// dozens of them.
fn pauses(events: &[Event]) -> Result<(), String> {
    let short = events.iter().filter(|event| {
        matches!(event, Event::Slept(pause) if *pause < Duration::from_millis(4) && !pause.is_zero())
    });
    // The last one before a deadline may be short.
    match short.count() {
        0..=3 => Ok(()),
        many => Err(format!("{many} pauses below 4 ms")),
    }
    .and_then(|()| {
        let total: Duration = events
            .iter()
            .filter_map(|event| match event {
                Event::Slept(pause) => Some(*pause),
                _ => None,
            })
            .sum();
        let count = events.iter().filter(|event| matches!(event, Event::Slept(_))).count();
        // 5 ms for a process that dies, 80 ms for an agent that is away.
        let most = 900 + total.as_millis() as usize / 40;
        if count > most { Err(format!("{count} pauses in {total:?}")) } else { Ok(()) }
    })
}

/// The same command is asked on another connection only after a pause.
fn pause_between(events: &[Event]) -> Result<(), String> {
    let (mut last, mut is_new, mut slept) = (None, false, false);
    for event in events {
        match event {
            Event::Connected(_) => is_new = true,
            Event::Slept(pause) => slept |= !pause.is_zero(),
            Event::Waited => slept = true,
            Event::Called { action, broken: false, .. } => {
                if is_new && last == Some(*action) && !slept {
                    return Err(format!("{action:?} was asked again without a pause"));
                }
                (last, is_new, slept) = (Some(*action), false, false);
            }
            _ => (),
        }
    }
    Ok(())
}

/// Newest first, each API and version once a connection, down on UNIMPLEMENTED alone.
fn ladder(events: &[Event]) -> Result<(), String> {
    let position = |api: &Api| Api::ALL.iter().position(|it| it == api).unwrap();
    for walk in events.split(|event| matches!(event, Event::Connected(_))) {
        let calls: Vec<_> = walk
            .iter()
            .filter_map(|event| match event {
                Event::Called { api, action, version, broken, end } => {
                    Some((api, action, version, broken, end))
                }
                _ => None,
            })
            .collect();
        for pair in calls.windows(2) {
            let [(api, action, version, broken, end), (next, next_action, lower, next_broken, _)] =
                pair
            else {
                continue;
            };
            if **next_broken && !**broken {
                continue;
            }
            let step = position(next) - position(api).min(position(next));
            let same = api == next && action == next_action;
            match (same, step) {
                (true, _) if **end == End::Refused && lower < version => (),
                (false, 1..) if **end == End::Unimplemented => (),
                _ => return Err(format!("{next:?} was asked after {api:?} ended in {end:?}")),
            }
        }
        if let Some((api, action, ..)) = calls.first() {
            let newest = Api::ALL.iter().find(|api| (api.method)(**action).is_some());
            if newest != Some(*api) {
                return Err(format!("the first API is {api:?}"));
            }
        }
    }
    Ok(())
}

fn add(world: &World, events: &[Event], outcome: &Outcome) -> Result<(), String> {
    let attached = world.with(&outcome.container, |it| it.attached && it.link);
    if outcome.result.is_ok() && !attached {
        return Err("ADD reports success, and the container has no interface".to_owned());
    }
    // Sent again only after a refusal, a call that was not taken, or a death and a DEL.
    let mut open: Option<End> = None;
    let mut undone = true;
    let mut again = 0;
    for event in events {
        match event {
            Event::Called { action: Action::Add, end, .. } => {
                match open {
                    Some(End::Cut { dead: false } | End::Silence) => {
                        return Err("an ADD was sent again beside a living agent".to_owned());
                    }
                    Some(End::Cut { dead: true }) if !undone => {
                        return Err("an ADD was sent again, and not undone".to_owned());
                    }
                    Some(End::Done | End::InBand | End::Other) => {
                        return Err("an ADD was sent again after an answer".to_owned());
                    }
                    _ => (),
                }
                again += i32::from(matches!(open, Some(End::Cut { .. })));
                (open, undone) = (Some(*end), false);
            }
            Event::Called { action: Action::Del, end: End::Done, .. } => undone = true,
            _ => (),
        }
    }
    if again > 2 {
        return Err(format!("an ADD was sent again {again} times"));
    }
    Ok(())
}

fn del(events: &[Event], outcome: &Outcome) -> Result<(), String> {
    let last = events.iter().rev().find_map(|event| match event {
        Event::Called { end, .. } => Some(*end),
        _ => None,
    });
    let ended: Vec<_> = events
        .iter()
        .filter(|event| matches!(event, Event::Called { end: End::Cut { dead: true }, .. }))
        .collect();
    if ended.len() > 3 {
        return Err(format!("a DEL ended {} agents", ended.len()));
    }
    if outcome.result.is_err() || last == Some(End::Done) || outcome.may_be_left {
        return Ok(());
    }
    Err(format!("DEL reports success, and the last call ended in {last:?}"))
}

/// An ADD that starts now would be answered within its wait.
fn ready(world: &World, events: &[Event], outcome: &Outcome) -> Result<(), String> {
    let generation = world.generation();
    let last = events.iter().rev().find_map(|event| match event {
        Event::Called { end, .. } => Some(*end),
        _ => None,
    });
    let answered =
        last.is_some_and(|end| !matches!(end, End::Cut { .. } | End::Silence | End::NotTaken));
    if answered && (generation.api.is_none() || generation.not_ready) {
        return Err(format!("STATUS is ready with {generation:?}"));
    }
    if !answered && world.said_ready.get() == Some(false) {
        return Err("STATUS is ready, and the agent said last that it is not".to_owned());
    }
    if !answered && outcome.wait.is_zero() {
        return Err("STATUS is ready without an answer, and an ADD would not wait".to_owned());
    }
    Ok(())
}
