//! Writes every target's first inputs into `corpus/TARGET/`. An example, because `cargo fuzz` takes every program for a
//! target.

use std::path::Path;

fn main() -> std::io::Result<()> {
    for target in tracer_fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:02}")), seed)?;
        }
    }
    Ok(())
}
