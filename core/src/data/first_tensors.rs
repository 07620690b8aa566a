//! The first pass over a file of tensors.

use super::{
    Column, DataError, Kind,
    chunk::{Chunk, Decode, width},
    part::{Layout, Part, deferred},
    pipe::{Pipe, Route},
    safetensors,
    survey::Survey,
    tensors,
};

pub(super) async fn safetensors(route: Route, pipe: &mut Pipe<'_>) -> Result<Part, DataError> {
    let len = route.exact_len();
    let mut header = Vec::new();
    let mut needed = 8;
    let (mut layout, end, mut notes, mut seen) = loop {
        let Some(bytes) = pipe.next().await? else {
            let (what, have) = ("the safetensors header", header.len() as u64);
            return Err(DataError::Truncated { what, offset: 0, needed, have });
        };
        header.extend_from_slice(&bytes);
        if needed == 8
            && let Some(&first) = header.first_chunk::<8>()
        {
            needed = safetensors::header_len(first, len)?;
        }
        let n = usize::try_from(needed).unwrap_or(usize::MAX);
        if n > 8 && header.len() >= n {
            let safetensors::Parsed { layout, end, notes } = safetensors::parse(&header[..n], len)?;
            break (layout, end, notes, header);
        }
    };
    if layout.tensors().is_empty() {
        return Err(DataError::Empty { name: route.name, what: "it has no tensor that can be read" });
    }
    let all: Vec<usize> = (0..layout.columns().count()).collect();
    let mut survey = Survey::new(all.len());
    let mut total = 0;
    {
        let mut reader = tensors::Reader::new(&layout, &all, 0);
        let mut out = |slot: usize, chunk: Chunk<'_>| {
            survey.look(slot, chunk);
            Ok(())
        };
        loop {
            total += seen.len() as u64;
            reader.push(&seen, &mut out)?;
            match pipe.next().await? {
                Some(bytes) => seen = bytes,
                None => break,
            }
        }
        reader.finish(&mut out)?;
    }
    if total < end {
        let (what, offset) = ("the data of the tensors", needed);
        return Err(DataError::Truncated { what, offset, needed: end - offset, have: total.saturating_sub(offset) });
    }
    if total > end {
        notes.push(format!("{} bytes after the last tensor are ignored", total - end));
    }
    let Survey { missing, largest, preview } = survey;
    layout.settle(&largest, &mut notes);
    let named = |(tensor, c): (&tensors::Tensor, usize), missing| {
        let own = tensor.array.names().swap_remove(c);
        let name =
            if own == "values" || own == "pixels" { tensor.name.clone() } else { format!("{} {own}", tensor.name) };
        deferred(name, tensor.array.ty, tensor.array.len(), missing)
    };
    let columns: Vec<Column> = layout.columns().zip(missing).map(|(c, m)| named(c, m)).collect();
    let bytes_of = |t: &tensors::Tensor| {
        let per_element = width(t.array.ty) + if t.is_matrix() { 8 } else { 0 };
        t.array.header.count.saturating_mul(per_element)
    };
    let resident_bytes = layout.tensors().iter().map(bytes_of).fold(0, u64::saturating_add);
    let read_as = match layout.tensors() {
        [one] => format!("safetensors with the tensor {}, {}", one.name, shape_of(one)),
        [one, ..] => {
            format!("safetensors with {} tensors, the first {}, {}", layout.tensors().len(), one.name, shape_of(one))
        }
        [] => String::new(),
    };
    let matrices = Vec::new();
    Ok(Part {
        route,
        kind: Kind::Safetensors,
        layout: Layout::Tensors(layout),
        columns,
        matrices,
        preview,
        notes,
        read_as,
        resident_bytes,
    })
}

/// `F32 of shape (2, 3)`.
fn shape_of(tensor: &tensors::Tensor) -> String {
    let shape: Vec<String> = tensor.array.header.shape.iter().map(u64::to_string).collect();
    format!("{} of shape ({})", tensor.array.header.dtype, shape.join(", "))
}
