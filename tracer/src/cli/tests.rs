//! Words in, configuration or exit code out.

use super::*;
use crate::config::{AttachConfig, Destination};
use crate::host::target::Selector;
use clap::CommandFactory;

#[test]
fn definition_is_consistent() {
    Cli::command().debug_assert();
}

fn attach(line: &str) -> AttachConfig {
    let cli = Cli::try_parse_from(std::iter::once("dbtap").chain(line.split(' ')));
    match cli.unwrap_or_else(|error| panic!("{line}: {error}")).command {
        Command::Attach(args) => AttachConfig::new(args.into_request()).unwrap(),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn attach_defaults() {
    let config = attach("attach 42");
    assert_eq!(config.selectors, [Selector::Pid(42)]);
    assert!(config.follow && config.protocols.is_empty() && config.peers.is_empty());
    assert_eq!(config.duration, Duration::from_secs(30));
    assert_eq!((config.slow, config.capture_bytes, config.format.as_str()), (None, 1 << 20, "table"));
    assert_eq!(config.destination, Destination::Stdout);
    assert!(!config.show_values, "values are shown only where somebody asked for it");
}

#[test]
fn attach_with_everything() {
    let config = attach(
        "attach 42 43 --comm app --exe /usr/bin/app --container 3f2a --cgroup /system.slice --no-follow \
         --protocol postgresql,postgresql --peer db:5432 --peer ::1 --duration 1m30s --slow 250ms \
         --capture-bytes 8192 --format json --show-values -o out.json",
    );
    assert_eq!(config.selectors.len(), 6);
    assert!(!config.follow);
    assert_eq!(config.protocols, ["postgresql"]);
    assert_eq!(config.peers.len(), 2);
    assert_eq!((config.duration, config.slow), (Duration::from_secs(90), Some(Duration::from_millis(250))));
    assert_eq!((config.capture_bytes, config.format.as_str()), (8192, "json"));
    assert!(config.show_values);
    assert_eq!(config.destination, Destination::File(PathBuf::from("out.json")));
}

/// Each kind of target is enough on its own.
#[test]
fn one_target_of_any_kind() {
    for words in ["--comm a", "--exe /a", "--container abcd", "--cgroup /a", "1"] {
        assert_eq!(attach(&format!("attach {words}")).selectors.len(), 1, "{words}");
    }
}

#[test]
fn other_commands() {
    let command = |words: &[&str]| Cli::try_parse_from(words).unwrap().command;
    assert!(matches!(command(&["dbtap", "doctor"]), Command::Doctor(DoctorArgs { pid: None })));
    assert!(matches!(command(&["dbtap", "doctor", "7"]), Command::Doctor(DoctorArgs { pid: Some(7) })));
    assert!(matches!(command(&["dbtap", "completions", "zsh"]), Command::Completions(_)));
    assert!(matches!(command(&["dbtap", "man"]), Command::Man));
}

/// Wrong usage is exit code 2, and stderr has the words that help.
#[test]
fn wrong_usage() {
    let check = |line: &str, expected: &str| {
        let error = Cli::try_parse_from(std::iter::once("dbtap").chain(line.split_whitespace())).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.use_stderr(), "{line}");
        let text = error.to_string();
        assert!(text.contains(expected), "{line}: {text}");
    };
    check("", "Usage: dbtap <COMMAND>");
    check("attach", "required arguments were not provided");
    check("attach --no-follow", "required arguments were not provided");
    check("attach 0", "0 is not in 1..=4194304");
    check("attach -- -5", "-5 is not in 1..=4194304");
    check("attach x", "invalid digit found in string");
    check("attach 1 --duration 30", "not a length of time; write it like 250ms, 30s, 1m30s");
    check("attach 1 --duration 0s", "must be longer than zero");
    check("attach 1 --slow never", "not a length of time");
    check("attach 1 --format yaml", "[possible values: table, json, csv]");
    check("attach 1 --protocol oracle", "[possible values: postgresql");
    check("attach 1 --capture-bytes 1", "1 is not in 1024..=4194304");
    check("attach 1 --peer db:x", "not a peer");
    check("attach --container payments", "not a container id");
    check("attach --comm sixteen-letters-", "longer than the 15 bytes");
    check("completions perl", "possible values: bash");
    check("record 1", "unrecognized subcommand");
}

#[test]
fn help_and_version() {
    let show = |line: &str| {
        let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
        assert_eq!((error.exit_code(), error.use_stderr()), (0, false), "{line}");
        error.to_string()
    };
    assert_eq!(show("dbtap --version"), format!("dbtap {}\n", env!("CARGO_PKG_VERSION")));
    for line in ["dbtap --help", "dbtap -h", "dbtap attach --help", "dbtap attach -h"] {
        let help = show(line);
        assert!(help.contains("Examples:\n  sudo dbtap"), "{line}: {help}");
        let examples = help.lines().skip_while(|line| *line != "Examples:");
        assert!(examples.clone().all(|line| line.len() <= 80), "{line}");
    }
}

/// The examples in the help are true.
#[test]
fn examples_parse() {
    for example in EXAMPLES.lines().chain(ATTACH_EXAMPLES.lines()) {
        let Some(line) = example.trim().strip_prefix("sudo ") else { continue };
        let line = line.split("   ").next().unwrap_or(line).replace("$(pgrep -d ' ' payments)", "1 2");
        let words = line.split_whitespace();
        assert!(Cli::try_parse_from(words).is_ok(), "{line}");
    }
}

#[test]
fn completions_for_every_shell() {
    for shell in <clap_complete::Shell as clap::ValueEnum>::value_variants() {
        let script = String::from_utf8(completions(*shell)).unwrap();
        assert!(script.contains("no-follow") && script.contains("doctor"), "{shell}");
    }
}

#[test]
fn man_page_names_every_command_and_flag() {
    let page = String::from_utf8(man().unwrap()).unwrap();
    for command in Cli::command().get_subcommands() {
        assert!(page.contains(&format!(".SS {}\n", command.get_name())), "{}", command.get_name());
        for flag in command.get_arguments().filter_map(|arg| arg.get_long()) {
            assert!(page.contains(&flag.replace('-', "\\-")), "{flag}");
        }
    }
    assert!(page.contains("Exit status"));
}
