//! Descriptions of one data channel transport (RFC 8866, RFC 8839, RFC 8841, RFC 8842).
//!
//! Of a foreign description only the values below are read, each is checked, and everything else
//! is ignored: the stack gets to see a description that this file wrote.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::MESSAGE_BYTES_MAX;

/// Bytes of the longest description that is read. Chromium's with 20 candidates has about 3,000.
const SDP_BYTES_MAX: usize = 16_384;

/// Candidates of a description that are read, the first ones. A browser with four interfaces and
/// two address families says about 20, half of them TCP.
const CANDIDATES_READ_MAX: usize = 32;

/// RFC 8839, 5.4: 4 to 256 characters for the name, 22 to 256 for the password.
const UFRAG_LEN: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD_LEN: std::ops::RangeInclusive<usize> = 22..=256;

/// RFC 5888 sets no limit; browsers say "0" or "data".
const MID_LEN: std::ops::RangeInclusive<usize> = 1..=64;

/// RFC 8841, 6.1: what a description that does not say can take.
const MESSAGE_BYTES_UNSAID: u32 = 65_536;

/// The port number of SCTP over DTLS that every browser says.
const SCTP_PORT: u16 = 5000;

/// Who starts the DTLS handshake (RFC 4145, `a=setup`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setup {
    ActPass,
    Active,
    Passive,
}

/// What one end says about its transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) ufrag: String,
    pub(super) password: String,
    /// SHA-256 of the certificate: 32 hexadecimal bytes with colons between, in capitals.
    pub(super) fingerprint: String,
    pub(super) setup: Setup,
    pub(super) mid: String,
    pub(super) lite: bool,
    pub(super) sctp_port: u16,
    /// Bytes of the largest message; 0 means any.
    pub(super) message_bytes_max: u32,
    pub(super) candidates: Vec<SocketAddr>,
}

/// Why a description is of no use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SdpError {
    #[error("description of {0} bytes, expected at most {SDP_BYTES_MAX}")]
    TooLong(usize),
    #[error("{0} media sections, expected one data channel section alone")]
    Sections(usize),
    #[error("media section {0:?}, expected \"application ... UDP/DTLS/SCTP webrtc-datachannel\"")]
    Media(String),
    #[error("no usable a={0} in the description")]
    Unusable(&'static str),
}

impl Description {
    /// What we say about ourselves; the caller adds what differs.
    pub(super) fn local(ufrag: String, password: String, fingerprint: String) -> Self {
        Self {
            ufrag,
            password,
            fingerprint,
            setup: Setup::ActPass,
            mid: "0".to_owned(),
            lite: false,
            sctp_port: SCTP_PORT,
            message_bytes_max: MESSAGE_BYTES_MAX,
            candidates: Vec::new(),
        }
    }

    /// Reads a foreign description.
    pub(super) fn read(text: &str) -> Result<Self, SdpError> {
        if text.len() > SDP_BYTES_MAX {
            return Err(SdpError::TooLong(text.len()));
        }
        check_media(text)?;
        let lines = Lines(text);
        Ok(Self {
            ufrag: lines.ice("ice-ufrag", UFRAG_LEN)?,
            password: lines.ice("ice-pwd", PASSWORD_LEN)?,
            fingerprint: lines.fingerprint()?,
            setup: lines.setup()?,
            mid: lines.mid()?,
            lite: text.lines().any(|line| line.trim_end() == "a=ice-lite"),
            sctp_port: lines.number("sctp-port")?.unwrap_or(SCTP_PORT),
            message_bytes_max: lines
                .number("max-message-size")?
                .unwrap_or(MESSAGE_BYTES_UNSAID),
            candidates: lines
                .values("candidate")
                .take(CANDIDATES_READ_MAX)
                .filter_map(candidate)
                .collect(),
        })
    }
}

fn check_media(text: &str) -> Result<(), SdpError> {
    let mut sections = text.lines().filter_map(|line| line.strip_prefix("m="));
    let media = sections.next().ok_or(SdpError::Sections(0))?;
    match sections.count() {
        0 => {}
        more => return Err(SdpError::Sections(1 + more)),
    }
    let fits = media.starts_with("application ")
        && media.contains("DTLS/SCTP")
        && media.trim_end().ends_with(" webrtc-datachannel");
    if fits {
        Ok(())
    } else {
        Err(SdpError::Media(media.chars().take(80).collect()))
    }
}

/// The attribute lines, of the session or of its one section alike.
#[derive(Clone, Copy)]
struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    fn values(self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.0.lines().filter_map(move |line| {
            let value = line.strip_prefix("a=")?.strip_prefix(name)?;
            Some(value.strip_prefix(':')?.trim())
        })
    }

    fn ice(
        self,
        name: &'static str,
        len: std::ops::RangeInclusive<usize>,
    ) -> Result<String, SdpError> {
        let is_ice_char = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        self.values(name)
            .next()
            // Some ends use the URL alphabet, which RFC 8839 does not allow but browsers take.
            .filter(|value| {
                len.contains(&value.len())
                    && value
                        .bytes()
                        .all(|byte| is_ice_char(byte) || byte == b'-' || byte == b'_')
            })
            .map(str::to_owned)
            .ok_or(SdpError::Unusable(name))
    }

    fn fingerprint(self) -> Result<String, SdpError> {
        self.values("fingerprint")
            .filter_map(|value| value.split_once(' '))
            .find(|(hash, digits)| hash.eq_ignore_ascii_case("sha-256") && is_sha256(digits))
            .map(|(_, digits)| digits.to_ascii_uppercase())
            .ok_or(SdpError::Unusable("fingerprint:sha-256"))
    }

    fn setup(self) -> Result<Setup, SdpError> {
        match self.values("setup").next() {
            Some("actpass") => Ok(Setup::ActPass),
            Some("active") => Ok(Setup::Active),
            Some("passive") => Ok(Setup::Passive),
            _ => Err(SdpError::Unusable("setup")),
        }
    }

    fn mid(self) -> Result<String, SdpError> {
        self.values("mid")
            .next()
            .filter(|mid| {
                MID_LEN.contains(&mid.len()) && mid.bytes().all(|byte| byte.is_ascii_graphic())
            })
            .map(str::to_owned)
            .ok_or(SdpError::Unusable("mid"))
    }

    fn number<T: std::str::FromStr>(self, name: &'static str) -> Result<Option<T>, SdpError> {
        self.values(name)
            .next()
            .map(|value| value.parse().map_err(|_| SdpError::Unusable(name)))
            .transpose()
    }
}

fn is_sha256(digits: &str) -> bool {
    let is_byte = |byte: &str| byte.len() == 2 && byte.bytes().all(|b| b.is_ascii_hexdigit());
    digits.split(':').count() == 32 && digits.split(':').all(is_byte)
}

/// A UDP candidate that is an address. Names (`….local`) are left to peer-reflexive discovery: the
/// browser that hides behind one reaches us first.
fn candidate(value: &str) -> Option<SocketAddr> {
    let mut words = value.split_ascii_whitespace().skip(1);
    let component = words.next()?;
    let transport = words.next()?;
    let _priority = words.next()?;
    let ip: IpAddr = words.next()?.parse().ok()?;
    let port: u16 = words.next()?.parse().ok()?;
    let fits = component == "1" && transport.eq_ignore_ascii_case("udp") && port != 0;
    fits.then(|| SocketAddr::new(ip, port))
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mid = &self.mid;
        write!(
            f,
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mid}\r\n"
        )?;
        if self.lite {
            f.write_str("a=ice-lite\r\n")?;
        }
        f.write_str("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n")?;
        for (index, address) in self.candidates.iter().enumerate() {
            write_candidate(f, index, *address)?;
        }
        write!(
            f,
            "a=end-of-candidates\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\n",
            self.ufrag, self.password
        )?;
        write!(
            f,
            "a=fingerprint:sha-256 {}\r\na=setup:{}\r\na=mid:{mid}\r\n",
            self.fingerprint,
            match self.setup {
                Setup::ActPass => "actpass",
                Setup::Active => "active",
                Setup::Passive => "passive",
            }
        )?;
        write!(
            f,
            "a=sctp-port:{}\r\na=max-message-size:{}\r\n",
            self.sctp_port, self.message_bytes_max
        )
    }
}

fn write_candidate(f: &mut fmt::Formatter<'_>, index: usize, to: SocketAddr) -> fmt::Result {
    // RFC 8445, 5.1.2.1: type preference 126 for a host candidate, then ours by order.
    let preference = 65_535_u32.saturating_sub(u32::try_from(index).unwrap_or(u32::MAX));
    let priority = (126 << 24) | (preference << 8) | 255;
    write!(
        f,
        "a=candidate:{} 1 udp {priority} {} {} typ host\r\n",
        index + 1,
        to.ip(),
        to.port()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Chromium 156 offers, with a candidate of each kind.
    const CHROMIUM: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
        a=group:BUNDLE 0\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n\
        m=application 52124 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 203.0.113.7\r\n\
        a=candidate:1 1 udp 2113937151 0d7e8c1e-8f4b.local 52124 typ host generation 0\r\n\
        a=candidate:2 1 udp 1677729535 203.0.113.7 52124 typ srflx raddr 0.0.0.0 rport 0\r\n\
        a=candidate:3 1 tcp 1518214911 192.168.1.4 9 typ host tcptype active\r\n\
        a=ice-ufrag:4ZcD\r\na=ice-pwd:2/1muCWoOi3uLifh0NuRHlxx\r\na=ice-options:trickle\r\n\
        a=fingerprint:sha-256 75:74:5A:A6:A4:E5:52:F4:A7:67:4C:01:C7:EE:91:3F:21:3D:A2:E3:53:7B:\
        6F:30:86:F2:30:AA:65:FB:04:24\r\n\
        a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";

    #[test]
    fn chromium_is_read_and_its_hidden_and_tcp_candidates_left_out() {
        let read = Description::read(CHROMIUM).unwrap();
        assert_eq!(read.ufrag, "4ZcD");
        assert_eq!(read.setup, Setup::ActPass);
        assert_eq!(read.message_bytes_max, 262_144);
        assert_eq!(
            read.candidates,
            [SocketAddr::from(([203, 0, 113, 7], 52_124))]
        );
    }

    #[test]
    fn what_we_write_reads_back() {
        let mut said = Description::read(CHROMIUM).unwrap();
        said.lite = true;
        said.setup = Setup::Active;
        said.candidates.push("[2001:db8::1]:4000".parse().unwrap());
        assert_eq!(Description::read(&said.to_string()), Ok(said));
    }

    #[test]
    fn each_missing_value_is_named() {
        for (name, line) in [
            ("ice-ufrag", "a=ice-ufrag:4ZcD"),
            ("ice-pwd", "a=ice-pwd:2/1muCWoOi3uLifh0NuRHlxx"),
            ("fingerprint:sha-256", "a=fingerprint:sha-256"),
            ("setup", "a=setup:actpass"),
            ("mid", "a=mid:0"),
        ] {
            let text = CHROMIUM.replace(line, "a=x:y");
            assert_eq!(
                Description::read(&text),
                Err(SdpError::Unusable(name)),
                "without {line}"
            );
        }
    }

    #[test]
    fn a_mangled_description_is_refused_or_reads_back() {
        let check = |text: &str| {
            if let Ok(read) = Description::read(text) {
                assert_eq!(Description::read(&read.to_string()), Ok(read), "{text:?}");
            }
        };
        for (index, _) in CHROMIUM.char_indices() {
            let (before, after) = CHROMIUM.split_at(index);
            check(before);
            check(after);
            for odd in ["\r\n", "\0", ":", " ", "a=mid:\u{fffd}\r\n", "99999999999"] {
                check(&format!("{before}{odd}{after}"));
                check(&format!("{before}{odd}{}", &after[1..]));
            }
        }
    }

    #[test]
    fn other_media_and_oversize_are_refused() {
        let audio = CHROMIUM.to_owned() + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
        assert_eq!(Description::read(&audio), Err(SdpError::Sections(2)));
        assert_eq!(Description::read(""), Err(SdpError::Sections(0)));
        let long = "a=x\r\n".repeat(SDP_BYTES_MAX);
        assert_eq!(Description::read(&long), Err(SdpError::TooLong(long.len())));
    }
}
