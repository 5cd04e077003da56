//! Recordings of protocols that dbtap does not read, both ends of each connection: no detector may take them for its own.
//!
//! Each is a shell script that starts its server on the port in `PORT`, talks to it, and ends it. The servers are Debian
//! packages that no test needs; whoever records anew installs them (see each script).

use std::net::TcpListener;
use std::process::Command;

use anyhow::{Result, bail};

use super::{NOTHING, Protocol, Scenario, Server};

/// What is recorded of other protocols.
pub const PROTOCOL: Protocol = Protocol { name: "foreign", start, scenarios: SCENARIOS };

/// The scripts bring their own servers.
struct None;

fn start() -> Result<Box<dyn Server>> {
    Ok(Box::new(None))
}

impl Server for None {
    fn pid(&self) -> Result<u32> {
        bail!("the script's own server is below the script")
    }

    fn client(&self, program: &str, _unix: bool) -> Command {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let mut command = Command::new(program);
        command.env("PORT", port.map_or(0, |address| address.port()).to_string());
        command
    }
}

const SCRIPT: Scenario = Scenario { program: "bash", arguments: &["-s"], ..NOTHING };

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "amqp", script: include_str!("../../foreign/amqp.sh"), ..SCRIPT },
    Scenario { name: "dns", script: include_str!("../../foreign/dns.sh"), ..SCRIPT },
    Scenario { name: "http", script: include_str!("../../foreign/http.sh"), ..SCRIPT },
    Scenario { name: "mqtt", script: include_str!("../../foreign/mqtt.sh"), ..SCRIPT },
    Scenario { name: "nats", script: include_str!("../../foreign/nats.sh"), ..SCRIPT },
    Scenario { name: "smtp", script: include_str!("../../foreign/smtp.sh"), ..SCRIPT },
    Scenario { name: "ssh", script: include_str!("../../foreign/ssh.sh"), ..SCRIPT },
    Scenario { name: "tls", script: include_str!("../../foreign/tls.sh"), ..SCRIPT },
];
