import { DataType, RecordBatchReader, type Schema, Table, TimeUnit } from 'apache-arrow';
import { decodeArrowTable } from '../../codecs/arrow/decode-arrow.ts';
import { decodeUnbounded } from '../../codecs/decode/decoded-rows.ts';
import { CandelaError } from '../../core/errors.ts';
import type { ColumnType } from '../../market/schema.ts';
import { type RowSource, tableAsInFile } from './row-source.ts';

/** Opens an Arrow IPC file or stream; each of its record batches is a chunk. */
export async function openArrowSource(bytes: AsyncIterable<Buffer>): Promise<RowSource> {
  const reader = await RecordBatchReader.from(bytes);
  await readable(() => reader.open());
  const { schema } = reader;
  return {
    columns: schema.fields.map(({ name, type }) => ({
      name,
      type: columnType(type as DataType),
      values: [],
    })),
    async *chunks(plan) {
      const table = tableAsInFile(plan);
      const names = schema.names.map(String).filter((name) => !plan.unused.includes(name));
      let rowsBefore = 0;
      for (;;) {
        const { value, done } = await readable(async () => reader.next());
        if (done) return;
        const decoded = decodeArrowTable(
          table,
          new Table(schema as Schema, value).select(names),
          decodeUnbounded,
        );
        yield { decoded, rowsBefore, recordAt: () => null };
        rowsBefore += decoded.sentRowCount;
      }
    },
  };
}

async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CandelaError('SYNTAX', `Arrow: ${reason}`, {
      cause,
      help: 'The file must hold uncompressed Arrow IPC.',
    });
  }
}

/** The table type that holds what an Arrow type holds. */
function columnType(type: DataType): ColumnType {
  if (DataType.isDictionary(type)) return columnType(type.dictionary as DataType);
  if (DataType.isInt(type)) return { kind: 'int64' };
  if (DataType.isFloat(type)) return { kind: 'double' };
  if (DataType.isBool(type)) return { kind: 'boolean' };
  if (DataType.isDecimal(type)) return { kind: 'decimal', precision: type.precision, scale: type.scale };
  if (DataType.isDate(type)) return { kind: 'timestamp', unit: 'us', zone: true };
  if (DataType.isTimestamp(type)) {
    return { kind: 'timestamp', unit: type.unit === TimeUnit.NANOSECOND ? 'ns' : 'us', zone: true };
  }
  return { kind: 'text' };
}
