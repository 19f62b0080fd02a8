//! `backup` and `restore`: on the database itself, so that they work where control does not run.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use beekeepr_control::Config;
use beekeepr_control::store::{Sql, Store as _};
use tokio::sync::mpsc;

use super::name_database;
use crate::args::{Backup, Database, Restore};
use crate::failure::Failure;
use crate::operator::say;

/// Lines on their way to the file.
const LINES_MAX: usize = 256;

/// `beekeepr backup`
pub(crate) async fn backup(args: Backup) -> Result<(), Failure> {
    let store = open(args.database).await?;
    // Digests of keys are in it.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.to);
    let file = file.map_err(|error| fault(&args.to, &format!("cannot be made: {error}")))?;
    let (sender, mut receiver) = mpsc::channel::<String>(LINES_MAX);
    let export = store.export(sender);
    let write = async {
        let mut file = BufWriter::new(file);
        while let Some(line) = receiver.recv().await {
            writeln!(file, "{line}")?;
        }
        file.into_inner()
            .map_err(std::io::IntoInnerError::into_error)?
            .sync_all()
    };
    let (rows, written) = tokio::join!(export, write);
    written.map_err(|error| fault(&args.to, &format!("cannot be written: {error}")))?;
    let rows = rows.map_err(|error| Failure::Other(format!("control.database: {error}")))?;
    say(&format!(
        "{rows} rows are in {}; keep a copy of the secret file too",
        args.to.display()
    ));
    Ok(())
}

/// `beekeepr restore`
pub(crate) async fn restore(args: Restore) -> Result<(), Failure> {
    let store = open(args.database).await?;
    let file = File::open(&args.from);
    let file = file.map_err(|error| fault(&args.from, &format!("cannot be read: {error}")))?;
    let rows = store.import(Box::new(BufReader::new(file).lines())).await;
    let rows = rows.map_err(|error| Failure::Other(format!("{}: {error}", args.from.display())))?;
    store.close().await;
    say(&format!("{rows} rows are restored"));
    Ok(())
}

async fn open(args: Database) -> Result<Sql, Failure> {
    let mut config: Config = crate::config::Config::load(args.file.config.as_deref())?.control;
    name_database(&mut config, args.database);
    if let Some(data) = args.data {
        std::fs::create_dir_all(&data).map_err(|error| fault(&data, &error.to_string()))?;
        config.data = Some(data);
    }
    let places = config.places();
    let url = match (config.database, places) {
        // The secret is not needed: what is sealed stays sealed.
        (Some(url), _) => url,
        (None, places) => places.map_err(Failure::Config)?.database,
    };
    if url.0.contains(":memory:") {
        let text = "there is no database that is kept; give --database URL or --data DIR";
        return Err(Failure::Config(text.to_owned()));
    }
    let opened = Sql::open(&url.0).await;
    opened.map_err(|error| Failure::Other(format!("control.database: {error}")))
}

fn fault(path: &Path, text: &str) -> Failure {
    Failure::Other(format!("{}: {text}", path.display()))
}
