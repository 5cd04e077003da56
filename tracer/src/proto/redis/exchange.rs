//! Pairs commands with answers, and hands out the finished requests.
//!
//! The server answers in order. So every command waits in [`Pending`], and the session changes only when the answer
//! confirms it. What the server sends unasked never pairs. Never looks at bytes that were not framed.

use std::collections::VecDeque;

use super::client::Command;
use super::commands::{self, Role};
use super::pending::{Due, Op, Pending};
use super::proof::Proof;
use super::server::{Answer, Element};
use super::shapes::Shape;
use super::statement::Statements;
use super::subscriptions::Subscriptions;
use crate::proto::Session;
use crate::request::{Request, Requests};
use crate::sql::Texts;
use crate::time::Nanos;

/// Longest name of a user or number of a database that is kept.
const LONGEST_NAME: usize = 64;

/// Once an answer was older than its command, pairing is believed at the end only after so many answers that fit their
/// own command and not the one before.
const TELLING: u32 = 4;

/// Whether commands are answered (CLIENT REPLY).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Replies {
    #[default]
    On,
    Off,
    /// Not the next command.
    SkipNext,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It ended a request, or is a part of its answer.
    Paired,
    /// The server sent it unasked.
    Pushed,
    /// Nobody waits for it.
    Unasked,
    /// It cannot answer the oldest command, so it answers one that was sent before pairing began.
    Older,
}

/// The exchange on one connection.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) pending: Pending,
    /// Commands that the server has queued since MULTI.
    pub(super) queued: Pending,
    pub(super) session: Session,
    pub(super) subscriptions: Subscriptions,
    /// Behind what is pending, an unknown number of commands was sent.
    pub(super) gap: bool,
    /// What is paired now may be out of step: requests are held back.
    pub(super) unsure: bool,
    /// Nothing proves that it is in step.
    pub(super) unproven: bool,
    pub(super) proof: Proof,
    /// Requests that were handed out without proof since pairing began.
    presumed: u64,
    pub(super) held: Requests,
    /// Answers since pairing began that were no answer to the oldest command.
    pub(super) older: u32,
    /// Answers since the last of them that answer their command and could not answer the one before it.
    telling: u32,
    /// What could answer the command before.
    before: Option<Shape>,
    /// Something was paired since the client last spoke.
    pub(super) paired: bool,
    /// The connection became a stream of writes.
    pub(super) replicates: bool,
    /// Commands that were given up and counted, whose answers may still come.
    pub(super) owed: u64,
    statements: Statements,
    /// Names of users and databases that commands on their way will set.
    names: VecDeque<Option<String>>,
    replies: Replies,
    /// The client sent MULTI, and nothing since that ends it.
    in_multi: bool,
    monitors: bool,
    /// A push came: the connection speaks RESP3, where an array is always an answer.
    resp3: bool,
    /// The confirmations so far of the oldest command: first and last moment, bytes.
    confirmed: Option<(Nanos, Nanos, u64)>,
}

impl Exchange {
    /// Takes a command of the client.
    #[inline]
    pub(super) fn command(&mut self, command: &Command<'_>, texts: &mut Texts, out: &mut Requests) {
        let spec = commands::spec(command.name());
        let role = spec.map_or(Role::Plain, |spec| spec.role);
        match role {
            Role::Multi => self.in_multi = true,
            Role::Exec | Role::Discard | Role::Reset => self.in_multi = false,
            _ => {}
        }
        if (self.replies != Replies::On || role == Role::Client) && self.is_unanswered(command, role) {
            return;
        }
        if self.pending.is_full()
            || self.queued.is_full()
            || command.argument(0).and_then(|name| name.whole()).is_none()
        {
            // Those that wait are still in order. What comes behind them has no place, nor what comes behind a command whose
            // name is not known: it may have no answer, or several.
            out.counts.resyncs += u64::from(!self.gap);
            self.gap = true;
            return;
        }
        let due = if role == Role::Plain { Due::Answer } else { self.due(command, role) };
        let text = self.statements.read(command, spec, texts);
        let op = Op {
            text,
            due,
            answers: spec.map_or(Shape::ANY, |spec| spec.answers),
            started_at: command.first.at,
            task: command.first.task,
            load: command.first.load,
            bytes: command.wire_bytes,
            values: 0,
        };
        self.pending.push(op, &self.statements.values);
        self.replicates |= due == Due::Replication && self.pending.len() == 1;
    }

    /// What the answer to a command with a role will mean.
    fn due(&mut self, command: &Command<'_>, role: Role) -> Due {
        let argument = |index| command.argument(index);
        let name = |index| {
            let name = argument(index).and_then(|name| name.whole())?;
            Some(String::from_utf8_lossy(&name[..name.len().min(LONGEST_NAME)]).into_owned())
        };
        match role {
            Role::Auth => {
                self.names.push_back(if command.count == 3 { name(1) } else { Some("default".to_owned()) });
                Due::User
            }
            Role::Hello => {
                self.resp3 &= !argument(1).is_some_and(|version| version.is(b"2"));
                let is_auth = |index: &usize| argument(*index).is_some_and(|word| word.is(b"AUTH"));
                match (2..command.told_apart()).find(is_auth) {
                    Some(at) => {
                        self.names.push_back(name(at + 1));
                        Due::User
                    }
                    None => Due::Answer,
                }
            }
            Role::Select => {
                self.names.push_back(name(1));
                Due::Database
            }
            Role::Exec => Due::Exec,
            Role::Discard => Due::Discard,
            Role::Reset => Due::Reset,
            Role::Monitor => Due::Monitor,
            Role::Subscribe | Role::Unsubscribe => {
                let named = u32::try_from(command.count.saturating_sub(1)).unwrap_or(u32::MAX);
                let all = named == 0 && role == Role::Unsubscribe;
                Due::Confirmations { left: (!all).then_some(named) }
            }
            Role::Replicate => Due::Replication,
            Role::Replconf => {
                self.replicates |= argument(1).is_some_and(|word| word.is(b"ACK"));
                Due::Answer
            }
            Role::Quit => {
                self.session.terminated = true;
                Due::Answer
            }
            _ => Due::Answer,
        }
    }

    /// Follows CLIENT REPLY. True: the server will not answer this command. No answer tells when it was done, so it is no
    /// request.
    fn is_unanswered(&mut self, command: &Command<'_>, role: Role) -> bool {
        let is = |index, word: &[u8]| command.argument(index).is_some_and(|argument| argument.is(word));
        // Between MULTI and EXEC it is queued like any other.
        let sets_replies = role == Role::Client && is(1, b"REPLY") && !self.in_multi;
        if role == Role::Reset || sets_replies && is(2, b"ON") {
            self.replies = Replies::On;
            return false;
        }
        let unanswered = self.replies != Replies::On;
        if self.replies == Replies::SkipNext {
            self.replies = Replies::On;
        }
        if sets_replies && self.replies == Replies::On {
            if is(2, b"OFF") {
                self.replies = Replies::Off;
            } else if is(2, b"SKIP") {
                self.replies = Replies::SkipNext;
            } else {
                return unanswered;
            }
            return true;
        }
        unanswered
    }

    /// Pairing begins again: the server has just answered, so it does answer.
    pub(super) fn begin(&mut self, out: &mut Requests) {
        self.count_presumed(out);
        self.gap = false;
        self.unsure = true;
        self.unproven = true;
        self.paired = false;
        self.owed = 0;
        self.older = 0;
        self.shifts();
        self.replies = Replies::On;
        self.in_multi = false;
    }

    /// From here on an answer belongs to another command than before.
    fn shifts(&mut self) {
        self.paired = false;
        self.proof = Proof::default();
        self.telling = 0;
        self.before = None;
    }

    /// An answer was older than the oldest command, and so was everything that was paired since the beginning. Gives the
    /// number of those that were held back; from now on requests are.
    pub(super) fn older(&mut self, out: &mut Requests) -> u64 {
        self.count_presumed(out);
        self.older = self.older.saturating_add(1);
        self.unsure = true;
        self.shifts();
        self.drop_held()
    }

    /// Whether what is held back may be presumed to be right.
    pub(super) fn fits(&self) -> bool {
        self.telling >= TELLING || self.older == 0 && !self.proof.sends_ahead()
    }

    /// Requests that were handed out without proof will get none.
    pub(super) fn count_presumed(&mut self, out: &mut Requests) {
        out.counts.presumed += std::mem::take(&mut self.presumed);
    }

    /// What was paired since the beginning is right.
    pub(super) fn proven(&mut self, out: &mut Requests) {
        self.unproven = false;
        self.presumed = 0;
        self.release(out);
    }

    /// The oldest command is EXEC: its answer has those of the queued commands inside.
    #[inline]
    pub(super) fn wants_elements(&self) -> bool {
        self.pending.front().is_some_and(|op| op.due == Due::Exec)
    }

    /// Takes a whole answer, whose last byte came `at`.
    #[inline]
    pub(super) fn answer(
        &mut self,
        answer: &Answer,
        elements: &[Element],
        at: Nanos,
        out: &mut Requests,
    ) -> Fit {
        if matches!(answer.kind, b'>' | b'*')
            && let Some(fit) = self.pushed(answer, at, out)
        {
            return fit;
        }
        if answer.kind == b'+'
            && is_monitored(answer.word.bytes())
            && (self.monitors || self.pending.is_empty())
        {
            self.monitors = true;
            self.session.streaming = true;
            out.counts.pushed += 1;
            return Fit::Pushed;
        }
        let Some(op) = self.pending.front() else { return Fit::Unasked };
        if self.unproven {
            let answers = op.answers;
            let tells = answer.error.is_none() && answer.word.bytes() != b"QUEUED";
            if tells {
                if !answers.has(answer.kind) {
                    return Fit::Older;
                }
                let before = self.before.replace(answers);
                self.telling += u32::from(before.is_some_and(|before| !before.has(answer.kind)));
            }
            self.proof.paired(answers, tells.then_some(answer.kind));
        }
        let Some(op) = self.pending.front() else { return Fit::Unasked };
        if op.due == Due::Answer && answer.kind != b'+' {
            self.finish(answer, at, out);
            return Fit::Paired;
        }
        self.special(answer, elements, at, out)
    }

    /// A push, a published message, or the confirmation of a subscription.
    fn pushed(&mut self, answer: &Answer, at: Nanos, out: &mut Requests) -> Option<Fit> {
        if answer.kind == b'>' {
            self.resp3 = true;
        } else if self.resp3 {
            return None;
        }
        let word = answer.word.bytes();
        let awaited = self.pending.front().is_some_and(|op| matches!(op.due, Due::Confirmations { .. }));
        let confirms = if awaited || answer.kind == b'>' || self.subscriptions.any() {
            self.subscriptions.confirm(word, answer.number)
        } else {
            None
        };
        if let Some(remaining) = confirms
            && let Some(Op { due: Due::Confirmations { left }, .. }) = self.pending.front_mut()
        {
            let done = match left {
                Some(left) => {
                    *left = left.saturating_sub(1);
                    *left == 0
                }
                None => remaining == 0,
            };
            let (first, _, bytes) = self.confirmed.unwrap_or((answer.first_byte_at, at, 0));
            self.confirmed = Some((first, at, bytes + answer.bytes));
            if done {
                self.confirmations_end(out);
            }
            return Some(Fit::Paired);
        }
        let is_message =
            matches!(word, b"message" | b"pmessage" | b"smessage") && matches!(answer.rows, 3 | 4);
        let pushed = answer.kind == b'>'
            || confirms.is_some()
            || is_message && (self.subscriptions.any() || self.pending.is_empty());
        if pushed {
            out.counts.pushed += 1;
            if is_message {
                self.subscriptions.seen();
            }
        }
        pushed.then_some(Fit::Pushed)
    }

    /// All confirmations of the oldest command are there.
    fn confirmations_end(&mut self, out: &mut Requests) {
        let Some((first, last, bytes)) = self.confirmed.take() else { return };
        self.proof.interrupted();
        let Some(op) = self.pending.front() else { return };
        let request = Request { answer_bytes: bytes, ..op.request(first, last) };
        self.emit_front(request, out);
    }

    fn special(&mut self, answer: &Answer, elements: &[Element], at: Nanos, out: &mut Requests) -> Fit {
        let Some(op) = self.pending.front() else { return Fit::Unasked };
        let due = op.due;
        if answer.kind == b'+' && answer.word.bytes() == b"QUEUED" && due != Due::Exec {
            self.queue(due);
            return Fit::Paired;
        }
        let ok = answer.error.is_none();
        match due {
            Due::User | Due::Database => {
                let name = self.names.pop_front().flatten();
                if ok && due == Due::User {
                    self.session.user = name;
                } else if ok {
                    self.session.database = name;
                }
            }
            Due::Exec if ok && !answer.null => self.executed(answer, elements, at, out),
            Due::Exec => self.not_executed(out),
            Due::Discard if ok => self.not_executed(out),
            Due::Reset if ok => {
                self.not_executed(out);
                self.subscriptions = Subscriptions::default();
                self.monitors = false;
                self.resp3 = false;
                self.session.streaming = false;
                self.session.user = None;
                self.session.database = None;
            }
            Due::Monitor if ok => {
                self.monitors = true;
                self.session.streaming = true;
            }
            // Confirmed, but how many were due was not known.
            Due::Confirmations { .. } if self.confirmed.is_some() => {
                self.confirmations_end(out);
                return self.answer(answer, elements, at, out);
            }
            _ => {}
        }
        self.finish(answer, at, out);
        Fit::Paired
    }

    /// The server will run the oldest command at EXEC: it goes on waiting.
    fn queue(&mut self, due: Due) {
        if matches!(due, Due::User | Due::Database) {
            // Takes effect at EXEC. That a transaction does this is rare enough to let the session's name be unknown.
            self.names.pop_front();
        }
        let Some(op) = self.pending.front().copied() else { return };
        self.queued.push(op, self.pending.front_values());
        self.pop();
    }

    /// EXEC's answer: one element for each queued command.
    fn executed(&mut self, answer: &Answer, elements: &[Element], at: Nanos, out: &mut Requests) {
        let queued = self.queued.len() as u64;
        let known = answer.rows.min(queued);
        // More answers than commands: the first ones were queued before the capture.
        let before = answer.rows - known;
        out.counts.started_before += before;
        let mut index = usize::try_from(before).unwrap_or(usize::MAX);
        while let Some(op) = self.queued.front() {
            let element = elements.get(index).copied().unwrap_or_default();
            match op.due {
                Due::User if element.error.is_none() => self.session.user = None,
                Due::Database if element.error.is_none() => self.session.database = None,
                _ => {}
            }
            let request =
                Request { rows: element.rows, error: element.error, ..op.request(answer.first_byte_at, at) };
            self.presumed += u64::from(self.unproven && !self.unsure);
            let to = if self.unsure { &mut self.held } else { &mut *out };
            to.push(request, self.queued.front_values());
            self.queued.pop();
            index = index.saturating_add(1);
        }
    }

    /// EXEC failed, a watched key had changed, or DISCARD: the queued commands never ran.
    fn not_executed(&mut self, out: &mut Requests) {
        out.counts.skipped += self.queued.len() as u64;
        self.queued.clear();
    }

    /// The answer ends the oldest request.
    #[inline]
    fn finish(&mut self, answer: &Answer, at: Nanos, out: &mut Requests) {
        let Some(op) = self.pending.front() else { return };
        let request = Request {
            rows: answer.rows,
            answer_bytes: answer.bytes,
            error: answer.error,
            ..op.request(answer.first_byte_at, at)
        };
        self.emit_front(request, out);
    }

    #[inline]
    fn emit_front(&mut self, request: Request, out: &mut Requests) {
        self.presumed += u64::from(self.unproven && !self.unsure);
        let to = if self.unsure { &mut self.held } else { out };
        to.push(request, self.pending.front_values());
        self.pop();
        self.paired = true;
    }

    #[inline]
    fn pop(&mut self) {
        self.pending.pop();
        self.replicates |= self.pending.front().is_some_and(|op| op.due == Due::Replication);
    }

    /// An answer whose end was hidden by a hole, and found in another way.
    pub(super) fn answered(&mut self, answer: &Answer, elements: &[Element], at: Nanos, out: &mut Requests) {
        if self.pending.front().is_some() {
            self.special(answer, elements, at, out);
        }
    }

    /// What is pending gets no answer that could be recognised. Gives their number.
    pub(super) fn drop_pending(&mut self) -> u64 {
        let dropped = (self.pending.len() + self.queued.len()) as u64;
        self.pending.clear();
        self.queued.clear();
        self.names.clear();
        self.confirmed = None;
        dropped
    }

    /// What was held back is presumed or proven now.
    pub(super) fn release(&mut self, out: &mut Requests) {
        if self.unproven {
            self.presumed += self.held.finished.len() as u64;
        }
        self.unsure = false;
        out.append_finished(&mut self.held);
    }

    /// What was held back was paired wrongly. Gives the number.
    pub(super) fn drop_held(&mut self) -> u64 {
        let dropped = self.held.finished.len() as u64;
        self.held.clear_finished();
        dropped
    }

    /// The server talks at its own time.
    pub(super) fn listens(&self) -> bool {
        self.monitors || self.subscriptions.any()
    }
}

/// A line of MONITOR: seconds with a fraction come first.
fn is_monitored(line: &[u8]) -> bool {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits >= 9 && line.get(digits) == Some(&b'.')
}
