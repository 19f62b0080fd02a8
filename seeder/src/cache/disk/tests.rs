use super::*;

const BYTES: &[u8] = b"0123456789";

fn name(path: &str) -> Name {
    let url = url::Url::parse(&format!("http://origin.example/{path}")).unwrap();
    Name::of("", &Source::new(url, None))
}

fn config(folder: &tempfile::TempDir) -> config::Disk {
    config::Disk {
        path: folder.path().join("segments"),
        bytes_max: 3 * 4096,
    }
}

async fn open(config: &config::Disk) -> Option<Disk> {
    Disk::open(config, IntGauge::new("disk", "disk").unwrap()).await
}

fn files(config: &config::Disk) -> Vec<PathBuf> {
    let files = std::fs::read_dir(&config.path).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

#[tokio::test]
async fn a_segment_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let disk = open(&config).await.unwrap();
    disk.write(name("../../etc/passwd"), Bytes::from_static(BYTES));
    disk.settle().await;
    let again = open(&config).await.unwrap();
    assert_eq!(again.read(name("../../etc/passwd")).await.unwrap(), BYTES);
    assert_eq!(again.0.gauge.get(), 4096);
    let file = &files(&config)[0];
    assert_eq!(file.file_stem().unwrap().len(), 64, "{}", file.display());
}

#[tokio::test]
async fn what_is_not_as_it_was_written_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    for damage in [&b"short"[..], &[0; 90], &[]] {
        let disk = open(&config).await.unwrap();
        disk.write(name("a"), Bytes::from_static(BYTES));
        disk.settle().await;
        std::fs::write(&files(&config)[0], damage).unwrap();
        assert_eq!(disk.read(name("a")).await, None);
        assert!(files(&config).is_empty());
        assert_eq!(disk.0.gauge.get(), 0);
    }
}

#[tokio::test]
async fn a_file_under_another_name_is_not_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let disk = open(&config).await.unwrap();
    for path in ["a", "b"] {
        disk.write(name(path), Bytes::from(path));
        disk.settle().await;
    }
    let files = files(&config);
    std::fs::copy(&files[0], &files[1]).unwrap();
    let read = [disk.read(name("a")).await, disk.read(name("b")).await];
    assert_eq!(read.iter().flatten().count(), 1);
}

#[tokio::test]
async fn there_is_never_more_than_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let disk = open(&config).await.unwrap();
    for number in 0..10 {
        disk.write(name(&number.to_string()), Bytes::from_static(BYTES));
        disk.settle().await;
    }
    assert_eq!(files(&config).len(), 3);
    let smaller = config::Disk {
        bytes_max: 4096,
        ..config.clone()
    };
    open(&smaller).await.unwrap();
    assert_eq!(files(&config).len(), 1);
}

#[tokio::test]
async fn foreign_files_are_left_alone_and_leftovers_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    std::fs::create_dir(&config.path).unwrap();
    let leftover = format!("{}.partial", "0a".repeat(32));
    for file in ["notes.txt", &leftover] {
        std::fs::write(config.path.join(file), "x").unwrap();
    }
    open(&config).await.unwrap();
    assert_eq!(files(&config), [config.path.join("notes.txt")]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    std::fs::write(&config.path, "a file where the folder should be").unwrap();
    assert!(open(&config).await.is_none());
}

#[tokio::test]
async fn when_writing_fails_nothing_more_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let disk = open(&config).await.unwrap();
    std::fs::remove_dir(&config.path).unwrap();
    disk.write(name("a"), Bytes::from_static(BYTES));
    disk.settle().await;
    assert!(disk.0.is_broken.load(Ordering::Relaxed));
    assert_eq!(disk.read(name("a")).await, None);
}

#[test]
fn trouble_is_told_with_what_to_try() {
    let text = trouble(
        "/cache".as_ref(),
        &io::Error::from(io::ErrorKind::StorageFull),
    );
    assert!(
        text.starts_with("cannot keep segments on disk in /cache: ") && text.contains("make room"),
        "{text}"
    );
}
