//! The last list of channels on disk, so that a restart without control still seeds.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Longer lists are not kept, nor taken from control: [`super::CHANNELS_MAX`] channels with long credentials.
pub(super) const DOCUMENT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What was kept, if there is something.
pub(super) fn load(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::metadata(path) {
        Ok(found) if found.len() > DOCUMENT_BYTES_MAX => Err(io::ErrorKind::FileTooLarge.into()),
        Ok(_) => std::fs::read(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps it. At every moment the file is a whole one; nobody else may read it, as credentials are in it.
pub(super) fn save(path: &Path, document: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // One that is left over may have other permissions.
    let _ = std::fs::remove_file(&beside);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(document)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_kept_is_there_again_and_for_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("channels.json");
        assert_eq!(load(&path).unwrap(), None);
        save(&path, b"one").unwrap();
        save(&path, b"two").unwrap();
        assert_eq!(load(&path).unwrap().unwrap(), b"two");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
