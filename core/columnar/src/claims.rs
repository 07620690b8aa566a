//! What a file claims, checked before anything believes it: above all numbers of 64 bits, of which the crates take the lower
//! half where addresses have 32. Natively they would meet the same damage with an error or a panic.

use arrow_ipc::{MessageHeader, root_as_message};

use parquet::file::metadata::ParquetMetaData;

use crate::Error;

/// A file is a stream between two marks, with an index after it.
const OPENING: &[u8] = b"ARROW1\0\0";
const MARK: &[u8] = b"ARROW1";

/// Where the stream begins.
pub(crate) fn stream(bytes: &[u8]) -> Result<usize, Error> {
    if !bytes.starts_with(OPENING) {
        return Ok(0);
    }
    if bytes.ends_with(MARK) { Ok(OPENING.len()) } else { Err(Error::NoEnd { len: bytes.len() as u64 }) }
}

/// Every column of a Parquet file of `len` bytes begins within it.
pub(crate) fn places(metadata: &ParquetMetaData, len: u64) -> Result<(), String> {
    let mut columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    match columns.find(|column| column.byte_range().0 > len) {
        None => Ok(()),
        Some(column) => Err(format!("column {} lies outside of the file", column.column_path())),
    }
}

/// Buffers lie within their message. Compressed ones say how long they will be, and are believed: so that is checked too.
pub(crate) fn check(stream: &[u8], limit: u64) -> Result<(), Error> {
    let word = |at: usize| stream.get(at..).and_then(<[u8]>::first_chunk::<4>).map(|&b| u32::from_le_bytes(b));
    let mut at = 0_usize;
    let mut total = 0_u64;
    while let Some(first) = word(at) {
        let (length, start) = if first == u32::MAX { (word(at + 4).unwrap_or(0), at + 8) } else { (first, at + 4) };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length == 0 {
            break;
        }
        let end = start.checked_add(length).filter(|&end| end <= stream.len());
        let cut = || Error::CutMessage {
            offset: start as u64,
            needed: length as u64,
            have: stream.len().saturating_sub(start) as u64,
        };
        let end = end.ok_or_else(cut)?;
        let message = root_as_message(&stream[start..end]).map_err(|e| Error::Malformed(e.to_string()))?;
        let batch = match message.header_type() {
            MessageHeader::RecordBatch => message.header_as_record_batch(),
            MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|d| d.data()),
            _ => None,
        };
        let body = usize::try_from(message.bodyLength()).ok().and_then(|n| end.checked_add(n));
        let body = body.filter(|&b| b <= stream.len()).ok_or_else(cut)?;
        if let Some(batch) = batch {
            let nodes = batch.nodes().into_iter().flatten().flat_map(|node| [node.length(), node.null_count()]);
            // -1 is a number of gaps that is not known.
            if nodes.chain([batch.length()]).any(|n| !(-1..=i64::from(u32::MAX)).contains(&n)) {
                return Err(Error::Malformed("a number of values cannot be".to_owned()));
            }
            for buffer in batch.buffers().into_iter().flatten() {
                let last = buffer.offset().checked_add(buffer.length()).filter(|&last| last <= message.bodyLength());
                if buffer.offset() < 0 || buffer.length() < 0 || last.is_none() {
                    return Err(Error::Malformed("a buffer lies outside of its message".to_owned()));
                }
            }
        }
        if let Some(buffers) = batch.filter(|b| b.compression().is_some()).and_then(|b| b.buffers()) {
            for buffer in buffers {
                let from = usize::try_from(buffer.offset()).ok().and_then(|o| end.checked_add(o));
                let claim =
                    from.and_then(|f| stream.get(f..)?.first_chunk::<8>()).map_or(0, |&b| i64::from_le_bytes(b));
                // -1 says that it is not compressed.
                total = total.saturating_add(if buffer.length() > 0 { u64::try_from(claim).unwrap_or(0) } else { 0 });
                if total > limit {
                    let what = "the buffers of the Arrow file, unpacked,".to_owned();
                    return Err(Error::TooLarge { what, needed: total, limit });
                }
            }
        }
        at = body;
    }
    Ok(())
}
