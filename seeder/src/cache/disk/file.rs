//! Files of segments: a head of 80 bytes, then the bytes.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | [`MAGIC`] |
//! | 32 | name, as in the file's name |
//! | 8 | length of what follows the head, little endian |
//! | 32 | SHA-256 of it |

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use beekeepr_model::limits;
use bytes::Bytes;
use ring::digest::{SHA256, digest};

use super::Name;

/// Changes with the layout, so that files of other versions count as damaged.
const MAGIC: &[u8; 8] = b"bkprseg1";
const HEAD_BYTES: usize = 80;
/// What file systems give out at a time.
const BLOCK_BYTES: u64 = 4096;

/// Ending of a whole file, and of one that is being written.
const WHOLE: &str = "segment";
const PARTIAL: &str = "partial";

/// Why a segment cannot be read back.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the file is damaged")]
    Damaged,
}

/// What a segment takes on disk.
pub(super) fn disk_bytes(length: usize) -> u64 {
    (length as u64 + HEAD_BYTES as u64).next_multiple_of(BLOCK_BYTES)
}

/// Prepares the folder and tells what is in it, oldest first: names, bytes on disk and when they were written.
pub(super) fn open(folder: &Path) -> io::Result<Vec<(Name, u64, SystemTime)>> {
    // What is in it may have cost viewers' money.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made?;
    check_writable(folder)?;
    let mut found = Vec::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        let path = file.path();
        let Some(name) = name_of(&path) else {
            continue; // none of ours
        };
        let meta = file.metadata()?;
        match path.extension().and_then(|it| it.to_str()) {
            Some(WHOLE) if meta.is_file() => {
                let length = usize::try_from(meta.len()).unwrap_or(usize::MAX);
                let bytes = disk_bytes(length.saturating_sub(HEAD_BYTES));
                found.push((name, bytes, meta.modified()?));
            }
            Some(PARTIAL) if meta.is_file() => fs::remove_file(&path)?,
            Some(_) | None => {}
        }
    }
    found.sort_by_key(|(_, _, written_at)| *written_at);
    Ok(found)
}

fn check_writable(folder: &Path) -> io::Result<()> {
    let probe = path(folder, &Name([0; 32]), PARTIAL);
    delete_file(&probe)?;
    create(&probe)?;
    delete_file(&probe)
}

/// The name that one of our files has; none for others.
fn name_of(path: &Path) -> Option<Name> {
    let stem = path.file_stem()?.to_str()?;
    let mut name = [0; 32];
    if stem.len() != 2 * name.len() || !stem.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in name.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(stem.get(at..at + 2)?, 16).ok()?;
    }
    Some(Name(name))
}

fn path(folder: &Path, name: &Name, ending: &str) -> PathBuf {
    let hex: String = name.0.iter().map(|byte| format!("{byte:02x}")).collect();
    folder.join(hex).with_extension(ending)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // Never through a link that somebody has put there.
    options.write(true).create_new(true).mode(0o600).open(path)
}

/// Writes a segment under another name first, so that a file with the right name is whole unless the machine fails.
pub(super) fn write(folder: &Path, name: &Name, bytes: &[u8]) -> io::Result<()> {
    let partial = path(folder, name, PARTIAL);
    let written = create(&partial).and_then(|mut file| {
        file.write_all(&head(name, bytes))?;
        file.write_all(bytes)?;
        fs::rename(&partial, path(folder, name, WHOLE))
    });
    if let Err(error) = &written
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        // Half of a file takes room where there may be none. What failed says more than this may.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn head(name: &Name, bytes: &[u8]) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&name.0);
    head.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    head.extend_from_slice(digest(&SHA256, bytes).as_ref());
    head
}

/// A segment as it was written.
pub(super) fn read(folder: &Path, name: &Name) -> Result<Bytes, ReadError> {
    let mut file = File::open(path(folder, name, WHOLE))?;
    let length = file.metadata()?.len();
    if length > limits::SEGMENT_BYTES_MAX + HEAD_BYTES as u64 {
        return Err(ReadError::Damaged);
    }
    let mut all = Vec::with_capacity(length as usize);
    file.read_to_end(&mut all)?;
    if all.len() <= HEAD_BYTES || all[..HEAD_BYTES] != head(name, &all[HEAD_BYTES..]) {
        return Err(ReadError::Damaged);
    }
    Ok(Bytes::from(all).slice(HEAD_BYTES..))
}

/// Deletes files; those that are gone already are fine.
pub(super) fn delete(folder: &Path, names: &[Name]) -> io::Result<()> {
    names
        .iter()
        .try_for_each(|name| delete_file(&path(folder, name, WHOLE)))
}

fn delete_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
