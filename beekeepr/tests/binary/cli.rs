//! The command line as scripts see it: ready lines, exit codes, one line for each fault.

use crate::server::{Server, refused};

/// A tracker on free ports.
fn start_tracker() -> Server {
    Server::start(&[
        "tracker",
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "127.0.0.1:0",
    ])
}

/// Where its ready line says that it listens.
fn tracker_address(ready: &str) -> String {
    let rest = ready.split("ws://").nth(1);
    let address = rest.and_then(|rest| rest.split(' ').next());
    address.expect("an address in the ready line").to_owned()
}

#[test]
fn the_tracker_says_where_it_listens() {
    let mut tracker = start_tracker();
    let ready = tracker.ready();
    assert!(
        ready.starts_with("ready role=tracker listen=ws://127.0.0.1:"),
        "{ready}"
    );
    assert!(ready.contains(" admin=http://127.0.0.1:"), "{ready}");
}

#[test]
fn the_stun_server_says_all_its_addresses() {
    let listen = ["--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0"];
    let admin = ["--admin-listen", "127.0.0.1:0"];
    let mut stun = Server::start(&[&["stun"], &listen[..], &admin].concat());
    let ready = stun.ready();
    assert!(
        ready.starts_with("ready role=stun listen=stun:127.0.0.1:"),
        "{ready}"
    );
    assert!(ready.contains(",stun:127.0.0.2:"), "{ready}");
}

#[test]
fn a_seeder_is_ready_also_while_its_origin_and_tracker_are_away() {
    let mut seeder = Server::start(&[
        "seeder",
        "--channel",
        "a=http://127.0.0.1:1/a.m3u8",
        "--tracker",
        "ws://127.0.0.1:1",
        "--udp",
        "127.0.0.1:0",
        "--admin-listen",
        "127.0.0.1:0",
    ]);
    assert!(
        seeder
            .ready()
            .starts_with("ready role=seeder listen=udp:127.0.0.1:")
    );
    let line = seeder.log_line("http://127.0.0.1:1/a.m3u8");
    assert!(line.contains("WARN"), "{line}");
}

#[test]
fn a_signal_ends_a_role_with_code_0() {
    let mut tracker = start_tracker();
    tracker.ready();
    assert_eq!(tracker.interrupt(), Some(0));
}

#[test]
fn up_runs_everything_and_stops_on_a_signal() {
    let mut up = Server::up(&[]);
    let ready = up.ready();
    for part in [
        "http://127.0.0.1:",
        ",ws://127.0.0.1:",
        ",stun:127.0.0.1:",
        " admin=http://",
    ] {
        assert!(ready.contains(part), "{part} is not in {ready}");
    }
    assert_eq!(up.interrupt(), Some(0));
}

#[test]
fn up_goes_on_without_a_part_whose_port_is_taken() {
    let mut first = start_tracker();
    let address = tracker_address(&first.ready());
    let mut up = Server::up(&[("BEEKEEPR_TRACKER__LISTEN", &address)]);
    let ready = up.ready();
    assert!(
        ready.contains("http://") && !ready.contains("ws://"),
        "{ready}"
    );
    let line = up.log_line("tracker.listen");
    assert!(
        line.contains(&address) && line.contains("already in use"),
        "{line}"
    );
}

#[test]
fn a_taken_port_ends_a_role_alone_with_code_1() {
    let mut first = start_tracker();
    let address = tracker_address(&first.ready());
    let (code, text) = refused(
        &[
            "tracker",
            "--listen",
            &address,
            "--admin-listen",
            "127.0.0.1:0",
        ],
        &[],
    );
    assert_eq!(code, Some(1));
    assert!(
        text.contains(&address) && text.contains("already in use"),
        "{text}"
    );
}

#[test]
fn a_command_line_that_cannot_be_has_code_64() {
    for line in [
        &["tracker", "--lisen", "127.0.0.1:0"][..],
        &["tracker", "--listen", "nowhere"],
        &["up", "--channel", "http://h/a.m3u8"],
        &[
            "seeder",
            "--channel",
            "a=http://h/a.m3u8",
            "--channel",
            "b=http://h/b.m3u8",
            "--swarm-id",
            "s",
        ],
        &["no-such-role"],
        &[],
    ] {
        assert_eq!(refused(line, &[]).0, Some(64), "{line:?}");
    }
}

#[test]
fn a_wrong_configuration_has_code_78_and_names_the_key() {
    let (code, text) = refused(&["check"], &[("BEEKEEPR_TRACKER__LISTN", "127.0.0.1:1")]);
    assert_eq!(code, Some(78));
    assert!(
        text.contains("tracker.listn") && text.contains("`listen`"),
        "{text}"
    );
    let (code, text) = refused(&["up"], &[("BEEKEEPR_TRACKER__ANNOUNCE_INTERVAL_S", "0")]);
    assert_eq!(code, Some(78));
    assert!(text.contains("announce_interval_s"), "{text}");
    let (code, _) = refused(&["check", "--config", "/no/such/file.toml"], &[]);
    assert_eq!(code, Some(78));
}

#[test]
fn a_number_out_of_its_range_is_found_before_anything_starts() {
    let wrong = ("BEEKEEPR_SEEDER__SHARDS", "0");
    let (code, text) = refused(&["check", "--offline"], &[wrong]);
    assert_eq!(code, Some(78));
    assert!(
        text.contains("shards") && text.contains("1 to 64"),
        "{text}"
    );
}

#[test]
fn the_health_check_asks_a_running_role() {
    let mut tracker = start_tracker();
    let ready = tracker.ready();
    let admin = ready.split("admin=http://").nth(1).unwrap().to_owned();
    assert_eq!(
        refused(&["healthcheck", "--admin-listen", &admin], &[]).0,
        Some(0)
    );
    tracker.interrupt();
    let (code, text) = refused(&["healthcheck", "--admin-listen", &admin], &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains(&admin), "{text}");
}
