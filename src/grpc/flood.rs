// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Detects a peer that sends without end.

/// Most bytes that are read on a connection: more than the largest reply and its frames. Anything
/// beyond only costs time.
const MAX_BYTES: usize = 6 << 20;
const MAX_FRAMES: usize = 10_000;

/// The plugin must acknowledge each SETTINGS frame before it reads on. A peer that does not read
/// the acknowledgements would block the call long before `MAX_FRAMES`.
const MAX_SETTINGS: usize = 100;

/// The type of a SETTINGS frame (RFC 9113, section 6.5).
const SETTINGS: u8 = 4;

/// Counts the bytes and HTTP/2 frames that were read (RFC 9113, section 4.1).
#[derive(Clone, Copy, Default)]
pub(super) struct TrafficMeter {
    bytes: usize,
    frames: usize,
    settings: usize,
    /// The part of the frame length that was read, and how many header bytes were read (0 to 8)
    length: usize,
    head: usize,
    /// Payload bytes of the frame that are still to come
    left: usize,
}

impl TrafficMeter {
    const HEAD_BYTES: usize = 9;

    /// Returns whether more was read than an RPC can need.
    pub(super) fn is_flood(self) -> bool {
        self.bytes > MAX_BYTES || self.frames > MAX_FRAMES || self.settings > MAX_SETTINGS
    }

    /// Adds the bytes that were read.
    pub(super) fn record(mut self, mut bytes: &[u8]) -> Self {
        self.bytes += bytes.len();
        while let [first, rest @ ..] = bytes {
            if self.left > 0 {
                let skipped = self.left.min(bytes.len());
                self.left -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            match self.head {
                ..3 => self.length = self.length << 8 | usize::from(*first),
                3 => self.settings += usize::from(*first == SETTINGS),
                _ => (),
            }
            self.head += 1;
            bytes = rest;
            if self.head == Self::HEAD_BYTES {
                self =
                    Self { frames: self.frames + 1, left: self.length, length: 0, head: 0, ..self };
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_begins_above_each_limit() {
        let with = |bytes, frames, settings| {
            TrafficMeter { bytes, frames, settings, ..TrafficMeter::default() }.is_flood()
        };
        assert!(!with(MAX_BYTES, MAX_FRAMES, MAX_SETTINGS));
        assert!(with(MAX_BYTES + 1, 0, 0) && with(0, MAX_FRAMES + 1, 0));
        assert!(with(0, 0, MAX_SETTINGS + 1));
        let frame = |kind| [0, 0, 0, kind, 0, 0, 0, 0, 0];
        assert!(!TrafficMeter::default().record(&frame(6).repeat(MAX_SETTINGS + 1)).is_flood());
        assert!(!TrafficMeter::default().record(&frame(SETTINGS).repeat(MAX_SETTINGS)).is_flood());
        assert!(
            TrafficMeter::default().record(&frame(SETTINGS).repeat(MAX_SETTINGS + 1)).is_flood()
        );
    }

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let frame = [0, 0, 2, 6, 0, 0, 0, 0, 0, 1, 2];
        let all = frame.repeat(5);
        for step in [1, 2, 3, 7, 11, 55] {
            let seen = all.chunks(step).fold(TrafficMeter::default(), TrafficMeter::record);
            assert_eq!((seen.frames, seen.bytes), (5, 55), "{step}");
        }
    }
}
