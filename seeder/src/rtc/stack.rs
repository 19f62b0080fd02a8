//! Setting up the stack's connection from two descriptions.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ::rtc::ice::mdns::MulticastDnsMode;
use ::rtc::peer_connection::configuration::RTCConfigurationBuilder;
use ::rtc::peer_connection::configuration::setting_engine::{
    SctpMaxMessageSize, SettingEngine, SettingEngineBuilder,
};
use ::rtc::peer_connection::sdp::RTCSessionDescription;
use ::rtc::peer_connection::transport::{RTCDtlsRole, RTCIceCandidateInit};
use ::rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use ::rtc::shared::error::Error;

use super::MESSAGE_BYTES_MAX;
use super::hub::Identity;
use super::sdp::{Description, Setup};

/// Bytes that SCTP holds for a peer whose messages are incomplete or unread; what it advertises as
/// its receive window. Two of the largest messages: a window that one message can fill deadlocks
/// (webrtc-rs/rtc#217).
const RECEIVE_WINDOW_BYTES: u32 = 2 * MESSAGE_BYTES_MAX;

/// What the stack allows a path, connected or not yet, before it calls it failed: the sum. Longer
/// than a connection's `SILENCE_MAX`, and as long as the connect time-out, so that those two decide.
const STACK_PATIENCE: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(10)];

/// Between our own checks of a path that works (RFC 8445, 11 asks for at most 15 s).
const KEEPALIVE: Duration = Duration::from_secs(2);

/// Between the checks of a path that is being tried, and how many are sent before it is given up:
/// 1.5 s. RFC 8445, 14.2 recommends 50 ms and forbids less than 5 ms. The stack chooses a path one
/// interval after it worked: Chromium was connected 118 ms after its answer with 50 ms, 86 with 20.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
const CHECKS_MAX: u16 = 75;

/// The ends of one description exchange.
pub(super) struct Ends<'a> {
    /// What we said.
    pub(super) local: &'a Description,
    /// What the peer said, with the candidates that may be tried.
    pub(super) remote: &'a Description,
    /// The address of ours that the stack takes for its own.
    pub(super) own: SocketAddr,
}

/// The connection of an offer of ours that was answered; its channel is called `label`.
pub(super) fn offering(
    now: Instant,
    identity: &Identity,
    ends: &Ends<'_>,
    label: &str,
) -> Result<RTCPeerConnection, Error> {
    let mut stack = build(now, identity, ends, RTCDtlsRole::Auto)?;
    stack.create_data_channel(label, None)?;
    let offer = stack.create_offer(None)?;
    stack.set_local_description(now, offer)?;
    let answer = RTCSessionDescription::answer(ends.remote.to_string())?;
    stack.set_remote_description(now, answer)?;
    Ok(stack)
}

/// The connection of an offer that we answer.
pub(super) fn answering(
    now: Instant,
    identity: &Identity,
    ends: &Ends<'_>,
) -> Result<RTCPeerConnection, Error> {
    let role = match ends.local.setup {
        Setup::Passive => RTCDtlsRole::Server,
        Setup::Active | Setup::ActPass => RTCDtlsRole::Client,
    };
    let mut stack = build(now, identity, ends, role)?;
    let offer = RTCSessionDescription::offer(ends.remote.to_string())?;
    stack.set_remote_description(now, offer)?;
    let answer = stack.create_answer(None)?;
    stack.set_local_description(now, answer)?;
    Ok(stack)
}

fn build(
    now: Instant,
    identity: &Identity,
    ends: &Ends<'_>,
    answering: RTCDtlsRole,
) -> Result<RTCPeerConnection, Error> {
    let configuration = RTCConfigurationBuilder::new()
        .with_certificates(vec![identity.certificate.clone()])
        .build();
    let mut stack = RTCPeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_setting_engine(settings(ends.local, answering))
        .build(now)?;
    stack.add_local_candidate(RTCIceCandidateInit {
        candidate: format!(
            "candidate:1 1 udp 2130706431 {} {} typ host",
            ends.own.ip(),
            ends.own.port()
        ),
        ..RTCIceCandidateInit::default()
    })?;
    Ok(stack)
}

fn settings(local: &Description, answering: RTCDtlsRole) -> SettingEngine {
    SettingEngineBuilder::new()
        .with_ice_credentials(local.ufrag.clone(), local.password.clone())
        .with_lite(local.lite)
        .with_answering_dtls_role(answering)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_ice_timeouts(
            Some(STACK_PATIENCE[0]),
            Some(STACK_PATIENCE[1]),
            Some(KEEPALIVE),
        )
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS_MAX))
        // A browser that hides its addresses is known by peer-reflexive ones alone: nothing better
        // is coming, so there is nothing to wait for.
        .with_srflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(MESSAGE_BYTES_MAX))
        .with_sctp_max_receive_buffer_size(RECEIVE_WINDOW_BYTES)
        .build()
}
