//! A server program in the foreground: as a user of its own, in a folder of its own, gone when dropped.
//!
//! It never touches a server that the host already runs.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::newer::Tree;

/// A server answers within this time, also on a machine that compiles beside.
const MOST_UNTIL_READY: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// A server process and its folder. Dropping it kills the process and removes the folder.
#[derive(Debug)]
pub struct Daemon {
    folder: tempfile::TempDir,
    owner: Option<&'static str>,
    child: Option<Child>,
}

impl Daemon {
    /// A new folder for a server that is to run as `user` where the test runs as root, and as the caller where not.
    ///
    /// # Errors
    /// When there is no such user, or no room for temporary files.
    pub fn new(user: &'static str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("server-").tempdir().context("no temporary folder")?;
        // Clients of other users reach the socket in it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let owner = is_root()?.then_some(user);
        if let Some(user) = owner {
            let (uid, gid) = user_ids(user)?;
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        Ok(Self { folder, owner, child: None })
    }

    /// The folder: data, socket and log lie here.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the programs of [`Self::command`] wrote to stdout and stderr.
    pub fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// A program that runs as the owner of the folder, in it, and writes into the log.
    ///
    /// # Errors
    /// When the log cannot be opened.
    pub fn command(&self, program: impl AsRef<Path>) -> Result<Command> {
        let program = program.as_ref();
        let mut command = match self.owner {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args([
                    &format!("--reuid={user}"),
                    &format!("--regid={user}"),
                    "--clear-groups",
                    "--",
                ]);
                command.arg(program);
                command
            }
            None => Command::new(program),
        };
        self.write_to_log(&mut command)?;
        Ok(command)
    }

    /// As [`Self::command`], a program of unpacked packages, by its path in there.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub fn command_in(&self, tree: &Tree, program: &str) -> Result<Command> {
        let mut command = tree.command(program, self.owner.map(user_ids).transpose()?);
        self.write_to_log(&mut command)?;
        Ok(command)
    }

    fn write_to_log(&self, command: &mut Command) -> Result<()> {
        let log = fs::File::options().create(true).append(true).open(self.log_file())?;
        command.current_dir(self.folder()).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(())
    }

    /// Starts the server and returns when it is `ready`.
    ///
    /// # Errors
    /// When it ends before, or is not ready in a minute; its log is quoted.
    pub fn launch(&mut self, mut command: Command, ready: impl Fn() -> bool) -> Result<()> {
        let mut child = command.spawn().with_context(|| format!("{command:?} does not start"))?;
        let deadline = Instant::now() + MOST_UNTIL_READY;
        while !ready() {
            if let Some(status) = child.try_wait()? {
                bail!("{command:?} ended ({status}): {}", self.log());
            }
            if Instant::now() >= deadline {
                let _ = child.kill();
                let _ = child.wait();
                bail!("{command:?} is not ready after {MOST_UNTIL_READY:?}: {}", self.log());
            }
            std::thread::sleep(POLL);
        }
        self.child = Some(child);
        Ok(())
    }

    /// Process id of the server, in the pid namespace of the test.
    ///
    /// # Errors
    /// When it was not started.
    pub fn pid(&self) -> Result<u32> {
        Ok(self.child.as_ref().context("the server was not started")?.id())
    }

    /// The log's text, for an error message.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Stdout of a command that must succeed.
///
/// # Errors
/// When it cannot be started or fails; its stderr is quoted.
pub fn output(command: &mut Command) -> Result<String> {
    let done =
        command.stdin(Stdio::null()).output().with_context(|| format!("{command:?} does not start"))?;
    let (stdout, stderr) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    ensure!(done.status.success(), "{command:?} ended with {}: {stdout}{stderr}", done.status);
    Ok(stdout.into_owned())
}

/// Whether this process is root.
///
/// # Errors
/// When `/proc` is not there.
pub fn is_root() -> Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

/// A port that nobody listened on a moment ago.
///
/// # Errors
/// When no port is free.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// User and group id from the host's user table.
///
/// # Errors
/// When there is no such user.
pub fn user_ids(user: &str) -> Result<(u32, u32)> {
    let table = fs::read_to_string("/etc/passwd")?;
    let line = table.lines().find(|l| l.split(':').next() == Some(user));
    let mut fields = line.with_context(|| format!("no user {user}"))?.split(':').skip(2);
    let mut number = || -> Result<u32> { Ok(fields.next().context("short line in /etc/passwd")?.parse()?) };
    Ok((number()?, number()?))
}
