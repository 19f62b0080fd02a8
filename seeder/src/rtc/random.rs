//! Names and secrets.

use rtc_crypto::RTCCryptoProvider;

use super::hub::HubError;

/// The characters of ICE credentials (RFC 8839, 5.4: `ice-char`).
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A string of `len` characters that carries 6 random bits in each.
pub(super) fn ice_string(crypto: &dyn RTCCryptoProvider, len: usize) -> Result<String, HubError> {
    let mut bytes = vec![0; len];
    crypto.random().fill(&mut bytes).map_err(HubError::crypto)?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(ICE_CHARS[usize::from(byte % 64)]))
        .collect())
}

/// A string of `len` random hexadecimal digits.
pub(super) fn hex_string(crypto: &dyn RTCCryptoProvider, len: usize) -> Result<String, HubError> {
    let mut bytes = vec![0; len];
    crypto.random().fill(&mut bytes).map_err(HubError::crypto)?;
    Ok(bytes
        .iter()
        .filter_map(|byte| char::from_digit(u32::from(byte % 16), 16))
        .collect())
}

/// Random bytes.
pub(super) fn bytes<const N: usize>(crypto: &dyn RTCCryptoProvider) -> Result<[u8; N], HubError> {
    let mut bytes = [0; N];
    crypto.random().fill(&mut bytes).map_err(HubError::crypto)?;
    Ok(bytes)
}
