//! The FINGERPRINT attribute's value (RFC 8489 section 14.7).

/// What the CRC is combined with, so that another protocol's CRC at the same place does not fit.
const MASK: u32 = 0x5354_554e;

/// The generator of ITU-T V.42, lowest power first.
const POLYNOMIAL: u32 = 0xedb8_8320;

const TABLE: [u32; 256] = table();

/// The fingerprint of a message of which `parts` are all the bytes before the attribute. The
/// header's length must already count the attribute.
pub(crate) fn of(parts: &[&[u8]]) -> u32 {
    let bytes = parts.iter().copied().flatten();
    let crc = bytes.fold(u32::MAX, |crc, byte| {
        let index = (crc ^ u32::from(*byte)) & 0xff;
        (crc >> 8) ^ TABLE[index as usize]
    });
    !crc ^ MASK
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ POLYNOMIAL
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_that_of_itu_t_v42() {
        // The usual check value of CRC-32.
        assert_eq!(of(&[b"12345", b"6789"]) ^ MASK, 0xcbf4_3926);
    }
}
