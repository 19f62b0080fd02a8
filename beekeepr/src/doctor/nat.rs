//! What the NAT between here and a server does (RFC 5780 sections 4.3 and 4.4).

use std::io;
use std::net::{IpAddr, SocketAddr};

use beekeepr_stun_core::Change;
use tokio::net::UdpSocket;

use super::probe::{Answer, ProbeError, ask_udp, socket};

const CHANGE_PORT: Change = Change {
    address: false,
    port: true,
};
const CHANGE_BOTH: Change = Change {
    address: true,
    port: true,
};

/// A sentence about the NAT, as far as the server helps to tell.
pub(super) async fn examine(server: SocketAddr, answer: &Answer) -> String {
    let Some(other) = answer.other else {
        return "the server does not offer RFC 5780 (stun.alternate), so nothing is known of the NAT \
                here"
            .to_owned();
    };
    match tests(server, other).await {
        Ok(text) => text,
        Err(error) => format!(
            "the server offers RFC 5780, but its other address {other} does not help: {error}; see \
             that both ports are let in on both addresses"
        ),
    }
}

async fn tests(server: SocketAddr, other: SocketAddr) -> Result<String, ProbeError> {
    let mapping = mapping(server, other).await?;
    let filtering = filtering(server).await?;
    Ok(format!("{mapping}; {filtering} filtering"))
}

async fn mapping(server: SocketAddr, other: SocketAddr) -> Result<&'static str, ProbeError> {
    let socket = socket(server).await.map_err(ProbeError::System)?;
    let ask = |address| ask_udp(&socket, address, Change::NONE);
    let first = ask(server).await?.mapped;
    let local = local(&socket, server).await.map_err(ProbeError::System)?;
    if first == local {
        return Ok("no NAT: everybody can connect to this machine, firewalls aside");
    }
    let second = ask(SocketAddr::new(other.ip(), server.port()))
        .await?
        .mapped;
    if second == first {
        return Ok(
            "a NAT with endpoint-independent mapping: viewers behind such can connect to each \
                   other",
        );
    }
    let third = ask(other).await?.mapped;
    Ok(if third == second {
        "a NAT with address-dependent mapping: viewers behind such connect only to public addresses"
    } else {
        "a NAT with address- and port-dependent mapping (symmetric): viewers behind such connect only \
         to public addresses, the seeder's for example"
    })
}

async fn filtering(server: SocketAddr) -> Result<&'static str, ProbeError> {
    let socket = socket(server).await.map_err(ProbeError::System)?;
    ask_udp(&socket, server, Change::NONE).await?;
    let is_heard = async |change| match ask_udp(&socket, server, change).await {
        Ok(_) => Ok(true),
        Err(ProbeError::Silent) => Ok(false),
        Err(error) => Err(error),
    };
    Ok(if is_heard(CHANGE_BOTH).await? {
        "endpoint-independent"
    } else if is_heard(CHANGE_PORT).await? {
        "address-dependent"
    } else {
        "address- and port-dependent"
    })
}

/// The address that this machine sends from. Only a connected socket tells.
async fn local(used: &UdpSocket, server: SocketAddr) -> io::Result<SocketAddr> {
    let socket = socket(server).await?;
    socket.connect(server).await?;
    let ip: IpAddr = socket.local_addr()?.ip();
    Ok(SocketAddr::new(ip, used.local_addr()?.port()))
}
