import type { ColumnData } from '../../market/columns.ts';
import type { ColumnType } from '../../market/schema.ts';
import { DecimalSink, DoubleSink, Int64Sink } from './number-sinks.ts';
import type { ColumnSink } from './sink.ts';
import { BooleanSink, JsonSink, TextSink } from './text-sinks.ts';
import { TimestampSink } from './timestamp-sink.ts';

/** A sink for values of a declared type. */
export function createSink(type: ColumnType): ColumnSink<ColumnData> {
  switch (type.kind) {
    case 'double':
      return new DoubleSink();
    case 'int64':
      return new Int64Sink();
    case 'decimal':
      return new DecimalSink();
    case 'text':
      return new TextSink();
    case 'json':
      return new JsonSink();
    case 'boolean':
      return new BooleanSink();
    case 'timestamp':
      return new TimestampSink();
  }
}
