//! From addresses to bound sockets.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use beekeepr_service::net::{self, BindError};
use beekeepr_stun_core::{Behaviour, Place};

use crate::config::Config;
use crate::error::StartError;

/// How often free ports are tried until one is free on both addresses of RFC 5780.
const FREE_PORT_TRIES: usize = 16;

/// A UDP address that is answered on.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// As it is bound.
    pub(crate) address: SocketAddr,
    /// When it is one of four of RFC 5780.
    pub(crate) role: Option<Role>,
}

/// What an endpoint is for RFC 5780.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) behaviour: Behaviour,
    /// The four endpoints, by [`Place::index`].
    pub(crate) siblings: [usize; 4],
}

/// Every socket of a server.
#[derive(Debug)]
pub(crate) struct Bound {
    /// First those of `listen`, in order, then the alternate ones.
    pub(crate) endpoints: Vec<Endpoint>,
    /// For each endpoint as many sockets as workers.
    pub(crate) sockets: Vec<Vec<UdpSocket>>,
    pub(crate) tcp: Vec<TcpListener>,
    pub(crate) tls: Vec<TcpListener>,
}

/// The sockets of one address.
type Shared = Vec<UdpSocket>;

/// Binds everything, or tells all the addresses that cannot be had.
pub(crate) fn bind(config: &Config, workers: usize) -> Result<Bound, StartError> {
    let mut errors = Vec::new();
    let mut groups = Vec::new();
    for (index, alternate) in config.alternate.iter().enumerate() {
        let primary = config
            .primary_of(index)
            .map_err(|text| StartError::Config(vec![text]))?;
        match bind_group(config.listen[primary], *alternate, workers) {
            Ok(group) => groups.push((primary, group)),
            Err(error) => errors.push(error),
        }
    }
    let mut sockets: Vec<Shared> = Vec::new();
    for (index, address) in config.listen.iter().enumerate() {
        let group = groups.iter_mut().find(|(primary, _)| *primary == index);
        let bound = match group {
            Some((_, group)) => Ok(std::mem::take(&mut group[0])),
            // One whose alternate address failed is bound all the same, to tell its own fault.
            None => net::udp_sockets(*address, workers),
        };
        match bound {
            Ok(shared) => sockets.push(shared),
            Err(error) => errors.push(error),
        }
    }
    let tcp = bind_tcp(&config.tcp_listen, &mut errors);
    let tls = bind_tcp(&config.tls_listen, &mut errors);
    if !errors.is_empty() {
        errors.dedup_by_key(|error| error.address);
        return Err(StartError::Bind(errors));
    }
    let mut roles = Vec::new();
    for (primary, [_, others @ ..]) in groups {
        let first = sockets.len();
        sockets.extend(others);
        roles.push([primary, first, first + 1, first + 2]);
    }
    let endpoints = endpoints(config, &sockets, &roles)?;
    Ok(Bound {
        endpoints,
        sockets,
        tcp,
        tls,
    })
}

/// Two addresses with two ports each, by [`Place::index`].
fn bind_group(
    first: SocketAddr,
    second: SocketAddr,
    workers: usize,
) -> Result<[Shared; 4], BindError> {
    let is_free_choice = first.port() == 0 || second.port() == 0;
    let mut tries = if is_free_choice { FREE_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match try_group(first, second, workers) {
            Err(_) if tries > 0 => {}
            done => return done,
        }
    }
}

fn try_group(
    first: SocketAddr,
    second: SocketAddr,
    workers: usize,
) -> Result<[Shared; 4], BindError> {
    let bind = |ip, port| net::udp_sockets(SocketAddr::new(ip, port), workers);
    let first_first = bind(first.ip(), first.port())?;
    let first_port = port_of(first, &first_first)?;
    let wanted = if second.port() == first_port {
        first_port.saturating_add(1)
    } else {
        second.port()
    };
    let first_second = bind(first.ip(), wanted)?;
    let second_port = port_of(second, &first_second)?;
    let second_first = bind(second.ip(), first_port)?;
    let second_second = bind(second.ip(), second_port)?;
    Ok([first_first, first_second, second_first, second_second])
}

fn port_of(address: SocketAddr, sockets: &Shared) -> Result<u16, BindError> {
    let bound = sockets.first().map_or(Ok(address), UdpSocket::local_addr);
    let bound = bound.map_err(|source| BindError { address, source })?;
    Ok(bound.port())
}

fn endpoints(
    config: &Config,
    sockets: &[Shared],
    roles: &[[usize; 4]],
) -> Result<Vec<Endpoint>, StartError> {
    let addresses = sockets.iter().flat_map(|shared| shared.first());
    let addresses = addresses
        .map(UdpSocket::local_addr)
        .collect::<Result<Vec<_>, _>>();
    let addresses = addresses.map_err(StartError::Socket)?;
    let role = |index| {
        let siblings = *roles.iter().find(|siblings| siblings.contains(&index))?;
        let here = siblings.iter().position(|sibling| *sibling == index)?;
        let told = siblings.map(|sibling| config.told(addresses[sibling]));
        let behaviour = Behaviour {
            told,
            here: Place::ALL[here],
        };
        Some(Role {
            behaviour,
            siblings,
        })
    };
    let endpoints = addresses.iter().enumerate();
    let endpoints = endpoints.map(|(index, address)| Endpoint {
        address: *address,
        role: role(index),
    });
    Ok(endpoints.collect())
}

fn bind_tcp(addresses: &[SocketAddr], errors: &mut Vec<BindError>) -> Vec<TcpListener> {
    let mut listeners = Vec::new();
    for address in addresses {
        match net::tcp_listener(*address, false) {
            Ok(listener) => listeners.push(listener),
            Err(error) => errors.push(error),
        }
    }
    listeners
}
