//! Segments of streams on demand on disk, over restarts.
//!
//! A file for each segment, in one folder. What is read back is checked, so nothing is flushed and nothing is repaired: what
//! is not as it was written is deleted and fetched again. All file work runs on tokio's blocking threads, so many at a
//! time and no more; a segment that finds no place in the queue is not written.

mod file;
mod index;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use beekeepr_model::ByteRange;
use bytes::Bytes;
use prometheus::IntGauge;
use ring::digest::{Context, SHA256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::{debug, info, warn};

use self::file::{ReadError, disk_bytes, read, write};
use self::index::Index;
use crate::config;
use crate::origin::Source;

/// Bytes of segments that are written or wait for it, beside the cache's own: what a channel is warmed up with, or two of
/// the largest segments.
const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Files that are read or written at a time; disks gain little from more.
const FILES_MAX: usize = 8;
/// Origins may put another file under an address in the end, and we do not ask them.
const AGE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// Which segment: the only thing that file names are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name([u8; 32]);

impl Name {
    /// `mark` tells those apart who may get different bytes from one address.
    pub(crate) fn of(mark: &str, source: &Source) -> Self {
        let mut context = Context::new(&SHA256);
        // Neither has a zero byte in it: marks are names of channels in a TOML file, addresses are percent-encoded.
        for text in [mark, source.url.as_str()] {
            context.update(text.as_bytes());
            context.update(&[0]);
        }
        if let Some(ByteRange { start, end }) = source.range {
            context.update(&start.to_le_bytes());
            context.update(&end.to_le_bytes());
        }
        let mut name = [0; 32];
        name.copy_from_slice(context.finish().as_ref());
        Self(name)
    }
}

/// The disk tier. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    index: Mutex<Index>,
    queue: Arc<Semaphore>,
    files: Semaphore,
    /// Whether writing has failed: then it is left alone until the next start.
    is_broken: AtomicBool,
    gauge: IntGauge,
}

impl Disk {
    /// Finds what is there from earlier. None when the folder cannot be used, which is told once: the seeder does without.
    pub(crate) async fn open(config: &config::Disk, gauge: IntGauge) -> Option<Self> {
        let (folder, bytes_max) = (config.path.clone(), config.bytes_max);
        let path = folder.clone();
        let opened = spawn_blocking(move || file::open(&path)).await;
        let found = match opened.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(found) => found,
            Err(error) => {
                warn!("{}", trouble(&folder, &error));
                return None;
            }
        };
        let (mut index, mut outlived) = (Index::new(bytes_max), Vec::new());
        for (name, bytes, written_at) in found {
            outlived.extend(index.make_room(bytes));
            index.insert(name, bytes, written_at);
        }
        let bytes = index.bytes();
        info!(folder = %folder.display(), segments = index.len(), bytes, "segments are kept on disk");
        let disk = Self(Arc::new(Shared {
            folder,
            index: Mutex::new(index),
            queue: Arc::new(Semaphore::new(QUEUE_BYTES_MAX)),
            files: Semaphore::new(FILES_MAX),
            is_broken: AtomicBool::new(false),
            gauge,
        }));
        disk.0.show();
        disk.0.delete(outlived).await;
        Some(disk)
    }

    /// A segment as it was written, or none.
    pub(crate) async fn read(&self, name: Name) -> Option<Bytes> {
        let shared = &self.0;
        let written_at = shared.index().touch(&name)?;
        let age = SystemTime::now().duration_since(written_at);
        if age.is_ok_and(|age| age > AGE_MAX) {
            shared.drop_segment(name).await;
            return None;
        }
        // The semaphore is never closed; without a permit the file would be read all the same.
        let _permit = shared.files.acquire().await;
        let folder = shared.folder.clone();
        let outcome = spawn_blocking(move || read(&folder, &name)).await.ok()?;
        match outcome {
            Ok(bytes) => Some(bytes),
            Err(ReadError::Io(error)) if error.kind() != io::ErrorKind::NotFound => {
                shared.fail(&error);
                None
            }
            Err(error) => {
                debug!(%error, "a segment on disk is not as it was written, fetching it again");
                shared.drop_segment(name).await;
                None
            }
        }
    }

    /// Writes a segment when there is time for it.
    pub(crate) fn write(&self, name: Name, bytes: Bytes) {
        let shared = &self.0;
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let Ok(place) = Arc::clone(&shared.queue).try_acquire_many_owned(length) else {
            return debug!("the disk is too slow for another segment");
        };
        if shared.is_broken.load(Ordering::Relaxed) || !shared.index().begin(name) {
            return;
        }
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            shared.write(name, bytes).await;
            drop(place);
        });
    }

    /// Returns when nothing waits to be written.
    #[cfg(test)]
    async fn settle(&self) {
        let all = self.0.queue.acquire_many(QUEUE_BYTES_MAX as u32).await;
        drop(all.unwrap());
    }
}

impl Shared {
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self, name: Name, bytes: Bytes) {
        let _permit = self.files.acquire().await;
        let length = disk_bytes(bytes.len());
        let outlived = self.index().make_room(length);
        self.delete(outlived).await;
        let folder = self.folder.clone();
        let outcome = spawn_blocking(move || write(&folder, &name, &bytes)).await;
        let outcome = outcome.unwrap_or_else(|error| Err(io::Error::other(error)));
        let mut index = self.index();
        index.end(&name);
        match outcome {
            Ok(()) => index.insert(name, length, SystemTime::now()),
            // Another seeder in the same folder, which is no harm.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => self.fail(&error),
        }
        drop(index);
        self.show();
    }

    async fn drop_segment(&self, name: Name) {
        self.index().remove(&name);
        self.delete(vec![name]).await;
        self.show();
    }

    /// Deletes files; those that are gone already are fine.
    async fn delete(&self, names: Vec<Name>) {
        if names.is_empty() {
            return;
        }
        let folder = self.folder.clone();
        let outcome = spawn_blocking(move || file::delete(&folder, &names)).await;
        if let Ok(Err(error)) = outcome {
            self.fail(&error);
        }
    }

    /// Nothing is written any more. What is there is still read.
    fn fail(&self, error: &io::Error) {
        if !self.is_broken.swap(true, Ordering::Relaxed) {
            warn!("{}", trouble(&self.folder, error));
        }
    }

    fn show(&self) {
        let bytes = self.index().bytes();
        self.gauge.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}

/// What was seen and what to try.
fn trouble(folder: &std::path::Path, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => "give the seeder's user the right to write there",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room or lower seeder.disk.bytes_max"
        }
        io::ErrorKind::ReadOnlyFilesystem => "name a folder on a volume that can be written",
        _ => "check seeder.disk.path",
    };
    format!(
        "cannot keep segments on disk in {}: {error}; the seeder goes on without it until it is restarted, {remedy}",
        folder.display()
    )
}

#[cfg(test)]
mod tests;
