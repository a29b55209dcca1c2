//! Rows as Parquet: a group of them is encoded apart from the others, and then put behind them.

use std::sync::Arc;

use ::parquet::basic::{Compression, ConvertedType, Encoding, LogicalType, Repetition, TimeUnit};
use ::parquet::basic::{Type as Physical, ZstdLevel};
use ::parquet::column::writer::{ColumnCloseResult, ColumnWriter, get_column_writer};
use ::parquet::data_type::{ByteArray, FixedLenByteArray};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use ::parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use ::parquet::schema::types::{ColumnDescPtr, ColumnPath, SchemaDescPtr, SchemaDescriptor, Type};
use bytes::Bytes;

use super::rows::{self, Column, Data, Rows, Values};

/// A sum has at most as many digits: it adds up fewer than 2^32 sizes, each under 2^53.
const SUM_DIGITS: i32 = 38;
const SUM_BYTES: i32 = 16;

/// A file that is being written. What is to be written to it is handed out piece by piece.
pub struct File {
    writer: SerializedFileWriter<Vec<u8>>,
    plan: Plan,
}

/// How rows of a table are encoded.
#[derive(Clone)]
pub struct Plan {
    schema: SchemaDescPtr,
    properties: WriterPropertiesPtr,
}

/// A group of rows, encoded: a chunk a column.
pub type Group = Vec<(Bytes, ColumnCloseResult)>;

impl File {
    /// Of a table with these columns; `notes` are kept in the file, by key.
    pub fn new(
        columns: &'static [Column],
        notes: Vec<(&'static str, String)>,
    ) -> Result<File, ParquetError> {
        let fields = columns.iter().map(|column| field(column).map(Arc::new));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        let root = Type::group_type_builder("stillthere").with_fields(fields).build()?;
        let root = Arc::new(root);
        let notes = notes.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value));
        let properties = Arc::new(properties(columns, notes.collect())?);
        let plan = Plan {
            schema: Arc::new(SchemaDescriptor::new(Arc::clone(&root))),
            properties: Arc::clone(&properties),
        };
        Ok(File { writer: SerializedFileWriter::new(Vec::new(), root, properties)?, plan })
    }

    pub fn plan(&self) -> Plan {
        self.plan.clone()
    }

    /// Puts a group behind those before it, and gives what is to be written by now.
    pub fn append(&mut self, group: Group) -> Result<Vec<u8>, ParquetError> {
        let mut row_group = self.writer.next_row_group()?;
        for (chunk, close) in group {
            row_group.append_column(&chunk, close)?;
        }
        row_group.close()?;
        self.writer.flush()?;
        Ok(std::mem::take(self.writer.inner_mut()))
    }

    /// The rest of it.
    pub fn end(mut self) -> Result<Vec<u8>, ParquetError> {
        self.writer.finish()?;
        self.writer.flush()?;
        Ok(std::mem::take(self.writer.inner_mut()))
    }
}

impl Plan {
    /// Encodes a group of rows.
    pub fn encode(&self, rows: Rows) -> Result<Group, ParquetError> {
        let chunk = |(values, descriptor): (Values, &ColumnDescPtr)| self.chunk(values, descriptor);
        rows.columns.into_iter().zip(self.schema.columns()).map(chunk).collect()
    }

    fn chunk(
        &self,
        values: Values,
        descriptor: &ColumnDescPtr,
    ) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
        let mut out = TrackedWrite::new(Vec::new());
        let pages = Box::new(SerializedPageWriter::new(&mut out));
        let mut writer =
            get_column_writer(Arc::clone(descriptor), Arc::clone(&self.properties), pages);
        let there = values.column.optional.then_some(&values.there[..]);
        match (&mut writer, values.data) {
            (ColumnWriter::ByteArrayColumnWriter(writer), Data::Texts { text, ends }) => {
                writer.write_batch(&slices(text, &ends), there, None)
            }
            (ColumnWriter::Int64ColumnWriter(writer), Data::Numbers(numbers)) => {
                writer.write_batch(&numbers, there, None)
            }
            (ColumnWriter::FixedLenByteArrayColumnWriter(writer), Data::Sums(sums)) => {
                writer.write_batch(&decimals(&sums), there, None)
            }
            (ColumnWriter::BoolColumnWriter(writer), Data::Flags(flags)) => {
                writer.write_batch(&flags, there, None)
            }
            _ => unreachable!("the schema is that of the columns"),
        }?;
        let close = writer.close()?;
        Ok((Bytes::from(out.into_inner()?), close))
    }
}

/// The texts one by one, without copying them.
fn slices(text: Vec<u8>, ends: &[usize]) -> Vec<ByteArray> {
    let text = Bytes::from(text);
    let starts = [0].into_iter().chain(ends.iter().copied());
    starts.zip(ends).map(|(start, end)| ByteArray::from(text.slice(start..*end))).collect()
}

/// The sums as whole decimals, the highest byte first.
fn decimals(sums: &[u128]) -> Vec<FixedLenByteArray> {
    sums.iter().map(|sum| ByteArray::from(sum.to_be_bytes().to_vec()).into()).collect()
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match column.of {
        // JSON is marked as text: not all that read Parquet know the other mark.
        rows::Type::Id | rows::Type::Text | rows::Type::Word | rows::Type::Json => {
            (Physical::BYTE_ARRAY, Some(LogicalType::String))
        }
        rows::Type::Whole => (Physical::INT64, None),
        rows::Type::Sum => {
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(0, SUM_DIGITS)))
        }
        rows::Type::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
        rows::Type::Flag => (Physical::BOOLEAN, None),
    };
    let repetition = match column.optional {
        true => Repetition::OPTIONAL,
        false => Repetition::REQUIRED,
    };
    let field = Type::primitive_type_builder(column.name, physical)
        .with_repetition(repetition)
        .with_converted_type(ConvertedType::NONE)
        .with_logical_type(logical);
    match column.of {
        rows::Type::Sum => {
            field.with_length(SUM_BYTES).with_precision(SUM_DIGITS).with_scale(0).build()
        }
        _ => field.build(),
    }
}

fn properties(columns: &[Column], notes: Vec<KeyValue>) -> Result<WriterProperties, ParquetError> {
    let properties = WriterProperties::builder()
        .set_created_by(concat!("stillthere ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(notes));
    // What hardly comes twice is not looked for in a dictionary first.
    let plain = |encoding| move |name: &str| (ColumnPath::from(name), encoding);
    let properties = columns.iter().fold(properties, |properties, column| {
        let (path, encoding) = match column.of {
            rows::Type::Id => plain(Encoding::PLAIN)(column.name),
            rows::Type::Whole | rows::Type::Time => {
                plain(Encoding::DELTA_BINARY_PACKED)(column.name)
            }
            _ => return properties,
        };
        properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, encoding)
    });
    Ok(properties.build())
}
