//! Compressed bodies.

use std::io::{self, Write};
use std::sync::OnceLock;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

/// Bytes in one block of a bomb's spaces.
const BLOCK: usize = 1024 * 1024;
/// The number of blocks: 128 MiB in total.
const BLOCKS: usize = 128;
/// A gzip header without file name, time and system.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Compresses a body with gzip.
pub(super) fn gzip(body: &str) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_bytes())?;
    encoder.finish()
}

/// Compresses 128 MiB of spaces followed by the body, to about 128 KiB.
pub(super) fn bomb(body: &str) -> io::Result<Vec<u8>> {
    let (spaces, mut crc) = spaces()?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_bytes())?;
    let end = encoder.finish()?;
    let mut of_body = Crc::new();
    of_body.update(body.as_bytes());
    crc.combine(&of_body);
    Ok([&GZIP_HEAD[..], spaces, &end, &crc.sum().to_le_bytes(), &crc.amount().to_le_bytes()].concat())
}

/// The compressed spaces, up to a byte boundary, and their checksum. The spaces are compressed once per process.
fn spaces() -> io::Result<(&'static [u8], Crc)> {
    static BLOCK_OF_SPACES: OnceLock<Vec<u8>> = OnceLock::new();
    if BLOCK_OF_SPACES.get().is_none() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b' '; BLOCK])?;
        encoder.flush()?;
        // A flushed block refers to nothing before it, so it can be repeated.
        let _ = BLOCK_OF_SPACES.set(encoder.get_ref().repeat(BLOCKS));
    }
    let mut of_block = Crc::new();
    of_block.update(&vec![b' '; BLOCK]);
    let mut crc = Crc::new();
    (0..BLOCKS).for_each(|_| crc.combine(&of_block));
    Ok((BLOCK_OF_SPACES.get().map_or(&[], Vec::as_slice), crc))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_bomb_unpacks_to_far_more_than_its_size() {
        let body = r#"{"code":0}"#;
        let bomb = bomb(body).expect("compressed");
        assert!(bomb.len() < 256 * 1024, "{}", bomb.len());
        let mut unpacked = GzDecoder::new(&bomb[..]);
        let (mut buffer, mut length, mut last) = (vec![0; BLOCK], 0, Vec::new());
        loop {
            // The decoder verifies checksum and length at the end.
            let read = unpacked.read(&mut buffer).expect("gzip");
            if read == 0 {
                break;
            }
            length += read;
            last.extend_from_slice(&buffer[..read]);
            last.drain(..last.len().saturating_sub(body.len()));
        }
        assert_eq!((length, &last[..]), (BLOCK * BLOCKS + body.len(), body.as_bytes()));
    }
}
