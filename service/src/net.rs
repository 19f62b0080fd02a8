//! Listening sockets, and errors that say what to do when there are none.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Connections that wait to be accepted. The kernel cuts it to `net.core.somaxconn` (4096 by
/// default), so that setting decides.
const BACKLOG: i32 = 65_535;

/// "Address family not supported by protocol" on Linux: the kernel runs without IPv6.
/// `io::ErrorKind` has no kind for it.
const EAFNOSUPPORT: i32 = 97;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {}", explain(.source))]
pub struct BindError {
    /// Which address.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

impl BindError {
    /// Whether this machine does not have the address at all, as it is with `[::1]` where IPv6 is
    /// turned off. Who has other addresses to listen on may go on with those.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrNotAvailable
            || self.source.raw_os_error() == Some(EAFNOSUPPORT)
    }
}

/// A TCP listener, non-blocking, ready to be handed to tokio. `[::]` takes IPv4 as well.
///
/// `reuse_port` lets several sockets share the address; the kernel spreads connections over them.
///
/// # Errors
/// When the address cannot be bound.
pub fn tcp_listener(address: SocketAddr, reuse_port: bool) -> Result<TcpListener, BindError> {
    let bind = || {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        // A restart need not wait for the last connections' TIME_WAIT.
        socket.set_reuse_address(true)?;
        prepare(&socket, address, reuse_port)?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    bind().map_err(|source| BindError { address, source })
}

/// Several TCP listeners that share one address, so that the kernel spreads connections over them.
/// Like [`tcp_listener`] otherwise; `count` 0 counts as 1.
///
/// An address at which somebody else listens is refused, as with [`udp_sockets`].
///
/// # Errors
/// When the address cannot be bound.
pub fn tcp_listeners(address: SocketAddr, count: usize) -> Result<Vec<TcpListener>, BindError> {
    let first = tcp_listener(address, false)?;
    let share = || {
        // Not before it is bound: a socket that shares does not notice that the address is taken.
        SockRef::from(&first).set_reuse_port(true)?;
        first.local_addr()
    };
    let address = share().map_err(|source| BindError { address, source })?;
    let others = (1..count)
        .map(|_| tcp_listener(address, true))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(std::iter::once(first).chain(others).collect())
}

/// A UDP socket, non-blocking, ready to be handed to tokio. An IPv6 socket takes IPv6 only, so that
/// `0.0.0.0` and `[::]` can be had side by side on one port.
///
/// `reuse_port` lets several sockets share the address; the kernel spreads senders over them.
///
/// # Errors
/// When the address cannot be bound.
pub fn udp_socket(address: SocketAddr, reuse_port: bool) -> Result<UdpSocket, BindError> {
    let bind = || {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        prepare(&socket, address, reuse_port)?;
        Ok(socket.into())
    };
    bind().map_err(|source| BindError { address, source })
}

/// Several UDP sockets that share one address, so that the kernel spreads senders over them. Like
/// [`udp_socket`] otherwise; `count` 0 counts as 1.
///
/// An address at which somebody else listens is refused, even another process of ours that shares
/// its own: two servers started by mistake would else each get half of the datagrams in silence.
///
/// # Errors
/// When the address cannot be bound.
pub fn udp_sockets(address: SocketAddr, count: usize) -> Result<Vec<UdpSocket>, BindError> {
    let first = udp_socket(address, false)?;
    let share = || {
        // Not before it is bound: a socket that shares does not notice that the address is taken.
        SockRef::from(&first).set_reuse_port(true)?;
        first.local_addr()
    };
    let address = share().map_err(|source| BindError { address, source })?;
    let others = (1..count)
        .map(|_| udp_socket(address, true))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(std::iter::once(first).chain(others).collect())
}

fn prepare(socket: &Socket, address: SocketAddr, reuse_port: bool) -> io::Result<()> {
    socket.set_reuse_port(reuse_port)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())
}

/// What was seen and what to try.
fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "address already in use; stop the program that holds the port \
             or choose another address (port 0 takes a free one)"
            .to_owned(),
        io::ErrorKind::AddrNotAvailable => "no interface of this machine has this address; choose \
             one that `ip address` lists, or 0.0.0.0 or [::] for all"
            .to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied; ports below 1024 need \
             CAP_NET_BIND_SERVICE, choose a port from 1024 on"
            .to_owned(),
        _ if error.raw_os_error() == Some(EAFNOSUPPORT) => "this machine has no such address \
             family; leave the address out of the configuration or turn IPv6 on"
            .to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    const FREE_PORT: &str = "127.0.0.1:0";

    #[test]
    fn a_taken_port_is_named_with_the_way_out() {
        let first = tcp_listener(FREE_PORT.parse().unwrap(), false).unwrap();
        let address = first.local_addr().unwrap();
        let error = tcp_listener(address, false).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot listen on {address}: address already in use; stop the program that holds \
                 the port or choose another address (port 0 takes a free one)"
            )
        );
    }

    #[test]
    fn a_foreign_address_is_named() {
        // Reserved since RFC 1112 section 4: no interface has it.
        let error = udp_socket("240.0.0.1:0".parse().unwrap(), false).unwrap_err();
        assert!(error.is_absent());
        assert!(
            error.to_string().contains("no interface of this machine"),
            "{error}"
        );
    }

    #[test]
    fn sockets_share_a_port_when_asked_to() {
        let first = udp_socket(FREE_PORT.parse().unwrap(), true).unwrap();
        let address = first.local_addr().unwrap();
        assert!(udp_socket(address, true).is_ok());
        assert!(udp_socket(address, false).is_err());
    }

    #[test]
    fn udp_sockets_share_among_themselves_only() {
        let sockets = udp_sockets(FREE_PORT.parse().unwrap(), 3).unwrap();
        let address = sockets[0].local_addr().unwrap();
        assert!(
            sockets
                .iter()
                .all(|socket| socket.local_addr().unwrap() == address)
        );
        let error = udp_sockets(address, 3).unwrap_err();
        assert!(error.to_string().contains("already in use"), "{error}");
        assert!(!error.is_absent());
    }

    #[test]
    fn connections_are_spread_over_the_listeners() {
        let listeners = tcp_listeners(FREE_PORT.parse().unwrap(), 2).unwrap();
        let address = listeners[0].local_addr().unwrap();
        // The chance that 64 connections all go to one of two listeners is 2^-63.
        let connections: Vec<_> = (0..64)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect();
        let accepted =
            |listener: &TcpListener| std::iter::from_fn(|| listener.accept().ok()).count();
        let counts: Vec<usize> = listeners.iter().map(accepted).collect();
        assert_eq!(
            counts.iter().sum::<usize>(),
            connections.len(),
            "{counts:?}"
        );
        assert!(counts.iter().all(|&count| count > 0), "{counts:?}");
        let error = tcp_listeners(address, 2).unwrap_err();
        assert!(error.to_string().contains("already in use"), "{error}");
    }

    #[test]
    fn senders_are_spread_over_the_sockets() {
        let sockets = udp_sockets(FREE_PORT.parse().unwrap(), 2).unwrap();
        let address = sockets[0].local_addr().unwrap();
        // The chance that 64 senders all go to one of two sockets is 2^-63.
        for _ in 0..64 {
            let sender = UdpSocket::bind(FREE_PORT).unwrap();
            sender.send_to(b"x", address).unwrap();
        }
        // Over loopback a datagram is there when the call that sent it returns.
        for socket in &sockets {
            assert_eq!(socket.recv(&mut [0; 8]).unwrap(), 1);
        }
    }

    #[test]
    fn both_families_can_have_one_udp_port() {
        let Ok(six) = udp_socket("[::]:0".parse().unwrap(), false) else {
            return; // no IPv6 on this machine
        };
        let port = six.local_addr().unwrap().port();
        assert!(udp_socket(SocketAddr::from(([0, 0, 0, 0], port)), false).is_ok());
    }
}
