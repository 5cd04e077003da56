//! Replays every committed fuzz input, and every target's seeds, without libFuzzer. An input that once broke an invariant
//! lies in `fuzz/regressions/TARGET/`.

use std::path::{Path, PathBuf};

#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

#[test]
fn every_committed_input_holds() {
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder().join("regressions")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let target = fuzz::TARGETS.iter().find(|target| target.name == name);
        let target = target.unwrap_or_else(|| panic!("regressions/{name}: there is no such target"));
        for input in std::fs::read_dir(entry.path()).unwrap() {
            let path = input.unwrap().path();
            eprintln!("{}", path.display());
            (target.run)(&std::fs::read(path).unwrap());
            replayed += 1;
        }
    }
    assert!(replayed > 0, "no committed input was found");
}

#[test]
fn every_seed_holds() {
    for target in fuzz::TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for seed in seeds {
            fuzz::run(target.name, &seed);
        }
    }
}

#[test]
fn every_target_has_its_program() {
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for target in fuzz::TARGETS {
        let path = format!("fuzz_targets/{}.rs", target.name);
        assert!(manifest.contains(&format!("path = \"{path}\"")), "{path} is not in fuzz/Cargo.toml");
        let program = std::fs::read_to_string(folder().join(path)).unwrap();
        assert!(program.contains(&format!("run(\"{}\", data)", target.name)), "{program}");
    }
}

/// A new protocol is fuzzed from both of its sides.
#[test]
fn every_protocol_has_fuzz_targets() {
    for entry in tracer::proto::REGISTRY {
        let targets = fuzz::TARGETS.iter().filter(|target| target.protocol == Some(entry.name));
        assert_eq!(targets.count(), 2, "{}: a target for its client and one for its server", entry.name);
    }
}
