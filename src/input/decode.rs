//! Decompression and decoding: turns the bytes as given into valid UTF-8 or an error, never into U+FFFD.

use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8};
use flate2::bufread::MultiGzDecoder;

use super::error::Fault;
use super::raw::{Raw, fill};

/// How many bytes are read, and how many bytes of text are produced, at a time.
pub(super) const CHUNK: usize = 64 * 1024;

/// The input's bytes, decompressed if their first bytes are those of gzip or zstd.
pub(super) enum Decompressed {
    Plain(BufReader<Raw>),
    Gzip(Box<MultiGzDecoder<BufReader<Raw>>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<Raw>>),
}

impl Decompressed {
    pub(super) fn open(raw: Raw) -> io::Result<Self> {
        let mut bytes = BufReader::with_capacity(CHUNK, raw);
        Ok(match bytes.fill_buf()? {
            [0x1f, 0x8b, ..] => Self::Gzip(Box::new(MultiGzDecoder::new(bytes))),
            // A zstd frame, or a skippable frame before one.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                Self::Zstd(zstd::stream::read::Decoder::with_buffer(bytes)?)
            }
            _ => Self::Plain(bytes),
        })
    }

    pub(super) fn into_raw(self) -> Raw {
        match self {
            Self::Plain(bytes) => bytes.into_inner(),
            Self::Gzip(bytes) => bytes.into_inner().into_inner(),
            Self::Zstd(bytes) => bytes.finish().into_inner(),
        }
    }
}

impl Read for Decompressed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (format, read) = match self {
            Self::Plain(bytes) => return bytes.read(buffer),
            Self::Gzip(bytes) => ("gzip", bytes.read(buffer)),
            Self::Zstd(bytes) => ("zstd", bytes.read(buffer)),
        };
        // An error of the operating system is about the file, not about the compressed data.
        read.map_err(|error| match error.raw_os_error() {
            Some(_) => error,
            None => Fault::Compressed { format, detail: error.to_string() }.into(),
        })
    }
}

/// Detects the encoding of a text: the one of its byte order mark, else UTF-8 if all of the text is valid UTF-8, else
/// GB18030 if all of it is valid GB18030. If it is neither, the text is opened again to find the line for the error.
pub(super) fn detect<R: Read>(open: impl Fn() -> io::Result<R>) -> io::Result<&'static Encoding> {
    let text = &mut open()?;
    let mut chunk = vec![0; CHUNK];
    let mut filled = fill(text, &mut chunk)?;
    if let Some((encoding, _)) = Encoding::for_bom(&chunk[..filled]) {
        return Ok(encoding);
    }
    let (mut utf8, mut gb18030) = (Candidate::new(UTF_8), Candidate::new(GB18030));
    let (mut before, mut nul_at) = (0, None);
    loop {
        let last = filled < chunk.len();
        let nul = chunk[..filled].iter().position(|byte| *byte == 0);
        nul_at = nul_at.or(nul.map(|nul| before + nul as u64));
        before += filled as u64;
        utf8.feed(&chunk[..filled], last);
        gb18030.feed(&chunk[..filled], last);
        match (utf8.invalid_at, gb18030.invalid_at) {
            (Some(offset), Some(_)) => {
                let line = line_of(open()?, nul_at.unwrap_or(offset))?;
                return Err(match nul_at {
                    Some(_) => Fault::Binary { line },
                    None => Fault::UnknownText { offset, line },
                }
                .into());
            }
            (None, _) if last => return Ok(UTF_8),
            (Some(_), None) if last => return Ok(GB18030),
            _ => filled = fill(text, &mut chunk)?,
        }
    }
}

/// The line of the byte at `offset`, counted from 1. LF, CR LF and a lone CR each end a line.
fn line_of(text: impl Read, offset: u64) -> io::Result<u64> {
    let (mut line, mut after_cr) = (1, false);
    for byte in BufReader::with_capacity(CHUNK, text.take(offset)).bytes() {
        let byte = byte?;
        line += u64::from(byte == b'\r' || (byte == b'\n' && !after_cr));
        after_cr = byte == b'\r';
    }
    Ok(line)
}

/// An encoding that the text may have, until an invalid byte rules it out.
struct Candidate {
    decoder: Decoder,
    scratch: Vec<u8>,
    /// How many bytes of the text were decoded.
    read: u64,
    /// The offset of the first invalid byte.
    invalid_at: Option<u64>,
}

impl Candidate {
    fn new(encoding: &'static Encoding) -> Self {
        Self {
            decoder: encoding.new_decoder_without_bom_handling(),
            scratch: vec![0; CHUNK],
            read: 0,
            invalid_at: None,
        }
    }

    fn feed(&mut self, mut bytes: &[u8], last: bool) {
        while self.invalid_at.is_none() {
            let (result, read, _) = self.decoder.decode_to_utf8_without_replacement(bytes, &mut self.scratch, last);
            bytes = &bytes[read..];
            self.read += read as u64;
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(invalid, after) => {
                    self.invalid_at = Some(self.read.saturating_sub(u64::from(invalid) + u64::from(after)));
                }
            }
        }
    }
}

/// A reader that yields valid UTF-8 without a byte order mark and without NUL.
pub(super) struct Decoded {
    source: Decompressed,
    decoder: Decoder,
    input: Vec<u8>,
    unread: std::ops::Range<usize>,
    source_ended: bool,
    text: Vec<u8>,
    ready: std::ops::Range<usize>,
    started: bool,
    finished: bool,
    /// The fault to report once the text in `ready` was read.
    fault: Option<Fault>,
}

impl Decoded {
    /// Decodes `source` as `encoding`, unless a byte order mark says otherwise: it wins, as in the WHATWG standard.
    pub(super) fn new(source: Decompressed, encoding: &'static Encoding) -> Self {
        Self {
            source,
            decoder: encoding.new_decoder(),
            input: vec![0; CHUNK],
            unread: 0..0,
            source_ended: false,
            text: vec![0; CHUNK],
            ready: 0..0,
            started: false,
            finished: false,
            fault: None,
        }
    }

    pub(super) fn into_raw(self) -> Raw {
        self.source.into_raw()
    }

    fn refill(&mut self) -> io::Result<()> {
        self.ready = 0..0;
        // Decode at least three bytes, the length of a byte order mark, so that the first text shows one if present.
        while self.ready.end < 3 && !self.finished && self.fault.is_none() {
            if self.unread.is_empty() && !self.source_ended {
                let read = self.source.read(&mut self.input)?;
                self.unread = 0..read;
                self.source_ended = read == 0;
            }
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.input[self.unread.clone()],
                &mut self.text[self.ready.end..],
                self.source_ended,
            );
            self.unread.start += read;
            self.ready.end += written;
            match result {
                DecoderResult::InputEmpty => self.finished = self.source_ended,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    self.fault = Some(Fault::Malformed { encoding: self.decoder.encoding().name(), line: 0 });
                }
            }
        }
        if let Some(nul) = self.text[self.ready.clone()].iter().position(|byte| *byte == 0) {
            self.fault = Some(Fault::Binary { line: 0 });
            self.ready.end = self.ready.start + nul;
        }
        if !self.started {
            self.started = true;
            // The decoder removes one mark, but some tools add a second one to a file that already has one.
            while self.text[self.ready.clone()].starts_with("\u{feff}".as_bytes()) {
                self.ready.start += 3;
            }
        }
        Ok(())
    }
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() {
            if let Some(fault) = self.fault.take() {
                self.finished = true;
                return Err(fault.into());
            }
            if self.finished {
                return Ok(0);
            }
            self.refill()?;
        }
        let length = buffer.len().min(self.ready.len());
        buffer[..length].copy_from_slice(&self.text[self.ready.start..self.ready.start + length]);
        self.ready.start += length;
        Ok(length)
    }
}
