//! What a report must say of each command: from the server's own statistics (`INFO commandstats`, `INFO errorstats`), and
//! from what the test knows beside them; and the comparison with a report.

use std::collections::BTreeMap;
use std::process::Command;

use tests::dbtap::Ended;
use tests::drivers::redis_client;
use tests::redis::RedisServer;
use tests::whole::{Gaps, complete, lines};
use tracer::report::model::Report;

/// redis-py in this mode, connecting here.
pub fn client(server: &RedisServer, mode: &str) -> Command {
    let mut command = redis_client(mode);
    command.env("DB_HOST", "127.0.0.1").env("DB_PORT", server.port().to_string());
    command
}

/// Requests by the command's name in lower case, subcommands together, and errors by code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    commands: BTreeMap<String, u64>,
    errors: BTreeMap<String, u64>,
}

impl Expected {
    /// What the server counted since the last `forget`, without the test's own commands.
    pub fn of_server(server: &RedisServer) -> Self {
        let stats = server.command_stats().unwrap();
        let errors = server.error_stats().unwrap();
        let mut commands = BTreeMap::new();
        for (name, stats) in stats {
            // A command that is turned away (wrong number of arguments, no permission) is answered as well.
            let name = name.split('|').next().unwrap_or_default().to_owned();
            *commands.entry(name).or_default() += stats.calls + stats.rejected;
        }
        // CONFIG RESETSTAT counts itself; INFO for the commands was not counted in its own answer.
        Self { commands, errors }.and("config", -1)
    }

    /// From a report.
    pub fn of_report(report: &Report) -> Self {
        let mut expected = Self::default();
        for statement in &report.statements {
            let name = statement.text.split(' ').next().unwrap_or_default().to_lowercase();
            *expected.commands.entry(name).or_default() += statement.count;
            for error in &statement.errors {
                *expected.errors.entry(error.code.clone()).or_default() += error.count;
            }
        }
        expected
    }

    /// So many requests more than the server counts, or fewer.
    pub fn and(mut self, name: &str, difference: i64) -> Self {
        let count = self.commands.entry(name.to_owned()).or_default();
        *count = count.checked_add_signed(difference).unwrap();
        self.commands.retain(|_, count| *count > 0);
        self
    }

    /// With what another server counted.
    pub fn with(mut self, other: Self) -> Self {
        for (name, count) in other.commands {
            *self.commands.entry(name).or_default() += count;
        }
        for (code, count) in other.errors {
            *self.errors.entry(code).or_default() += count;
        }
        self
    }

    /// The count of one error.
    pub fn error(&self, code: &str) -> u64 {
        self.errors.get(code).copied().unwrap_or(0)
    }

    /// The count of one command.
    pub fn count(&self, name: &str) -> u64 {
        self.commands.get(name).copied().unwrap_or(0)
    }
}

/// A capture that ended well, whose report says exactly this and knows of no gap.
#[track_caller]
pub fn check(ended: &Ended, expected: &Expected) -> Report {
    check_with(ended, expected, Gaps::default())
}

/// As [`check`], with these known gaps.
#[track_caller]
pub fn check_with(ended: &Ended, expected: &Expected, gaps: Gaps) -> Report {
    let report = ended.report().unwrap();
    let found = Expected::of_report(&report);
    complete(ended, gaps).unwrap();
    assert_eq!(found, *expected, "left: report, right: server; {:#?}", lines(&report));
    report
}
