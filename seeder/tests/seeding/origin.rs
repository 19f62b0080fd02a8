//! An origin whose files a test can change.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};

#[derive(Clone, Default)]
struct Files(
    Arc<Mutex<HashMap<String, Vec<u8>>>>,
    Arc<Mutex<Vec<String>>>,
);

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
        self.files
            .0
            .lock()
            .expect("no test panics with it")
            .insert(path.into(), content.into());
    }

    /// How often a path was asked for.
    pub(crate) fn requests(&self, path: &str) -> usize {
        let requests = self.files.1.lock().expect("no test panics with it");
        requests.iter().filter(|seen| *seen == path).count()
    }
}

async fn serve(State(files): State<Files>, uri: Uri) -> Result<Vec<u8>, StatusCode> {
    let path = uri.path().to_owned();
    files
        .1
        .lock()
        .expect("no test panics with it")
        .push(path.clone());
    let found = files
        .0
        .lock()
        .expect("no test panics with it")
        .get(&path)
        .cloned();
    found.ok_or(StatusCode::NOT_FOUND)
}
