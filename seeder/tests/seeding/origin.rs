//! An origin whose files a test can change.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::State;
use axum::http::header::RANGE;
use axum::http::{HeaderMap, StatusCode, Uri};
use tokio::sync::Semaphore;

#[derive(Clone, Default)]
struct Files(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    files: HashMap<String, Vec<u8>>,
    requests: Vec<(Uri, HeaderMap)>,
    held: HashMap<String, Arc<Semaphore>>,
    queries: HashMap<String, String>,
    is_down: bool,
}

pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    files: Files,
}

impl Origin {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let files = Files::default();
        let router = Router::new().fallback(serve).with_state(files.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, files }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        self.files.lock().files.insert(path.into(), content.into());
    }

    pub(crate) fn remove(&self, path: &str) {
        self.files.lock().files.remove(path);
    }

    /// How often a path was asked for.
    pub(crate) fn requests(&self, path: &str) -> usize {
        let inner = self.files.lock();
        inner
            .requests
            .iter()
            .filter(|(uri, _)| uri.path() == path)
            .count()
    }

    /// The queries with which a path was asked for.
    pub(crate) fn queries(&self, path: &str) -> Vec<String> {
        let inner = self.files.lock();
        let of_path = inner.requests.iter().filter(|(uri, _)| uri.path() == path);
        of_path
            .map(|(uri, _)| uri.query().unwrap_or_default().to_owned())
            .collect()
    }

    /// A header of the last request for a path.
    pub(crate) fn header(&self, path: &str, name: &str) -> Option<String> {
        let inner = self.files.lock();
        let mut requests = inner.requests.iter().rev();
        let (_, headers) = requests.find(|(uri, _)| uri.path() == path)?;
        Some(headers.get(name)?.to_str().ok()?.to_owned())
    }

    /// Requests for a path, with this query if it is not empty, wait from now on.
    pub(crate) fn hold(&self, path_and_query: &str) {
        let gate = Arc::new(Semaphore::new(0));
        self.files.lock().held.insert(path_and_query.into(), gate);
    }

    /// Lets them go, and all that come later.
    pub(crate) fn release(&self, path_and_query: &str) {
        if let Some(gate) = self.files.lock().held.get(path_and_query) {
            gate.add_permits(1_000);
        }
    }

    /// Without this query a path is forbidden.
    pub(crate) fn require(&self, path: &str, query: &str) {
        let mut inner = self.files.lock();
        inner.queries.insert(path.into(), query.into());
    }

    /// Answers everything with 503.
    pub(crate) fn go_down(&self) {
        self.files.lock().is_down = true;
    }
}

impl Files {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no test panics with it")
    }
}

async fn serve(
    State(files): State<Files>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<(StatusCode, Vec<u8>), StatusCode> {
    let path = uri.path().to_owned();
    let range = headers.get(RANGE).cloned();
    let gate = {
        let mut inner = files.lock();
        let name = uri.path_and_query().map_or("", |it| it.as_str()).to_owned();
        inner.requests.push((uri.clone(), headers));
        inner.held.get(&name).cloned()
    };
    if let Some(gate) = gate {
        gate.acquire().await.expect("gates are not closed").forget();
    }
    let inner = files.lock();
    if inner.is_down {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let wanted = inner.queries.get(&path);
    if wanted.is_some_and(|wanted| uri.query() != Some(wanted)) {
        return Err(StatusCode::FORBIDDEN);
    }
    let found = inner.files.get(&path).ok_or(StatusCode::NOT_FOUND)?;
    let Some(range) = range else {
        return Ok((StatusCode::OK, found.clone()));
    };
    let range = range.to_str().expect("a range is text");
    let (first, last) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .expect("a range of bytes");
    let first: usize = first.parse().expect("a number");
    let last: usize = last.parse().expect("a number");
    let part = found
        .get(first..(last + 1).min(found.len()))
        .ok_or(StatusCode::RANGE_NOT_SATISFIABLE)?;
    Ok((StatusCode::PARTIAL_CONTENT, part.to_vec()))
}
