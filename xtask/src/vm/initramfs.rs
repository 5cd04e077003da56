//! The first file system of a machine: the first process, the programs, and a shell of the host.

use super::cpio::Archive;
use super::guest::Program;
use super::plan::Step;
use crate::process;
use anyhow::{Context as _, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where kernel file systems are mounted, and what a program expects.
const FOLDERS: [&str; 8] = ["/bin", "/dev", "/etc", "/proc", "/root", "/sys", "/tmp", "/var"];

/// Programs of the host that tests start: what a child process of a target runs.
const OF_THE_HOST: [&str; 2] = ["/bin/sh", "/bin/echo"];

/// Writes it to `path`.
pub fn write(path: &Path, programs: &[Program], plan: &[Step]) -> anyhow::Result<()> {
    let file = fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut archive = Archive::new(BufWriter::new(file));
    let of_the_host = of_the_host()?;
    let mut folders: BTreeSet<String> = FOLDERS.map(str::to_owned).into();
    for path in &of_the_host {
        let above = path.ancestors().skip(1).map(|folder| folder.to_string_lossy().into_owned());
        folders.extend(above.filter(|folder| folder != "/"));
    }
    // In alphabetical order a folder comes before what is in it.
    for folder in folders {
        archive.folder(&folder)?;
    }
    // The first process' standard output, before there is a devtmpfs.
    archive.device("/dev/console", 5, 1)?;
    archive.file("/etc/passwd", b"root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")?;
    archive.file("/plan.json", super::plan::to_json(plan).as_bytes())?;
    for path in &of_the_host {
        archive.file(&path.to_string_lossy(), &read(path)?)?;
    }
    for program in programs {
        let place = match program.name.as_str() {
            "vm-init" => "/init".to_owned(),
            name => format!("/bin/{name}"),
        };
        archive.file(&place, &read(&program.path)?)?;
    }
    archive.finish()?.flush().with_context(|| format!("cannot write {}", path.display()))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The programs and the libraries that they load, by the paths that they are loaded from.
fn of_the_host() -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut paths = BTreeSet::new();
    for program in OF_THE_HOST {
        ensure!(Path::new(program).is_file(), "there is no {program} here");
        paths.insert(PathBuf::from(program));
        let said = process::output(Command::new("ldd").arg(program))?;
        paths.extend(said.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from));
    }
    Ok(paths)
}
