//! Tables as Parquet: one row group, a column of doubles or of words each; what does not exist is null.

use std::{path::Path, sync::Arc};

use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, DoubleType},
    file::{metadata::KeyValue, properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};
use surprisal_core::experiment::{Column, Record, Table, Values};

use super::folder;

/// Writes `DIR/NAME`.
pub(crate) fn parquet(dir: &Path, name: &str, table: &Table, record: &Record) -> anyhow::Result<()> {
    let fields = table.columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?);
    let note = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let notes = vec![
        note("experiment", record.experiment.clone()),
        note("parameters", serde_json::to_string(&record.parameters)?),
    ];
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("surprisal version {}", record.surprisal))
        .set_key_value_metadata(Some(notes))
        .build();
    folder::put(dir, name, |out| {
        let mut writer = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
        let mut group = writer.next_row_group()?;
        for column in &table.columns {
            let Some(mut place) = group.next_column()? else { break };
            match &column.values {
                Values::Numbers(values) => {
                    let known: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
                    let levels: Vec<i16> = values.iter().map(|x| i16::from(x.is_finite())).collect();
                    place.typed::<DoubleType>().write_batch(&known, Some(&levels), None)?;
                }
                Values::Words(words) => {
                    let words: Vec<ByteArray> = words.iter().map(|w| ByteArray::from(w.as_str())).collect();
                    let levels = vec![1_i16; words.len()];
                    place.typed::<ByteArrayType>().write_batch(&words, Some(&levels), None)?;
                }
            }
            place.close()?;
        }
        group.close()?;
        writer.close()?;
        Ok(())
    })
}

fn field(column: &Column) -> parquet::errors::Result<Arc<Type>> {
    let (physical, logical) = match column.values {
        Values::Numbers(_) => (Physical::DOUBLE, None),
        Values::Words(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let builder = Type::primitive_type_builder(&column.name, physical);
    Ok(Arc::new(builder.with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build()?))
}
