//! One connection: text or binary, by its first byte, as the server decides it too.

use super::binary::Binary;
use super::pairing::Pairing;
use super::text::Text;
use crate::proto::{Chunk, Moment, Protocol, Session, Side};
use crate::request::{InFlight, Requests};
use crate::sql::Texts;
use crate::time::Nanos;

#[derive(Debug)]
enum Form {
    /// No byte was seen that tells.
    Unknown,
    Text(Box<Text>),
    Binary(Box<Binary>),
    /// Nothing more will come that matters.
    Ended,
}

/// The observer of one connection.
#[derive(Debug)]
pub(super) struct Observer {
    form: Form,
    from_start: bool,
    pub(super) pairing: Pairing,
    session: Session,
    /// The last chunk of each direction ended its transfer.
    client_starts: bool,
    server_starts: bool,
}

impl Observer {
    /// `from_start`: the first byte of the connection will be seen.
    pub(super) fn new(from_start: bool) -> Self {
        Self {
            form: Form::Unknown,
            from_start,
            pairing: Pairing::new(from_start),
            session: Session::default(),
            client_starts: true,
            server_starts: true,
        }
    }

    /// The first byte that tells decides.
    fn decide(&mut self, side: Side, chunk: Chunk<'_>, starts: bool) {
        let Chunk::Bytes([first, ..]) = chunk else {
            // Unseen from the beginning is as good as joined late.
            self.from_start &= chunk.is_empty();
            return;
        };
        if !(self.from_start || starts) {
            return;
        }
        let magic = if side == Side::Client { 0x80 } else { 0x81 };
        if *first == magic {
            self.form = Form::Binary(Box::new(Binary::new(self.from_start)));
        } else if *first < 0x80 {
            self.form = Form::Text(Box::new(Text::new(self.from_start)));
        }
        if !self.from_start {
            self.pairing = Pairing::new(false);
        }
    }
}

impl Protocol for Observer {
    fn feed(&mut self, moment: Moment, side: Side, chunk: Chunk<'_>, texts: &mut Texts, out: &mut Requests) {
        let starts = match side {
            Side::Client => std::mem::replace(&mut self.client_starts, moment.ends_transfer),
            Side::Server => std::mem::replace(&mut self.server_starts, moment.ends_transfer),
        };
        if matches!(self.form, Form::Unknown) {
            self.decide(side, chunk, starts);
        }
        let (pairing, session) = (&mut self.pairing, &mut self.session);
        match (&mut self.form, side) {
            (Form::Text(text), Side::Client) => {
                text.client(moment, chunk, starts, pairing, session, texts, out);
            }
            (Form::Text(text), Side::Server) => {
                if text.server(moment, chunk, starts, pairing, out) {
                    session.streaming = true;
                    self.form = Form::Ended;
                }
            }
            (Form::Binary(binary), Side::Client) => {
                binary.client(moment, chunk, starts, pairing, session, texts, out);
            }
            (Form::Binary(binary), Side::Server) => {
                binary.server(moment, chunk, starts, pairing, texts, out);
            }
            (Form::Unknown | Form::Ended, _) => {}
        }
    }

    fn close(&mut self, at: Nanos, out: &mut Requests) {
        self.pairing.close(at, out);
        self.form = Form::Ended;
    }

    fn capture_ends(&mut self, out: &mut Requests) {
        self.pairing.settle(out);
        self.pairing.count_presumed(out);
    }

    fn in_flight(&self, out: &mut Vec<InFlight>) {
        let from = out.len();
        self.pairing.in_flight(out);
        if let Some(new) = out.get_mut(from..) {
            new.sort_by_key(|request| request.started_at);
        }
    }

    fn open_requests(&self) -> u32 {
        self.pairing.open()
    }

    fn session(&self) -> &Session {
        &self.session
    }

    fn in_sync(&self) -> bool {
        self.pairing.was_sure
            || match &self.form {
                Form::Unknown => false,
                Form::Text(text) => text.in_sync(),
                Form::Binary(binary) => binary.in_sync(),
                Form::Ended => true,
            }
    }

    fn cancelled(&mut self, _at: Nanos) {}
}
