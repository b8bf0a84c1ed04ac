//! Names data by its SHA-256, so that results and weights say which bytes they come from.

use std::fmt::Write;

/// Lower-case hexadecimal digits of a digest.
pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::with_capacity(2 * digest.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The 64 digits of a SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(bytes))
}

/// `sha256:` and the first 16 digits: enough to recognise a data set, short enough for a table.
pub(super) fn short(sha256: &str) -> String {
    format!("sha256:{}", sha256.get(..16).unwrap_or(sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_abc() {
        // FIPS 180-4, the example message "abc".
        let digest = sha256(b"abc");
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(short(&digest), "sha256:ba7816bf8f01cfea");
    }
}
