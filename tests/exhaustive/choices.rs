// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Every sequence of choices in which up to some events happen.

use std::cell::RefCell;

/// Choices of a schedule among which one can be an event.
const LENGTH: usize = 24;

/// What a schedule chooses, one event after the other. Behind the last choice that is
/// prescribed nothing happens.
#[derive(Default)]
pub(crate) struct Choices {
    prescribed: Vec<usize>,
    made: RefCell<Vec<Made>>,
    random: Option<RefCell<fastrand::Rng>>,
}

/// A choice, and between how many.
#[derive(Clone)]
struct Made {
    choice: usize,
    of: usize,
    words: String,
}

impl Choices {
    pub(crate) fn prescribed(prescribed: Vec<usize>) -> Self {
        Self { prescribed, ..Self::default() }
    }

    /// One in ten events is a fault.
    pub(crate) fn random(seed: u64) -> Self {
        Self { random: Some(fastrand::Rng::with_seed(seed).into()), ..Self::default() }
    }

    /// Chooses one of `options`, of which the first is that nothing happens.
    pub(crate) fn choose<T: Copy>(&self, options: &[(&str, T)]) -> T {
        let mut made = self.made.borrow_mut();
        let choice = match (&self.random, self.prescribed.get(made.len())) {
            (Some(random), _) => {
                let mut random = random.borrow_mut();
                if random.u8(0..10) == 0 { random.usize(0..options.len()) } else { 0 }
            }
            (None, choice) => choice.copied().unwrap_or_default(),
        };
        let (words, value) = options[choice];
        made.push(Made { choice, of: options.len(), words: words.to_owned() });
        value
    }

    /// The next schedule in which at most `events` choices are not "nothing happens".
    pub(crate) fn next(&self, events: usize) -> Option<Vec<usize>> {
        let made = self.made.borrow();
        let before = |at: usize| made[..at].iter().filter(|made| made.choice > 0).count();
        let last = (0..made.len().min(LENGTH))
            .rev()
            .find(|at| made[*at].choice + 1 < made[*at].of && before(*at) < events)?;
        let mut next: Vec<_> = made[..last].iter().map(|made| made.choice).collect();
        next.push(made[last].choice + 1);
        Some(next)
    }

    /// What happened, in words, and the numbers that make it happen again.
    pub(crate) fn story(&self) -> (String, String) {
        let made = self.made.borrow();
        let end = made.iter().rposition(|made| made.choice > 0).map_or(0, |at| at + 1);
        let words: Vec<_> = made[..end].iter().map(|made| made.words.clone()).collect();
        let numbers: Vec<_> = made[..end].iter().map(|made| made.choice.to_string()).collect();
        (words.join("; "), numbers.join(","))
    }
}
