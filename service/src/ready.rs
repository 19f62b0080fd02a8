//! The line that tells scripts and supervisors that a role is up, and where.

use std::io::{self, Write};
use std::net::SocketAddr;

/// The ready line of a role: `ready role=tracker listen=ws://127.0.0.1:8000
/// admin=http://127.0.0.1:9000`, without the line's end.
///
/// `listen` are the addresses really bound, as URLs, in the order of the configuration; several are
/// separated by commas. What a role does not have is left out.
#[must_use]
pub fn line(role: &str, listen: &[String], admin: Option<SocketAddr>) -> String {
    let mut line = format!("ready role={role}");
    if !listen.is_empty() {
        line.push_str(" listen=");
        line.push_str(&listen.join(","));
    }
    if let Some(admin) = admin {
        line.push_str(&format!(" admin=http://{admin}"));
    }
    line
}

/// Prints the ready line on standard output and flushes it, so that a script reading from a pipe
/// sees it at once.
///
/// # Errors
/// When nobody reads standard output any more. A server may well go on without it.
pub fn announce(role: &str, listen: &[String], admin: Option<SocketAddr>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", line(role, listen, admin))?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_the_form_scripts_rely_on() {
        let admin = "127.0.0.1:9000".parse().unwrap();
        assert_eq!(
            line("tracker", &["ws://127.0.0.1:8000".into()], Some(admin)),
            "ready role=tracker listen=ws://127.0.0.1:8000 admin=http://127.0.0.1:9000"
        );
    }

    #[test]
    fn several_addresses_are_separated_by_commas() {
        let listen = ["stun:127.0.0.1:3478".into(), "stun:[::1]:3478".into()];
        assert_eq!(
            line("stun", &listen, None),
            "ready role=stun listen=stun:127.0.0.1:3478,stun:[::1]:3478"
        );
    }

    #[test]
    fn what_a_role_does_not_have_is_left_out() {
        assert_eq!(line("seeder", &[], None), "ready role=seeder");
    }
}
