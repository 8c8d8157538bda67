//! Keeps the time of every token of a request, and sends the times on in batches.

use crate::StepError;
use crate::clock::monotonic_ns;
use crate::messages::{Message, RequestFacts};

const FLUSH_INTERVAL_NS: u64 = 500_000_000;
const FLUSH_EVENTS: usize = 4096;

/// The times of one step's requests: for each [`begin`](Self::begin), then [`prefill_end`](Self::prefill_end),
/// [`token`](Self::token) ..., and [`end`](Self::end).
///
/// These read the clock: the caller has synchronised with its device. (Those that end in `_at` take a time instead, of
/// [`monotonic_ns`], for engines that compute in a thread of their own.) A batch is sent about twice a second between
/// two tokens, and when a request ends, so that the parent is not woken for each token.
pub struct Recorder<'a> {
    send: &'a mut dyn FnMut(&Message),
    is_cancelled: &'a dyn Fn() -> bool,
    begun: u32,
    request: RequestFacts,
    request_sent: bool,
    times_ns: Vec<u64>,
    events_sent: usize,
    last_ns: u64,
    flush_at_ns: u64,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(send: &'a mut dyn FnMut(&Message), is_cancelled: &'a dyn Fn() -> bool) -> Self {
        Self {
            send,
            is_cancelled,
            begun: 0,
            request: RequestFacts::default(),
            request_sent: false,
            times_ns: Vec::with_capacity(FLUSH_EVENTS),
            events_sent: 0,
            last_ns: 0,
            flush_at_ns: 0,
        }
    }

    /// Stop here if the step is cancelled; the times up to here are sent.
    pub fn check(&mut self) -> Result<(), StepError> {
        if !(self.is_cancelled)() {
            return Ok(());
        }
        if !self.times_ns.is_empty() {
            self.flush();
        }
        Err(StepError::Cancelled)
    }

    /// A request starts now.
    pub fn begin(&mut self, prompt_tokens: usize, reused_tokens: usize, depth_tokens: usize) {
        self.begin_at(monotonic_ns(), prompt_tokens, reused_tokens, depth_tokens);
    }

    /// A request has started at a time that was read before.
    pub fn begin_at(&mut self, time_ns: u64, prompt_tokens: usize, reused_tokens: usize, depth_tokens: usize) {
        self.begun += 1;
        self.request_sent = false;
        self.times_ns.clear();
        self.events_sent = 0;
        self.last_ns = time_ns;
        self.flush_at_ns = self.last_ns + FLUSH_INTERVAL_NS;
        self.request = RequestFacts {
            prompt_tokens,
            reused_tokens,
            depth_tokens,
            start_monotonic_ns: self.last_ns,
            prefill_end_monotonic_ns: 0,
        };
    }

    /// The prompt is processed now.
    pub fn prefill_end(&mut self) {
        self.prefill_end_at(monotonic_ns());
    }

    /// The prompt was processed at a time that was read before.
    pub fn prefill_end_at(&mut self, time_ns: u64) {
        self.last_ns = time_ns;
        self.request.prefill_end_monotonic_ns = self.last_ns;
    }

    /// One more token is there now. If the step is cancelled the token is kept.
    pub fn token(&mut self) -> Result<(), StepError> {
        self.token_at(monotonic_ns())
    }

    /// One more token was there at a time that was read before.
    pub fn token_at(&mut self, time_ns: u64) -> Result<(), StepError> {
        self.last_ns = time_ns;
        self.times_ns.push(self.last_ns);
        if self.last_ns >= self.flush_at_ns || self.times_ns.len() >= FLUSH_EVENTS {
            self.flush();
            self.flush_at_ns = self.last_ns + FLUSH_INTERVAL_NS;
        }
        self.check()
    }

    /// The request ended with its last token, or without any with its prompt.
    pub fn end(&mut self) {
        self.flush();
        (self.send)(&Message::RequestEnd { index: self.begun - 1, end_monotonic_ns: self.last_ns });
    }

    fn flush(&mut self) {
        let index = self.begun - 1;
        if !self.request_sent {
            (self.send)(&Message::Request { index, request: self.request });
            self.request_sent = true;
        }
        if !self.times_ns.is_empty() {
            (self.send)(&Message::Tokens { index, first_event: self.events_sent, times_monotonic_ns: &self.times_ns });
            self.events_sent += self.times_ns.len();
            self.times_ns.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FLUSH_EVENTS, Recorder};
    use crate::StepError;
    use serde_json::Value;
    use std::cell::Cell;

    /// What a recorder sends while `work` uses it; `work` may cancel.
    fn sent(work: impl FnOnce(&mut Recorder, &Cell<bool>)) -> Vec<Value> {
        let mut messages = Vec::new();
        let cancelled = Cell::new(false);
        let is_cancelled = || cancelled.get();
        let mut send = |message: &crate::messages::Message| messages.push(serde_json::to_value(message).unwrap());
        work(&mut Recorder::new(&mut send, &is_cancelled), &cancelled);
        messages
    }

    #[test]
    fn sends_nothing_before_a_short_request_ends() {
        let messages = sent(|recorder, _| {
            recorder.begin(5, 2, 7);
            recorder.prefill_end();
            recorder.token().unwrap();
            recorder.token().unwrap();
            recorder.end();
        });
        let [request, tokens, end] = &messages[..] else { panic!("{messages:?}") };
        assert_eq!(request["type"], "request");
        assert_eq!([&request["prompt_tokens"], &request["reused_tokens"], &request["depth_tokens"]], [5, 2, 7]);
        assert!(request["start_monotonic_ns"].as_u64() <= request["prefill_end_monotonic_ns"].as_u64());
        assert_eq!(tokens["times_monotonic_ns"][1], end["end_monotonic_ns"]);
    }

    #[test]
    fn batches_carry_on_where_the_last_one_ended() {
        let messages = sent(|recorder, _| {
            recorder.begin(0, 0, 0);
            for _ in 0..=FLUSH_EVENTS {
                recorder.token().unwrap();
            }
            recorder.end();
        });
        let first_events: Vec<_> = messages.iter().filter_map(|message| message["first_event"].as_u64()).collect();
        assert_eq!(first_events, [0, FLUSH_EVENTS as u64]);
    }

    #[test]
    fn a_second_request_starts_afresh() {
        let messages = sent(|recorder, _| {
            for _ in 0..2 {
                recorder.begin(0, 0, 0);
                recorder.token().unwrap();
                recorder.end();
            }
        });
        let indices: Vec<_> = messages.iter().map(|message| message["index"].as_u64().unwrap()).collect();
        assert_eq!(indices, [0, 0, 0, 1, 1, 1]);
        assert_eq!(messages[4]["first_event"], 0);
    }

    #[test]
    fn a_cancelled_step_keeps_the_token_that_was_worked_on() {
        let messages = sent(|recorder, cancelled| {
            recorder.begin(0, 0, 0);
            recorder.token().unwrap();
            cancelled.set(true);
            assert_eq!(recorder.token(), Err(StepError::Cancelled));
        });
        assert_eq!(messages[1]["times_monotonic_ns"].as_array().unwrap().len(), 2);
        assert_eq!(messages.len(), 2);
    }

    #[test]
    fn a_step_cancelled_before_its_first_token_sends_nothing() {
        let messages = sent(|recorder, cancelled| {
            recorder.begin(9, 0, 0);
            cancelled.set(true);
            assert_eq!(recorder.check(), Err(StepError::Cancelled));
        });
        assert!(messages.is_empty());
    }
}
