//! Making tokens: everything but the signature, which the shell computes.

use std::fmt::Write as _;

use beekeepr_json::push_string;
use data_encoding::BASE64URL_NOPAD;

use crate::{Algorithm, Claims, Privacy, Role};

/// What has to be signed for a token with these claims.
#[must_use]
pub fn signing_input(algorithm: Algorithm, kid: Option<&str>, claims: &Claims) -> String {
    let mut header = format!(r#"{{"alg":"{}","typ":"JWT""#, algorithm.as_str());
    if let Some(kid) = kid {
        header.push_str(r#","kid":"#);
        push_string(&mut header, kid.chars());
    }
    header.push('}');
    let mut input = BASE64URL_NOPAD.encode(header.as_bytes());
    input.push('.');
    BASE64URL_NOPAD.encode_append(write_claims(claims).as_bytes(), &mut input);
    input
}

/// The token: what was signed, and its signature.
#[must_use]
pub fn with_signature(input: &str, signature: &[u8]) -> String {
    format!("{input}.{}", BASE64URL_NOPAD.encode(signature))
}

fn write_claims(claims: &Claims) -> String {
    let mut members = Members(String::from("{"));
    members.number("exp", claims.exp);
    members.number("nbf", claims.nbf);
    members.number("iat", claims.iat);
    members.text("iss", claims.iss.as_deref());
    if !claims.aud.is_empty() {
        members.list("aud", &claims.aud);
    }
    members.text("sub", claims.sub.as_deref());
    members.text("jti", claims.jti.as_deref());
    if let Some(swarms) = &claims.swarms {
        members.list("swarms", swarms);
    }
    if claims.role == Role::SuperPeer {
        members.text("role", Some("superpeer"));
    }
    if claims.is_leech {
        members.name("leech").push_str("true");
    }
    members.number("max_up_kbps", claims.max_up_kbps.map(u64::from));
    members.text(
        "privacy",
        claims.privacy.map(|privacy| match privacy {
            Privacy::Mesh => "mesh",
            Privacy::SuperPeerOnly => "superpeer-only",
        }),
    );
    members.0.push('}');
    members.0
}

/// An object that is being written.
struct Members(String);

impl Members {
    fn name(&mut self, name: &str) -> &mut String {
        let comma = if self.0.ends_with('{') { "" } else { "," };
        let _ = write!(self.0, "{comma}\"{name}\":");
        &mut self.0
    }

    fn number(&mut self, name: &str, value: Option<u64>) {
        if let Some(value) = value {
            let _ = write!(self.name(name), "{value}");
        }
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            push_string(self.name(name), value.chars());
        }
    }

    fn list(&mut self, name: &str, values: &[String]) {
        let out = self.name(name);
        out.push('[');
        for (i, value) in values.iter().enumerate() {
            out.push_str(if i == 0 { "" } else { "," });
            push_string(out, value.chars());
        }
        out.push(']');
    }
}
