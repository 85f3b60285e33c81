// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Every schedule of faults up to a length, with the code that ships: `cargo test --test
//! exhaustive`.
//!
//! The client runs on a node that is simulated, with a clock that the test turns. At each
//! connection and each call one of many things happens; all sequences of them are tried,
//! the short ones first, and [`invariants`] are checked after each. What does not hold is
//! told with the shortest schedule, and with the line that replays it. `EXHAUSTIVE_EVENTS`
//! and `EXHAUSTIVE_SECONDS` look further; `EXHAUSTIVE_SEED` picks the random walks.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test program"
)]

mod agent;
mod choices;
mod invariants;
mod node;
mod world;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use antrea_cni::client::{CallLog, Node};
use antrea_cni::input::{Call, CmdArgs};
use antrea_cni::{Action, Command, Memory, Note, ask_and_interpret};
use antrea_cni_test_support::{Case, run_cases};

use self::choices::Choices;
use self::invariants::{Ended, check};
use self::node::SimulatedNode;
use self::world::{GENERATIONS, Killed, World};

/// How many events happen in a schedule at most.
const EVENTS: usize = 2;

/// Commands one after another, and how they are called.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    commands: &'static [Action],
    version: &'static str,
    settings: &'static str,
    /// A path that exists, or none
    netns: &'static str,
    /// The configuration's `type`, with the rest that it has
    plugin: &'static str,
    /// The conflist was rewritten so many seconds before
    rewritten: Option<u64>,
}

const SCENARIOS: &[Scenario] = {
    use Action::{Add, Check, Del, Gc, Status};
    const fn of(
        name: &'static str,
        commands: &'static [Action],
        version: &'static str,
    ) -> Scenario {
        let plugin = r#""type":"antrea""#;
        Scenario { name, commands, version, settings: "", netns: "/", plugin, rewritten: None }
    }
    &[
        of("ADD 1.1.0", &[Add], "1.1.0"),
        of("ADD 0.3.0", &[Add], "0.3.0"),
        Scenario { settings: r#""waitForAgentSeconds":0"#, ..of("ADD, no wait", &[Add], "1.0.0") },
        Scenario { settings: r#""addTimeoutSeconds":35"#, ..of("ADD, 35 s", &[Add], "0.4.0") },
        Scenario {
            plugin: r#""type":"host-device","ipam":{"type":"antrea"}"#,
            ..of("ADD as IPAM plugin", &[Add], "1.0.0")
        },
        Scenario {
            plugin: r#""type":"antrea","prevResult":{"cniVersion":"1.0.0"}"#,
            ..of("ADD with a prevResult", &[Add], "1.0.0")
        },
        Scenario { rewritten: Some(30), ..of("ADD after the conflist", &[Add], "1.0.0") },
        of("CHECK 1.0.0", &[Check], "1.0.0"),
        of("DEL 1.1.0", &[Del], "1.1.0"),
        Scenario { netns: "", ..of("DEL without a namespace", &[Del], "0.4.0") },
        Scenario {
            settings: r#""delWhenAgentDown":"fail""#,
            ..of("DEL, delWhenAgentDown", &[Del], "1.0.0")
        },
        of("DEL, DEL, ADD, DEL", &[Del, Del, Add, Del], "1.0.0"),
        of("ADD, DEL, STATUS", &[Add, Del, Status], "1.1.0"),
        of("GC 1.1.0", &[Gc], "1.1.0"),
        of("STATUS", &[Status], "1.1.0"),
        of("STATUS three times", &[Status, Status, Status], "1.1.0"),
        Scenario {
            settings: r#""waitForAgentSeconds":0"#,
            ..of("STATUS twice, no wait", &[Status, Status], "1.1.0")
        },
        of("ADD, DEL, ADD", &[Add, Del, Add], "1.1.0"),
    ]
};

fn main() -> ExitCode {
    if let Ok(replay) = std::env::var("EXHAUSTIVE_REPLAY") {
        return self::replay(&replay);
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let depth =
        number("EXHAUSTIVE_EVENTS").map_or(EVENTS, |events: u64| usize::try_from(events).unwrap());
    let seconds = number("EXHAUSTIVE_SECONDS").unwrap_or(3);
    let seed = number("EXHAUSTIVE_SEED").unwrap_or_else(|| fastrand::u64(..));
    let mut cases: Vec<_> = SCENARIOS
        .iter()
        .map(|scenario| {
            // Several commands have many more places for an event, and variants add
            // little to them.
            let Scenario { commands, settings, netns, .. } = scenario;
            let is_less = commands.len() > 1
                || scenario.rewritten.is_some()
                || !settings.is_empty()
                || netns.is_empty();
            let events = depth.saturating_sub(usize::from(is_less));
            Case::new(scenario.name, move || explore(scenario, events))
        })
        .collect();
    cases.push(Case::new("random walks", move || walk(seed, Duration::from_secs(seconds))));
    run_cases(None, || cases, || Ok(()))
}

/// Tries every schedule, the short ones first.
fn explore(scenario: &Scenario, most: usize) -> Result<(), String> {
    let started = Instant::now();
    let mut schedules = 0u64;
    for events in 1..=most {
        for (number, (agent, generation)) in GENERATIONS.iter().enumerate() {
            let mut next = Some(Vec::new());
            while let Some(prescribed) = next {
                let world = World::new(Choices::prescribed(prescribed), *generation);
                schedules += 1;
                run(scenario, &world).map_err(|why| {
                    let (words, numbers) = world.choices.story();
                    let replay = format!("{}:{number}:{numbers}", scenario.name);
                    format!("{why}\n  {agent}; {words}\n  EXHAUSTIVE_REPLAY='{replay}' cargo test --test exhaustive")
                })?;
                next = world.choices.next(events);
            }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{:<24} {schedules:>8} schedules of up to {most} events, {seconds:.1} s",
        scenario.name
    );
    Ok(())
}

/// Runs the commands of a scenario, one after the other.
fn run(scenario: &Scenario, world: &Rc<World>) -> Result<(), String> {
    for action in scenario.commands {
        perform(scenario, *action, "c0", world)?;
    }
    settled(world)
}

/// Once an agent answers again, all DELs that were answered are done.
fn settled(world: &Rc<World>) -> Result<(), String> {
    world.heal();
    let gc = SCENARIOS.iter().find(|it| it.name == "GC 1.1.0").expect("a scenario");
    perform(gc, Action::Gc, "c0", world)?;
    if let Some(owed) = world.owed.borrow().first() {
        return Err(format!("a DEL of {} is owed for ever", owed.args.container_id));
    }
    for (id, container) in &*world.containers.borrow() {
        if container.deleted && container.attached {
            return Err(format!("the DEL of {id} was answered, and no agent did it"));
        }
    }
    Ok(())
}

fn perform(
    scenario: &Scenario,
    action: Action,
    container: &str,
    world: &Rc<World>,
) -> Result<(), String> {
    // A runtime deletes first.
    if action == Action::Add && world.with(container, |it| it.live) {
        return Ok(());
    }
    world.events.borrow_mut().clear();
    world.container.replace(container.to_owned());
    let Scenario { version, settings, netns, plugin, rewritten, .. } = scenario;
    world.others_link.set(!plugin.ends_with(r#""type":"antrea""#) || plugin.contains("ipam"));
    if let Some(before) = rewritten {
        world.pass(Duration::from_secs(100));
        world.conf_changed.set(Some(world.elapsed() - Duration::from_secs(*before)));
        world.delay_ended.set(Some(world.elapsed()));
    }
    let configuration = format!(
        r#"{{"cniVersion":"{version}","name":"antrea",{plugin},"antreaCni":{{{settings}}}}}"#
    );
    let args = CmdArgs {
        container_id: container.to_owned(),
        netns: (*netns).to_owned(),
        ifname: "eth0".to_owned(),
        stdin_data: configuration.into_bytes(),
        ..CmdArgs::default()
    };
    let call = Call::check(&Command::from(action), args).expect("a valid call");
    let node = SimulatedNode(Rc::clone(world));
    let (started, timeouts) = (world.elapsed(), call.timeouts());
    if action == Action::Del {
        world.with(container, |it| it.undisturbed = false);
    }
    let run = || ask_and_interpret(&node, &call, node.now(), &mut CallLog::default());
    let outcome = match panic::catch_unwind(AssertUnwindSafe(run)) {
        Ok(outcome) => Some(outcome),
        Err(killed) if killed.is::<Killed>() => None,
        Err(other) => panic::resume_unwind(other),
    };
    match outcome.as_ref().map(|it| it.memory) {
        Some(Memory::Seen) => world.seen.set(Some(world.elapsed())),
        Some(Memory::NotReady) => world.seen.set(None),
        Some(Memory::Unchanged) | None => (),
    }
    let succeeded = outcome.as_ref().is_some_and(|it| it.result.is_ok());
    let note = outcome.as_ref().and_then(|it| it.note);
    let run = Ended {
        action,
        outcome,
        started,
        total: timeouts.total,
        wait: call.settings.wait_for_agent,
        container: container.to_owned(),
    };
    check(world, &run)?;
    world.with(container, |it| match action {
        Action::Add => (it.live, it.undisturbed, it.deleted) = (succeeded, succeeded, false),
        Action::Del if succeeded => (it.live, it.deleted) = (false, note != Some(Note::Lost)),
        _ => (),
    });
    // A runtime sends DEL for an ADD that failed; what the agent had begun is over then.
    if action == Action::Add && !succeeded || note == Some(Note::Lost) {
        world.settle();
        world.with(container, |it| (it.attached, it.link) = (false, false));
    }
    Ok(())
}

/// Thousands of events, with several containers.
fn walk(seed: u64, time: Duration) -> Result<(), String> {
    let started = Instant::now();
    let (mut walks, mut commands) = (0, 0);
    while started.elapsed() < time {
        let seed = seed.wrapping_add(walks);
        let mut random = fastrand::Rng::with_seed(seed);
        let generation = GENERATIONS[random.usize(0..GENERATIONS.len())].1;
        let world = World::new(Choices::random(seed), generation);
        for _ in 0..200 {
            let scenario = SCENARIOS[random.usize(0..SCENARIOS.len())];
            let action = scenario.commands[0];
            let container = ["c0", "c1", "c2"][random.usize(0..3)];
            commands += 1;
            perform(&scenario, action, container, &world).map_err(|why| {
                format!("{why}\n  EXHAUSTIVE_SEED={seed} cargo test --test exhaustive random")
            })?;
        }
        settled(&world).map_err(|why| {
            format!("{why}\n  EXHAUSTIVE_SEED={seed} cargo test --test exhaustive random")
        })?;
        walks += 1;
    }
    println!("random walks: {walks} of 200 commands, {commands} commands, seed {seed}");
    Ok(())
}

/// Tells one schedule, event by event: `NAME:GENERATION:CHOICE,CHOICE`.
fn replay(schedule: &str) -> ExitCode {
    let parts: Vec<_> = schedule.split(':').collect();
    let [name, generation, choices] = &*parts else { return ExitCode::FAILURE };
    let scenario = SCENARIOS.iter().find(|it| it.name == *name).expect("a scenario of that name");
    let choices = choices.split(',').filter_map(|choice| choice.parse().ok()).collect();
    let generation = GENERATIONS[generation.parse::<usize>().expect("a number")].1;
    let world = World::new(Choices::prescribed(choices), generation);
    let result = run(scenario, &world);
    println!("{}\n{:#?}\n{result:?}", world.choices.story().0, world.events.borrow());
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
