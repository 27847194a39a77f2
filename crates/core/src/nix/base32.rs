//! Nix's base 32 (Nix's `libutil/hash.cc`, "printHash32"): its own alphabet, least significant digits last.

/// The digits: no `e`, `o`, `u` and `t`, so that hashes spell nothing.
const ALPHABET: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// How many digits `bytes` bytes take.
pub const fn encoded_len(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

/// Encodes bytes.
pub fn encode(bytes: &[u8]) -> String {
    let digits = (0..encoded_len(bytes.len())).rev().map(|digit| {
        let (byte, shift) = (digit * 5 / 8, digit * 5 % 8);
        let low = u16::from(bytes[byte]);
        let high = bytes.get(byte + 1).copied().map_or(0, u16::from);
        let value = ((high << 8 | low) >> shift) & 0x1f;
        char::from(ALPHABET[usize::from(value)])
    });
    digits.collect()
}

/// Decodes exactly `N` bytes; `None` for another length, a foreign digit, or bits beyond the last byte.
pub fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    decode_into(text, &mut bytes).map(|()| bytes)
}

/// As [`decode`], for a number of bytes that is not known beforehand.
pub(super) fn decode_vec(text: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; size];
    decode_into(text, &mut bytes).map(|()| bytes)
}

fn decode_into(text: &[u8], bytes: &mut [u8]) -> Option<()> {
    if text.len() != encoded_len(bytes.len()) {
        return None;
    }
    for (digit, byte) in text.iter().rev().enumerate() {
        let value = ALPHABET.iter().position(|known| known == byte)? as u16;
        let (at, shift) = (digit * 5 / 8, digit * 5 % 8);
        let shifted = value << shift;
        bytes[at] |= (shifted & 0xff) as u8;
        let carried = (shifted >> 8) as u8;
        match bytes.get_mut(at + 1) {
            Some(next) => *next |= carried,
            None if carried != 0 => return None,
            None => {}
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_are_those_of_nix() {
        // `nix hash to-base32 --type sha256` of the empty text's hash.
        let hash = crate::digest::Sha256Hash::of(b"");
        assert_eq!(encode(hash.as_bytes()), "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73");
    }

    #[test]
    fn bits_beyond_the_last_byte_are_refused() {
        assert_eq!(decode::<1>(b"7z"), Some([0xff]));
        assert_eq!(decode::<1>(b"8z"), None);
        assert_eq!(decode::<1>(b"ez"), None);
        assert_eq!(decode::<1>(b"zzz"), None);
    }

    proptest! {
        #[test]
        fn bytes_survive(bytes: [u8; 32]) {
            prop_assert_eq!(decode::<32>(encode(&bytes).as_bytes()), Some(bytes));
        }

        #[test]
        fn decoding_never_panics(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(bytes) = decode::<20>(&text) {
                prop_assert_eq!(encode(&bytes).into_bytes(), text);
            }
        }
    }
}
