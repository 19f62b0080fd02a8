use reqwest::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Server, problem};

#[tokio::test]
async fn a_channel_is_made_shown_changed_and_removed() {
    let server = Server::start().await;
    let made = server.channel("news", &server.owner).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let first = made.headers()[ETAG].clone();
    let shown = server.get("/v1/channels/news").await;
    assert_eq!(
        shown["config"]["manifest"],
        "https://cdn.example/news.m3u8?(hidden)"
    );
    assert_eq!(shown["etag"], first.to_str().unwrap());

    let mut config = shown["config"].clone();
    config["headers"] = json!({"x-key": "sesame"});
    let put = |tag: &str, config: &Value| {
        let request = server
            .ask(Method::PUT, "/v1/channels/news", &server.owner)
            .json(config);
        request.header(IF_MATCH, tag.to_owned()).send()
    };
    let changed = put(first.to_str().unwrap(), &config).await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    assert!(!changed.text().await.unwrap().contains("sesame"));
    assert_eq!(
        problem(put(first.to_str().unwrap(), &config).await.unwrap())
            .await
            .0,
        412
    );
    assert_eq!(
        problem(put("W/\"weak\"", &config).await.unwrap()).await.0,
        412
    );

    let gone = server
        .ask(Method::DELETE, "/v1/channels/news", &server.owner)
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    let gone = server
        .ask(Method::GET, "/v1/channels/news", &server.owner)
        .send()
        .await
        .unwrap();
    assert_eq!(problem(gone).await.0, 404);
}

#[tokio::test]
async fn something_new_is_made_only_when_it_is_new() {
    let server = Server::start().await;
    let put = || {
        let request = server
            .ask(Method::PUT, "/v1/tenants/a", &server.owner)
            .json(&json!({}));
        request.header(IF_NONE_MATCH, "*").send()
    };
    assert_eq!(put().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(
        put().await.unwrap().status(),
        StatusCode::PRECONDITION_FAILED
    );
    let absent = server
        .ask(Method::PUT, "/v1/tenants/b", &server.owner)
        .json(&json!({}));
    let absent = absent.header(IF_MATCH, "*").send().await.unwrap();
    assert_eq!(absent.status(), StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn lists_come_in_pieces() {
    let server = Server::start().await;
    for name in ["a", "b", "c", "d", "e"] {
        server.tenant(name).await;
    }
    let mut names = Vec::new();
    let mut path = "/v1/tenants?limit=2".to_owned();
    loop {
        let page = server.get(&path).await;
        let items = page["items"].as_array().unwrap();
        names.extend(
            items
                .iter()
                .map(|it| it["name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/tenants?limit=2&after={next}");
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    let wrong = server
        .ask(Method::GET, "/v1/tenants?limit=0", &server.owner)
        .send()
        .await
        .unwrap();
    assert_eq!(problem(wrong).await.0, 400);
}

#[tokio::test]
async fn what_cannot_be_is_a_problem_that_says_what() {
    let server = Server::start().await;
    let ask = |method, path: &str| server.ask(method, path, &server.owner);
    let channel = |body: Value| ask(Method::PUT, "/v1/channels/a").json(&body);
    let json = "content-type";
    let cases = [
        (channel(json!({"manifest": "ftp://x"})), 422, "manifest"),
        (
            channel(json!({"manifest": "https://x/a", "manifst": 1})),
            422,
            "manifst",
        ),
        (channel(json!({"manifest": 5})), 422, "manifest"),
        (channel(json!([])), 422, "struct Channel"),
        (
            ask(Method::PUT, "/v1/channels/a")
                .header(json, "application/json")
                .body("{"),
            400,
            "EOF",
        ),
        (
            ask(Method::PUT, "/v1/channels/a")
                .header(json, "text/plain")
                .body("{}"),
            415,
            "Content-Type",
        ),
        (
            ask(Method::PUT, "/v1/channels/a")
                .header(json, "application/json")
                .body("x".repeat(70_000)),
            413,
            "65536",
        ),
        (
            ask(Method::PUT, "/v1/channels/%20a").json(&json!({"manifest": "https://x/a"})),
            422,
            "name",
        ),
        (
            ask(Method::PUT, "/v1/channels/%00").json(&json!({"manifest": "https://x/a"})),
            400,
            "name",
        ),
        (
            ask(Method::PUT, "/v1/channels/a?tenant=none")
                .json(&json!({"manifest": "https://x/a"})),
            422,
            "none",
        ),
        (ask(Method::GET, "/v1/nothing"), 404, "openapi"),
        (ask(Method::PATCH, "/v1/channels"), 405, "openapi"),
        (ask(Method::GET, "/v1/statistics?step=7"), 400, "step"),
        (ask(Method::GET, "/v1/statistics?form=csv"), 400, "form"),
        (
            ask(Method::PUT, "/v1/settings").json(&json!({"currency": ""})),
            422,
            "currency",
        ),
        (
            ask(Method::PUT, "/v1/groups/a").json(&json!({"networks": ["10.0.0.0/99"]})),
            422,
            "networks",
        ),
    ];
    for (request, expected, part) in cases {
        let (status, detail) = problem(request.send().await.unwrap()).await;
        assert_eq!(status, expected, "{detail}");
        assert!(detail.contains(part), "{part}: {detail}");
    }
}

#[tokio::test]
async fn tenants_have_their_own_and_see_no_others() {
    let server = Server::start().await;
    server.tenant("one").await;
    server.tenant("two").await;
    let one = server.key("owner", Some("one")).await;
    let two = server.key("owner", Some("two")).await;
    assert_eq!(
        server.channel("news", &one).await.status(),
        StatusCode::CREATED
    );
    assert_eq!(
        server.channel("sport", &two).await.status(),
        StatusCode::CREATED
    );
    let ask = |method: Method, path: &str| server.ask(method, path, &two);
    for method in [Method::GET, Method::DELETE] {
        let answer = ask(method, "/v1/channels/news").send().await.unwrap();
        assert_eq!(problem(answer).await.0, 404);
    }
    assert_eq!(problem(server.channel("news", &two).await).await.0, 409);
    let list: Value = ask(Method::GET, "/v1/channels")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let keys: Value = ask(Method::GET, "/v1/keys")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
    let audit: Value = ask(Method::GET, "/v1/audit")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let lines = audit["items"].as_array().unwrap();
    assert!(lines.iter().all(|it| it["tenant"] == "two"), "{audit}");
    let foreign = ask(Method::POST, "/v1/keys?tenant=one").json(&json!({"role": "viewer"}));
    assert_eq!(problem(foreign.send().await.unwrap()).await.0, 403);
    let used = server
        .ask(Method::DELETE, "/v1/tenants/one", &server.owner)
        .send()
        .await
        .unwrap();
    assert_eq!(problem(used).await.0, 409);
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_and_no_secret() {
    let server = Server::start().await;
    server.channel("news", &server.owner).await;
    server.key("viewer", None).await;
    let audit = server.get("/v1/audit").await;
    let lines: Vec<String> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {} {}", it["action"], it["kind"], it["detail"]))
        .collect();
    assert!(
        lines[0].contains("create") && lines[0].contains("role viewer"),
        "{lines:?}"
    );
    assert!(
        lines[1].contains("create") && lines[1].contains("channel"),
        "{lines:?}"
    );
    let text = audit.to_string();
    assert!(
        !text.contains("sesame") && !text.contains(&server.owner),
        "{text}"
    );
    let first = server.get("/v1/audit?limit=1").await;
    let next = first["next"].as_str().unwrap();
    let second = server
        .get(&format!("/v1/audit?limit=1&before={next}"))
        .await;
    assert_eq!(second["items"][0], audit["items"][1]);
}

#[tokio::test]
async fn groups_come_and_go_as_a_file() {
    let server = Server::start().await;
    let put = |text: &'static str| {
        server
            .ask(Method::PUT, "/v1/groups-file", &server.owner)
            .body(text)
            .send()
    };
    assert_eq!(
        put("10.1.0.0/16 berlin\n10.2.0.0/16 paris\n")
            .await
            .unwrap()
            .status(),
        204
    );
    let titled = json!({"title": "Berlin office", "networks": ["10.1.0.0/16"]});
    server.put("/v1/groups/berlin", titled).await;
    assert_eq!(
        put("10.1.0.0/16 berlin\n10.3.0.0/16 rome\n")
            .await
            .unwrap()
            .status(),
        204
    );
    let file = server
        .ask(Method::GET, "/v1/groups-file", &server.owner)
        .send()
        .await
        .unwrap();
    assert_eq!(
        file.text().await.unwrap(),
        "10.1.0.0/16 berlin\n10.3.0.0/16 rome\n"
    );
    let berlin = server.get("/v1/groups/berlin").await;
    assert_eq!(berlin["config"]["title"], "Berlin office");
    let (status, detail) = problem(put("10.1.0.0/16 berlin\nnonsense\n").await.unwrap()).await;
    assert!(status == 422 && detail.contains("line 2"), "{detail}");
}

#[tokio::test]
async fn settings_are_there_before_anybody_sets_them() {
    let server = Server::start().await;
    let get = server
        .ask(Method::GET, "/v1/settings", &server.owner)
        .send()
        .await
        .unwrap();
    let tag = get.headers()[ETAG].clone();
    let put = |price: i64| {
        let body = json!({"price_per_gb_micros": price, "currency": "EUR"});
        let request = server
            .ask(Method::PUT, "/v1/settings", &server.owner)
            .json(&body);
        request.header(IF_MATCH, tag.clone()).send()
    };
    assert_eq!(put(20_000).await.unwrap().status(), StatusCode::OK);
    assert_eq!(
        put(30_000).await.unwrap().status(),
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(server.get("/v1/summary").await["currency"], "EUR");
}

#[tokio::test]
async fn a_backup_over_the_api_is_whole_and_has_no_credentials() {
    let server = Server::start().await;
    server.channel("news", &server.owner).await;
    let backup = server
        .ask(Method::GET, "/v1/backup", &server.owner)
        .send()
        .await
        .unwrap();
    let text = backup.text().await.unwrap();
    assert!(!text.contains("sesame"));
    let store = beekeepr_control::store::Sql::open("sqlite::memory:")
        .await
        .unwrap();
    let lines: Vec<_> = text.lines().map(str::to_owned).map(Ok).collect();
    use beekeepr_control::store::{Kind, Store as _};
    store.import(Box::new(lines.into_iter())).await.unwrap();
    assert!(store.get(Kind::Channel, "news").await.unwrap().is_some());
}

#[tokio::test]
async fn events_tell_of_changes_to_those_who_may_know() {
    let server = Server::start().await;
    let events = |key: &str| server.ask(Method::GET, "/v1/events", key).send();
    let viewer = server.key("viewer", None).await;
    let mut owner = events(&server.owner).await.unwrap();
    let mut viewer = events(&viewer).await.unwrap();
    assert_eq!(owner.headers()["content-type"], "text/event-stream");
    server.channel("news", &server.owner).await;
    let event = owner.chunk().await.unwrap().unwrap();
    let text = std::str::from_utf8(&event).unwrap();
    assert!(
        text.contains("event: change") && text.contains("\"id\":\"news\""),
        "{text}"
    );
    // What a viewer gets first is the figures of ten seconds, or nothing.
    let none = std::time::Duration::from_millis(100);
    if let Ok(Ok(Some(event))) = tokio::time::timeout(none, viewer.chunk()).await {
        assert!(!std::str::from_utf8(&event).unwrap().contains("change"));
    }
}
