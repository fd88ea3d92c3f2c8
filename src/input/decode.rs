//! From the bytes of a file to text: decompression, detection of the encoding, and strict decoding.

use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use flate2::bufread::MultiGzDecoder;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const CHUNK: usize = 1 << 16;

/// The record that [`Text`] puts after the last one. A NUL can't come from the file, so what holds it is the end of the
/// text; where it turns up inside a cell, a quote was never closed.
pub(super) const END: &[u8] = b"\0";
const TAIL: &[u8] = b"\n\0\n";

/// Why a text can't be decoded; travels inside an `io::Error`.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Fault {
    /// Bytes that the encoding has no character for.
    #[error("line {line} is not {encoding}")]
    Undecodable { encoding: &'static str, line: u64 },
    /// A NUL character.
    #[error("line {line} has a NUL character")]
    Nul { line: u64 },
}

impl Fault {
    /// The fault inside an error, if there is one.
    pub(super) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

/// Bytes of a file, decompressed where they are compressed.
pub(super) type Bytes = Box<dyn Read + Send>;

/// Recognises gzip and zstd by their first bytes.
pub(super) fn decompressed(raw: impl Read + Send + 'static) -> io::Result<Bytes> {
    let mut raw = BufReader::with_capacity(CHUNK, raw);
    let start = raw.fill_buf()?;
    Ok(if start.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(raw))
    } else if start.starts_with(ZSTD) {
        Box::new(zstd::stream::read::Decoder::with_buffer(raw)?)
    } else {
        Box::new(raw)
    })
}

/// The encoding of that label.
pub(super) fn named(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(label.trim().as_bytes())
}

/// Detects the encoding of a whole text: by its byte order mark, else UTF-8 if all of it is, else GB18030 if all of it
/// is; else the offset of the first byte that is not UTF-8.
pub(super) fn detect(text: &mut Bytes) -> io::Result<Result<&'static Encoding, u64>> {
    let mut candidates = [Candidate::new(UTF_8), Candidate::new(GB18030)];
    let mut buffer = vec![0; CHUNK];
    let mut filled = 0;
    let mut first = true;
    loop {
        let count = text.read(&mut buffer[filled..])?;
        filled += count;
        if first && filled < 3 && count > 0 {
            continue;
        }
        if std::mem::take(&mut first)
            && let Some((encoding, _)) = Encoding::for_bom(&buffer[..filled])
            && (encoding == UTF_16LE || encoding == UTF_16BE || encoding == UTF_8)
        {
            return Ok(Ok(encoding));
        }
        for candidate in &mut candidates {
            candidate.take(&buffer[..filled], count == 0);
        }
        if count == 0 {
            let [utf_8, gb18030] = candidates;
            return Ok(match (utf_8.fault, gb18030.fault) {
                (None, _) => Ok(UTF_8),
                (_, None) => Ok(GB18030),
                (Some(offset), _) => Err(offset),
            });
        }
        filled = 0;
    }
}

/// An encoding that the text may be in.
struct Candidate {
    decoder: Decoder,
    taken: u64,
    fault: Option<u64>,
}

impl Candidate {
    fn new(encoding: &'static Encoding) -> Self {
        Self { decoder: encoding.new_decoder_without_bom_handling(), taken: 0, fault: None }
    }

    fn take(&mut self, mut bytes: &[u8], last: bool) {
        let mut scratch = [0; 4_096];
        while self.fault.is_none() {
            let (result, read, _) = self.decoder.decode_to_utf8_without_replacement(bytes, &mut scratch, last);
            self.taken += read as u64;
            bytes = &bytes[read..];
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(length, after) => {
                    self.fault = Some(self.taken.saturating_sub(u64::from(length) + u64::from(after)));
                }
            }
        }
    }
}

/// A text as UTF-8, strictly decoded: no byte order mark, every line end a line feed, a line feed at the very end, and
/// then the [`END`] record.
pub(super) struct Text {
    bytes: BufReader<Bytes>,
    encoding: &'static Encoding,
    decoder: Decoder,
    /// Decoded and not handed out yet.
    ready: Vec<u8>,
    handed: usize,
    line: u64,
    after_return: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Ended,
}

impl Text {
    pub(super) fn new(bytes: Bytes, encoding: &'static Encoding) -> Self {
        Self {
            bytes: BufReader::with_capacity(CHUNK, bytes),
            encoding,
            decoder: encoding.new_decoder_with_bom_removal(),
            ready: Vec::new(),
            handed: 0,
            line: 1,
            after_return: false,
            state: State::Reading,
        }
    }

    /// Decodes the next piece into `ready`.
    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.handed = 0;
        while self.ready.is_empty() && self.state == State::Reading {
            let bytes = self.bytes.fill_buf()?;
            let last = bytes.is_empty();
            let room = self.decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(CHUNK * 4);
            let mut decoded = vec![0; room];
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(bytes, &mut decoded, last);
            self.bytes.consume(read);
            self.normalise(&decoded[..written])?;
            match result {
                DecoderResult::Malformed(..) => {
                    let fault = Fault::Undecodable { encoding: self.encoding.name(), line: self.line };
                    return Err(io::Error::new(io::ErrorKind::InvalidData, fault));
                }
                DecoderResult::InputEmpty if last => {
                    self.ready.extend_from_slice(TAIL);
                    self.state = State::Ended;
                }
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
            }
        }
        Ok(())
    }

    /// Makes CRLF and CR line feeds, and refuses NUL.
    fn normalise(&mut self, decoded: &[u8]) -> io::Result<()> {
        self.ready.reserve(decoded.len());
        for byte in decoded {
            let after_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    self.line += 1;
                    self.ready.push(b'\n');
                }
                0 => return Err(io::Error::new(io::ErrorKind::InvalidData, Fault::Nul { line: self.line })),
                byte => self.ready.push(*byte),
            }
        }
        Ok(())
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.handed == self.ready.len() {
            self.refill()?;
        }
        let count = buffer.len().min(self.ready.len() - self.handed);
        buffer[..count].copy_from_slice(&self.ready[self.handed..self.handed + count]);
        self.handed += count;
        Ok(count)
    }
}
