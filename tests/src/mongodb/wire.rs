//! Messages: OP_MSG, OP_COMPRESSED, and OP_QUERY with OP_REPLY for the first handshake.
//!
//! Source: MongoDB manual, "MongoDB Wire Protocol".

use std::io::{Read, Write};

use anyhow::{Context, Result, bail, ensure};
use bson::{Bson, Document};

const OP_REPLY: i32 = 1;
const OP_QUERY: i32 = 2004;
const OP_COMPRESSED: i32 = 2012;
const OP_MSG: i32 = 2013;
const MORE_TO_COME: u32 = 2;
const CHECKSUM_PRESENT: u32 = 1;
const EXHAUST_ALLOWED: u32 = 1 << 16;
const MOST_BYTES: usize = 48_000_000;

/// How a message was compressed, by its number in OP_COMPRESSED.
pub(super) const COMPRESSORS: [(u8, &str); 3] = [(1, "snappy"), (2, "zlib"), (3, "zstd")];

/// A command as a driver sent it, with its document sequences as arrays.
#[derive(Debug)]
pub(super) struct Command {
    pub request_id: i32,
    pub document: Document,
    pub unanswered: bool,
    pub exhaust: bool,
    /// It came in OP_QUERY, and is answered in OP_REPLY.
    legacy: bool,
    /// It came compressed, and is answered so.
    compressor: Option<u8>,
}

/// Reads the next command. None: the client is gone.
pub(super) fn read(stream: &mut impl Read) -> Result<Option<Command>> {
    let mut header = [0; 16];
    if stream.read_exact(&mut header).is_err() {
        return Ok(None);
    }
    let [length, request_id, _, opcode] = int32s(&header);
    let length = usize::try_from(length)?;
    ensure!((16..=MOST_BYTES).contains(&length), "a message of {length} bytes");
    let mut body = vec![0; length - 16];
    stream.read_exact(&mut body)?;
    let (opcode, body, compressor) = match opcode {
        OP_COMPRESSED => {
            let (prefix, packed) = body.split_at_checked(9).context("a short OP_COMPRESSED")?;
            let [opcode, size] = int32s(prefix);
            let compressor = prefix.last().copied().unwrap_or_default();
            (opcode, decompress(compressor, packed, usize::try_from(size)?)?, Some(compressor))
        }
        opcode => (opcode, body, None),
    };
    let mut command = match opcode {
        OP_MSG => message(&body)?,
        OP_QUERY => query(&body)?,
        opcode => bail!("opcode {opcode} is not spoken here"),
    };
    command.request_id = request_id;
    command.compressor = compressor;
    Ok(Some(command))
}

fn int32s<const N: usize>(bytes: &[u8]) -> [i32; N] {
    let mut numbers = bytes.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes));
    std::array::from_fn(|_| numbers.next().unwrap_or_default())
}

fn message(body: &[u8]) -> Result<Command> {
    let (flags, mut rest) = body.split_first_chunk::<4>().context("a short OP_MSG")?;
    let flags = u32::from_le_bytes(*flags);
    if flags & CHECKSUM_PRESENT != 0 {
        rest = rest.get(..rest.len().saturating_sub(4)).unwrap_or_default();
    }
    let (mut document, mut sequences) = (Document::new(), Vec::new());
    while let Some((kind, behind)) = rest.split_first() {
        let [size] = int32s(behind);
        let (section, next) = behind.split_at_checked(usize::try_from(size)?).context("a section is cut")?;
        rest = next;
        if *kind == 0 {
            document = Document::from_reader(section)?;
            continue;
        }
        let named = section.get(4..).unwrap_or_default();
        let end = named.iter().position(|byte| *byte == 0).context("a sequence without name")?;
        let (name, mut documents) = named.split_at(end + 1);
        let mut all = Vec::new();
        documents = documents.get(..).unwrap_or_default();
        while !documents.is_empty() {
            all.push(Bson::Document(Document::from_reader(&mut documents)?));
        }
        sequences.push((String::from_utf8_lossy(name.strip_suffix(&[0]).unwrap_or(name)).into_owned(), all));
    }
    for (name, documents) in sequences {
        document.insert(name, documents);
    }
    let (unanswered, exhaust) = (flags & MORE_TO_COME != 0, flags & EXHAUST_ALLOWED != 0);
    Ok(Command { request_id: 0, document, unanswered, exhaust, legacy: false, compressor: None })
}

fn query(body: &[u8]) -> Result<Command> {
    let name = body.get(4..).context("a short OP_QUERY")?;
    let end = name.iter().position(|byte| *byte == 0).context("a collection without end")?;
    let namespace = String::from_utf8_lossy(name.get(..end).unwrap_or_default());
    let database = namespace.strip_suffix(".$cmd").context("OP_QUERY is for commands only")?;
    let mut document = Document::from_reader(name.get(end + 9..).unwrap_or_default())?;
    document.insert("$db", database);
    Ok(Command { request_id: 0, document, unanswered: false, exhaust: false, legacy: true, compressor: None })
}

impl Command {
    /// Sends an answer. `request_id`: the answer's own; `response_to`: the message that it follows.
    pub fn answer(
        &self,
        stream: &mut impl Write,
        request_id: i32,
        response_to: i32,
        document: &Document,
        more_to_come: bool,
    ) -> Result<()> {
        let mut encoded = Vec::new();
        document.to_writer(&mut encoded)?;
        let (opcode, body) = if self.legacy {
            let fixed = [&[8, 0, 0, 0][..], &[0; 12], &[1, 0, 0, 0]].concat();
            (OP_REPLY, [fixed, encoded].concat())
        } else {
            let flags = if more_to_come { MORE_TO_COME } else { 0 };
            (OP_MSG, [&flags.to_le_bytes()[..], &[0], &encoded].concat())
        };
        let (opcode, body) = match self.compressor {
            Some(compressor) => {
                let size = i32::try_from(body.len())?.to_le_bytes();
                let packed = compress(compressor, &body)?;
                (OP_COMPRESSED, [&opcode.to_le_bytes()[..], &size, &[compressor], &packed].concat())
            }
            None => (opcode, body),
        };
        let header = [i32::try_from(body.len() + 16)?, request_id, response_to, opcode];
        let header = header.map(i32::to_le_bytes).concat();
        stream.write_all(&[header, body].concat())?;
        Ok(stream.flush()?)
    }
}

fn decompress(compressor: u8, packed: &[u8], size: usize) -> Result<Vec<u8>> {
    ensure!(size <= MOST_BYTES, "{size} bytes");
    let mut body = Vec::new();
    match compressor {
        0 => body.extend_from_slice(packed),
        1 => body = snap::raw::Decoder::new().decompress_vec(packed)?,
        2 => {
            flate2::read::ZlibDecoder::new(packed).read_to_end(&mut body)?;
        }
        3 => {
            ruzstd::decoding::StreamingDecoder::new(packed)
                .map_err(|error| anyhow::anyhow!("{error}"))?
                .read_to_end(&mut body)?;
        }
        other => bail!("compressor {other} is not known"),
    }
    ensure!(body.len() == size, "{} bytes in place of {size}", body.len());
    Ok(body)
}

fn compress(compressor: u8, body: &[u8]) -> Result<Vec<u8>> {
    Ok(match compressor {
        1 => snap::raw::Encoder::new().compress_vec(body)?,
        2 => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(body)?;
            encoder.finish()?
        }
        3 => ruzstd::encoding::compress_to_vec(body, ruzstd::encoding::CompressionLevel::Fastest),
        _ => body.to_vec(),
    })
}
