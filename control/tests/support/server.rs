//! A running control, and somebody who asks it.

use beekeepr_control::{Config, DatabaseUrl, Running, start};
use beekeepr_service::{Shutdown, Trigger};
use prometheus::Registry;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Control on free ports, with a folder of its own.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) beacons: String,
    pub(crate) owner: String,
    pub(crate) folder: TempDir,
    pub(crate) client: Client,
    running: Running,
    trigger: Trigger,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder);
        change(&mut config);
        let (running, trigger) = run(config).await;
        let owner = running.first_key.as_ref().unwrap().reveal();
        Self {
            url: format!("http://{}", running.address),
            beacons: format!("http://{}/v1/beacons", running.beacons.unwrap()),
            owner,
            folder,
            client: client(),
            running,
            trigger,
        }
    }

    /// Ends it, and starts another one on the same folder.
    pub(crate) async fn restart(self) -> (Running, Trigger, TempDir) {
        let folder = self.stop().await;
        let (running, trigger) = run(config(&folder)).await;
        (running, trigger, folder)
    }

    /// Ends it and gives its folder.
    pub(crate) async fn stop(self) -> TempDir {
        drop(self.client);
        self.trigger.request();
        self.running.wait().await;
        self.folder
    }

    pub(crate) fn ask(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        if key.is_empty() {
            request
        } else {
            request.bearer_auth(key)
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self
            .ask(Method::GET, path, &self.owner)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Response {
        self.ask(Method::PUT, path, &self.owner)
            .json(&body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Response {
        self.ask(Method::POST, path, &self.owner)
            .json(&body)
            .send()
            .await
            .unwrap()
    }

    /// A new API key.
    pub(crate) async fn key(&self, role: &str, tenant: Option<&str>) -> String {
        let path = tenant.map_or("/v1/keys".into(), |it| format!("/v1/keys?tenant={it}"));
        let made = self.post(&path, json!({"title": role, "role": role})).await;
        assert_eq!(made.status(), StatusCode::CREATED);
        made.json::<Value>().await.unwrap()["key"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A tenant, made.
    pub(crate) async fn tenant(&self, name: &str) {
        let made = self
            .put(&format!("/v1/tenants/{name}"), json!({"title": name}))
            .await;
        assert_eq!(made.status(), StatusCode::CREATED);
    }

    /// A channel, made.
    pub(crate) async fn channel(&self, name: &str, key: &str) -> Response {
        let body = json!({"manifest": format!("https://cdn.example/{name}.m3u8?token=sesame")});
        let request = self.ask(Method::PUT, &format!("/v1/channels/{name}"), key);
        request.json(&body).send().await.unwrap()
    }
}

fn config(folder: &TempDir) -> Config {
    let mut config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        database: Some(DatabaseUrl(format!(
            "sqlite:{}",
            folder.path().join("c.db").display()
        ))),
        secret_file: Some(folder.path().join("secret")),
        ..Config::default()
    };
    config.beacons.listen = Some("127.0.0.1:0".parse().unwrap());
    config
}

async fn run(config: Config) -> (Running, Trigger) {
    let (trigger, shutdown) = Shutdown::new();
    (
        start(config, &Registry::new(), shutdown).await.unwrap(),
        trigger,
    )
}

fn client() -> Client {
    // Another test of the process may have done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// The detail of a problem, which must be one.
pub(crate) async fn problem(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["status"], status);
    (status, body["detail"].as_str().unwrap().to_owned())
}
