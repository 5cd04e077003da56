//! The login of a session: greeting, the client's answer, authentication up to OK or ERR.
//!
//! Never keeps more of it than user, database and what both sides can.

use super::answer::{self, Status};
use super::commands::backend_key;
use super::exchange::{Exchange, Fit};
use super::greeting::{self, Capabilities, Login};
use super::observer::Phase;
use super::packet::PacketFrame;
use crate::request::ErrorCode;

impl Exchange {
    /// The server's first packet.
    pub(super) fn greeting(&mut self, frame: &PacketFrame<'_>) -> Fit {
        let Some(greeting) = greeting::greeting(frame.body) else {
            // Too many connections, host blocked, ...
            let Some(failure) = answer::failure(frame.body) else { return Fit::No };
            self.session.login_error = Some(failure.code);
            return Fit::Enters(Phase::Ended);
        };
        self.session.backend_key = Some(backend_key(greeting.connection));
        self.capabilities = Some(greeting.capabilities);
        self.set_status(greeting.status);
        Fit::Enters(Phase::Login)
    }

    /// The client's answer.
    pub(super) fn login(&mut self, frame: &PacketFrame<'_>) -> Fit {
        match greeting::login(frame.body) {
            Login::Tls => {
                self.session.tls = true;
                Fit::Enters(Phase::Opaque)
            }
            Login::Response { capabilities, user, database } => {
                let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
                self.session.user = Some(text(user));
                self.session.database = database.map(text);
                let both = capabilities.both(self.capabilities.unwrap_or(capabilities));
                self.capabilities = Some(both);
                self.deprecate_eof = Some(both.has(Capabilities::DEPRECATE_EOF));
                Fit::Enters(Phase::Authentication)
            }
            Login::Unknown => {
                self.capabilities = None;
                Fit::Enters(Phase::Authentication)
            }
        }
    }

    /// A packet of the server during authentication: OK, ERR, or a step of the exchange of secrets.
    pub(super) fn authentication(&mut self, frame: &PacketFrame<'_>) -> Fit {
        match frame.body.first() {
            Some(0) => {
                self.set_status(answer::okay(frame.body).map_or(Status::default(), |okay| okay.status));
                Fit::Enters(Phase::Commands)
            }
            Some(0xff) => {
                let code = answer::failure(frame.body).map(|failure| failure.code);
                self.session.login_error = Some(code.unwrap_or(ErrorCode::new(b"?")));
                Fit::Enters(Phase::Ended)
            }
            // Plug-ins may ask in bytes of their own, such as MariaDB's `dialog`.
            Some(_) => Fit::Yes,
            None => Fit::No,
        }
    }

    /// Both sides can compress, and so they do.
    pub(super) fn agreed_to_compress(&self) -> bool {
        self.capabilities.is_some_and(Capabilities::compresses)
    }
}
