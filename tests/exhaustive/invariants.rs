// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What has to hold after every schedule.

use std::time::Duration;

use antrea_cni::{Action, Api, Error, Outcome, client, grpc};

use crate::world::{End, Event, World};

/// What a command came to.
pub(crate) struct Ended {
    pub(crate) action: Action,
    /// None if the plugin was killed
    pub(crate) outcome: Option<Outcome>,
    pub(crate) started: Duration,
    pub(crate) total: Duration,
    pub(crate) wait: Duration,
    pub(crate) container: String,
}

/// Says which invariant does not hold.
pub(crate) fn check(world: &World, run: &Ended) -> Result<(), String> {
    let Ended { action, outcome, started, total, .. } = run;
    let events = world.events.borrow();
    let succeeded = outcome.as_ref().is_some_and(|it| it.result.is_ok());
    let took = world.elapsed() - *started;
    if took > *total + Duration::from_millis(5) {
        return Err(format!("the answer came after {took:?}, and not by {total:?}"));
    }
    let failed = outcome.as_ref().and_then(|it| it.result.as_ref().err());
    if failed.is_some_and(|error| error.code() == 0) {
        return Err("an error has the code 0".to_owned());
    }
    gives_way(world, *started)?;
    waits(world, &events, run)?;
    let sent = events.iter().filter(|event| matches!(event, Event::Connected(_))).count();
    // The pauses between attempts grow to a second, and begin anew with each process.
    if sent > 80 + total.as_secs() as usize {
        return Err(format!("{sent} connections for one command"));
    }
    pauses(&events)?;
    pause_between(&events)?;
    for (event, why) in [
        (Event::Twice, "an ADD took effect while another one was alive"),
        (Event::OthersLinkRemoved, "another plugin's link was removed"),
        (Event::DeletedLive, "a DEL that was owed came after a later ADD"),
    ] {
        if events.contains(&event) {
            return Err(why.to_owned());
        }
    }
    fallback(&events)?;
    again(&events)?;
    match action {
        Action::Add => add(world, &events, run),
        Action::Del => del(&events, run),
        Action::Status if succeeded => ready(world, &events, run),
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
            Event::Settling => (last, is_new, slept) = (None, false, false),
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

/// A command ends 20 s after the runtime's folder changed, or after its own begin.
fn gives_way(world: &World, started: Duration) -> Result<(), String> {
    let Some(changed) = world.conf_changed.get() else { return Ok(()) };
    let most = changed.max(started) + Duration::from_secs(21);
    let is_within = |moment: Duration, s| moment + Duration::from_secs(s) > started;
    let follows_one = world.delay_ended.get().is_some_and(|it| it <= started && is_within(it, 8));
    let counts = is_within(changed, 12) || follows_one && is_within(changed, 65);
    if counts && changed < world.elapsed() && world.elapsed() > most {
        let ended = world.elapsed();
        return Err(format!(
            "the conflist was rewritten at {changed:?}, and the call of {started:?} ended at {ended:?}"
        ));
    }
    Ok(())
}

/// Who gives up looked for an agent at the very end, and an ADD not before its wait is over.
fn waits(world: &World, events: &[Event], run: &Ended) -> Result<(), String> {
    let Ended { action, outcome: Some(outcome), started, total, wait, .. } = run else {
        return Ok(());
    };
    let is_away = matches!(
        outcome.result,
        Err(Error::Client(client::Error::Call(grpc::Error::Unreachable(_))))
    );
    let (looked, ended) = (world.looked_at.get(), world.elapsed());
    if is_away && looked < ended {
        return Err(format!("it gave up at {ended:?}, and looked for an agent at {looked:?}"));
    }
    let is_alone = !events.iter().any(|event| matches!(event, Event::Connected(_)));
    let least = (*wait).min(*total);
    if is_away && is_alone && *action == Action::Add && ended - *started < least {
        return Err(format!("an ADD gave up after {:?} of {least:?}", ended - *started));
    }
    Ok(())
}

/// Newest first, each API and version once a process, down on UNIMPLEMENTED alone.
fn fallback(events: &[Event]) -> Result<(), String> {
    let mut process = 0;
    let mut refused: Vec<(u64, Api, Action)> = Vec::new();
    let mut last: Option<(Api, Action, String, End)> = None;
    for event in events {
        match event {
            Event::Connected(id) => (process, last) = (*id, None),
            // The next question on the connection
            Event::Settling => last = None,
            Event::Called { api, action, version, broken, end, .. } => {
                let lower = last.as_ref().is_some_and(|(it, then, higher, end)| {
                    (it, then, *end) == (api, action, End::Refused) && version < higher
                });
                let newest = Api::ALL.iter().find(|it| {
                    let is_asked = refused.contains(&(process, **it, *action));
                    (it.method)(*action).is_some() && !is_asked
                });
                if !lower && newest != Some(api) {
                    return Err(format!("{api:?} was asked, and not {newest:?}"));
                }
                if *end == End::Unimplemented {
                    refused.push((process, *api, *action));
                }
                last = (!broken).then(|| (*api, *action, version.clone(), *end));
            }
            _ => (),
        }
    }
    Ok(())
}

/// A command is sent again only if it has had no answer, or "try again later"; an ADD then
/// only while the agent has the time to say it again.
fn again(events: &[Event]) -> Result<(), String> {
    let mut last: Option<(Action, &str, End)> = None;
    for event in events {
        match event {
            Event::Settling => last = None,
            Event::Called { action, container, end, left, broken: false, .. } => {
                let is_again = last.is_some_and(|(then, whose, end)| {
                    (then, whose, end) == (Action::Add, container, End::Busy)
                });
                if is_again && *action == Action::Add && *left < Duration::from_secs(35) {
                    return Err(format!("ADD was asked again with {left:?} left"));
                }
                if let Some((then, whose, End::Done | End::InBand | End::Other)) = last
                    && (then, whose) == (*action, container)
                {
                    return Err(format!("{action:?} was sent again after an answer"));
                }
                last = Some((*action, container, *end));
            }
            _ => (),
        }
    }
    Ok(())
}

fn add(world: &World, events: &[Event], run: &Ended) -> Result<(), String> {
    let attached = world.with(&run.container, |it| it.attached && it.link);
    let succeeded = run.outcome.as_ref().is_some_and(|it| it.result.is_ok());
    if succeeded && !attached {
        return Err("ADD reports success, and the container has no interface".to_owned());
    }
    // Sent again only after a refusal, "try again later", a call that was not taken, or a
    // death and a DEL.
    let mut open: Option<End> = None;
    let mut undone = true;
    let (mut again, mut process, mut asked) = (0, 0, 0);
    for event in events.iter().take_while(|event| **event != Event::Settling) {
        match event {
            Event::Connected(id) => process = *id,
            Event::Called { action: Action::Add, end, left, .. } => {
                match open {
                    Some(End::Cut { dead: false } | End::Inherited | End::Silence)
                        if !undone || process == asked =>
                    {
                        return Err("an ADD was sent again beside a living agent".to_owned());
                    }
                    Some(End::Cut { dead: true }) if !undone => {
                        return Err("an ADD was sent again, and not undone".to_owned());
                    }
                    Some(End::Done | End::InBand | End::Other) => {
                        return Err("an ADD was sent again after an answer".to_owned());
                    }
                    Some(End::Busy) if *left < Duration::from_secs(35) - SPENT => {
                        return Err(format!("an ADD was sent again with {left:?} left"));
                    }
                    _ => (),
                }
                again += i32::from(matches!(open, Some(End::Cut { .. } | End::Inherited)));
                asked = process;
                // Another API was asked after the one that had it.
                let is_fallback = matches!((open, end), (Some(End::Busy), End::Unimplemented));
                (open, undone) = (if is_fallback { open } else { Some(*end) }, false);
            }
            Event::Called { action: Action::Del, end, .. } => {
                let lives = match open {
                    Some(End::Cut { dead: false } | End::Silence | End::Busy) => true,
                    Some(End::Inherited) => process == asked,
                    _ => false,
                };
                if lives {
                    return Err("an ADD was undone beside a living agent".to_owned());
                }
                undone |= *end == End::Done;
            }
            _ => (),
        }
    }
    if again > 2 {
        return Err(format!("an ADD was sent again {again} times"));
    }
    Ok(())
}

/// What asking newer APIs took before an ADD was sent again.
const SPENT: Duration = Duration::from_millis(10);

fn del(events: &[Event], run: &Ended) -> Result<(), String> {
    let own: Vec<_> = events.iter().take_while(|event| **event != Event::Settling).collect();
    let ends = || {
        own.iter().filter_map(|event| match event {
            Event::Called { end, .. } => Some(*end),
            _ => None,
        })
    };
    let ended = ends().filter(|end| *end == (End::Cut { dead: true })).count();
    if ended > 3 {
        return Err(format!("a DEL ended {ended} agents"));
    }
    let last = ends().next_back();
    let note = run.outcome.as_ref().and_then(|it| it.note);
    let succeeded = run.outcome.as_ref().is_some_and(|it| it.result.is_ok());
    if !succeeded || last == Some(End::Done) || note.is_some() {
        return Ok(());
    }
    Err(format!("DEL reports success, and the last call ended in {last:?}"))
}

/// An ADD that starts now would be answered within its wait.
fn ready(world: &World, events: &[Event], run: &Ended) -> Result<(), String> {
    let generation = world.generation();
    let own: Vec<_> = events.iter().take_while(|event| **event != Event::Settling).collect();
    let last = own.iter().rev().find_map(|event| match event {
        Event::Called { end, .. } => Some(*end),
        _ => None,
    });
    // The agent may have died since, of a DEL that was owed.
    if own.len() < events.len() {
        return Ok(());
    }
    let answered = last.is_some_and(|end| {
        !matches!(end, End::Cut { .. } | End::Inherited | End::Silence | End::NotTaken)
    });
    if answered && (generation.api.is_none() || generation.not_ready) {
        return Err(format!("STATUS is ready with {generation:?}"));
    }
    if !answered && world.said_ready.get() == Some(false) {
        return Err("STATUS is ready, and the agent said last that it is not".to_owned());
    }
    if !answered && run.wait.is_zero() {
        return Err("STATUS is ready without an answer, and an ADD would not wait".to_owned());
    }
    Ok(())
}
