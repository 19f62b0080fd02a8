//! A real PostgreSQL, started for a test and stopped after it.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

const MISSING: &str = "PostgreSQL is missing: these tests never pass without it. Run `cargo xtask test`, which installs it, or \
                       `apt-get install postgresql`";

/// A start takes a second; on a crowded machine more.
const START_TIME: Duration = Duration::from_secs(60);

/// A server on a socket of its own folder, without a port that could be taken.
pub(crate) struct Postgres {
    folder: TempDir,
    child: Child,
    databases: u32,
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub(crate) async fn start() -> Self {
        let bin = bin();
        let folder = tempfile::Builder::new()
            .prefix("beekeepr-pg")
            .tempdir()
            .unwrap();
        let account = account();
        if let Some((user, group)) = account {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = folder.path().join("data");
        let command = |program: &str| {
            let mut command = Command::new(bin.join(program));
            command
                .current_dir(folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            if let Some((user, group)) = account {
                command.uid(user).gid(group);
            }
            command
        };
        let made = command("initdb")
            .args([
                "--auth=trust",
                "--username=beekeepr",
                "--encoding=UTF8",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .status()
            .unwrap();
        assert!(made.success(), "initdb ended with {made}");
        let child = command("postgres")
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
                "-c",
                "shared_buffers=16MB",
                "-k",
            ])
            .arg(folder.path())
            .arg("-D")
            .arg(&data)
            .spawn()
            .unwrap();
        let server = Self {
            folder,
            child,
            databases: 0,
        };
        server.wait().await;
        server
    }

    /// The URL of a new, empty database.
    pub(crate) async fn database(&mut self) -> String {
        self.databases += 1;
        let name = format!("test{}", self.databases);
        let mut connection = AnyConnection::connect(&self.url("postgres")).await.unwrap();
        connection
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .await
            .unwrap();
        connection.close().await.unwrap();
        self.url(&name)
    }

    fn url(&self, name: &str) -> String {
        format!(
            "postgres://beekeepr@localhost/{name}?host={}",
            self.folder.path().display()
        )
    }

    async fn wait(&self) {
        sqlx::any::install_default_drivers();
        let began = Instant::now();
        loop {
            match AnyConnection::connect(&self.url("postgres")).await {
                Ok(connection) => return connection.close().await.unwrap(),
                // A server that starts up tells nobody when it is ready but who asks.
                Err(_) if began.elapsed() < START_TIME => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(error) => panic!("PostgreSQL does not start: {error}"),
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Its children end when it does.
        let _ = Command::new("kill")
            .arg("-QUIT")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}

/// Where `initdb` and `postgres` are: on the path, or where Debian keeps its versions.
fn bin() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|it| it.path().join("bin")));
    }
    let has = |folder: &Path| {
        ["initdb", "postgres"]
            .iter()
            .all(|it| folder.join(it).exists())
    };
    folders
        .into_iter()
        .find(|folder| has(folder))
        .expect(MISSING)
}

/// Whom to run it as: PostgreSQL refuses root, so root takes the account that its package made, or nobody's.
fn account() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout)
            .ok()?
            .trim()
            .parse::<u32>()
            .ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let of = |name: &str| Some((id(&["-u", name])?, id(&["-g", name])?));
    of("postgres").or_else(|| of("nobody"))
}
