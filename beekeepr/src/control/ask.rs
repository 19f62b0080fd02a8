//! Commands by way of the admin API.

use std::path::Path;
use std::time::Duration;

use beekeepr_trust::{Claims, Role};
use reqwest::{Client, Method, Url, redirect};
use serde_json::{Value, json};

use super::keygen;
use crate::args::{Api, Channels, HolderRole, Token};
use crate::failure::Failure;
use crate::operator::say;

/// Control answers at once, or is not there.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// `beekeepr token`
pub(crate) async fn token(args: Token) -> Result<(), Failure> {
    if let Some(file) = &args.signing_key {
        return token_by_file(file, &args);
    }
    let body = json!({
        "subject": args.subject,
        "swarms": (!args.swarms.is_empty()).then_some(&args.swarms),
        "role": match args.role { HolderRole::Viewer => "viewer", HolderRole::Superpeer => "superpeer" },
        "leech": args.leech,
        "max_up_kbps": args.max_up_kbps,
        "lifetime_s": args.lifetime,
    });
    let made = ask(&args.api, Method::POST, &["tokens"], Some(&body)).await?;
    say(made["token"].as_str().unwrap_or_default());
    Ok(())
}

/// Without control: signed here, with a key that `keygen` made.
fn token_by_file(file: &Path, args: &Token) -> Result<(), Failure> {
    let keygen::KeyFile { kid, key } = keygen::read(file)?;
    let now_s = keygen::now_s();
    let claims = Claims {
        exp: Some(now_s + u64::from(args.lifetime)),
        iat: Some(now_s),
        iss: args.issuer.clone(),
        aud: args.audience.clone().into_iter().collect(),
        sub: args.subject.clone(),
        swarms: (!args.swarms.is_empty()).then(|| args.swarms.clone()),
        role: match args.role {
            HolderRole::Viewer => Role::Viewer,
            HolderRole::Superpeer => Role::SuperPeer,
        },
        is_leech: args.leech,
        max_up_kbps: args.max_up_kbps,
        ..Claims::default()
    };
    say(&key.sign(&kid, &claims).map_err(Failure::Other)?);
    Ok(())
}

/// `beekeepr channel`
pub(crate) async fn channel(args: Channels) -> Result<(), Failure> {
    match args {
        Channels::List { api } => {
            let mut path = Vec::new();
            loop {
                let page = ask_page(&api, &path).await?;
                for item in page["items"].as_array().into_iter().flatten() {
                    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    say(&format!(
                        "{}\t{}",
                        text(&item["name"]),
                        text(&item["config"]["manifest"])
                    ));
                }
                match page["next"].as_str() {
                    Some(next) => path = vec![("after".to_owned(), next.to_owned())],
                    None => return Ok(()),
                }
            }
        }
        Channels::Show { api, name } => {
            let shown = ask(&api, Method::GET, &["channels", &name], None).await?;
            say(&serde_json::to_string_pretty(&shown).unwrap_or_default());
            Ok(())
        }
        Channels::Put {
            api,
            channel,
            swarm_id,
        } => {
            let mut body = json!({ "manifest": channel.manifest.url().as_str() });
            if let Some(swarm_id) = swarm_id {
                body["swarm_id"] = swarm_id.into();
            }
            ask(&api, Method::PUT, &["channels", &channel.name], Some(&body)).await?;
            say(&format!("{} is seeded from now on", channel.name));
            Ok(())
        }
        Channels::Delete { api, name } => {
            ask(&api, Method::DELETE, &["channels", &name], None).await?;
            say(&format!("{name} is seeded no more"));
            Ok(())
        }
    }
}

async fn ask_page(api: &Api, query: &[(String, String)]) -> Result<Value, Failure> {
    let mut url = url(api, &["channels"])?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    send(api, Method::GET, url, None).await
}

async fn ask(
    api: &Api,
    method: Method,
    path: &[&str],
    body: Option<&Value>,
) -> Result<Value, Failure> {
    send(api, method, url(api, path)?, body).await
}

fn url(api: &Api, path: &[&str]) -> Result<Url, Failure> {
    let mut url = api.url.clone();
    url.path_segments_mut()
        .map_err(|()| Failure::Usage("--api: expected http://HOST:PORT".to_owned()))?
        .pop_if_empty()
        .push("v1")
        .extend(path);
    Ok(url)
}

/// The answer's JSON; a problem's detail is the failure.
async fn send(api: &Api, method: Method, url: Url, body: Option<&Value>) -> Result<Value, Failure> {
    let key = key(api)?;
    // Another library of the process may have chosen the same.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .timeout(ANSWER_TIME)
        // The key is for this server and for no other.
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build();
    let unreachable = |error: reqwest::Error| {
        Failure::Other(format!(
            "no answer from control at {}: {}",
            api.url,
            cause(&error)
        ))
    };
    let mut request = client
        .map_err(unreachable)?
        .request(method, url)
        .bearer_auth(key);
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    let answer = request.send().await.map_err(unreachable)?;
    let status = answer.status();
    let text = answer.text().await.map_err(unreachable)?;
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    if status.is_success() {
        return Ok(json);
    }
    let detail = json["detail"]
        .as_str()
        .unwrap_or("is it control's address?");
    Err(Failure::Other(format!(
        "control answered {}: {detail}",
        status.as_u16()
    )))
}

/// The innermost cause says most.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn key(api: &Api) -> Result<String, Failure> {
    let text = match (&api.key_file, &api.key) {
        (Some(file), _) => std::fs::read_to_string(file).map_err(|error| {
            Failure::Other(format!(
                "--key-file: cannot read {}: {error}",
                file.display()
            ))
        })?,
        (None, Some(key)) => key.clone(),
        (None, None) => {
            let text = "expected an API key: --key-file FILE, or BEEKEEPR_KEY in the environment";
            return Err(Failure::Usage(text.to_owned()));
        }
    };
    Ok(text.trim().to_owned())
}
