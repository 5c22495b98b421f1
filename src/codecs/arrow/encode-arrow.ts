import {
  Bool,
  type Data,
  type DataType,
  Decimal,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Timestamp,
  TimeUnit,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { CandelaError } from '../../core/errors.ts';
import {
  type ColumnData,
  type ColumnSet,
  type DecimalColumn,
  type TextColumn,
  textColumn,
} from '../../market/columns.ts';
import { decimalDigitsMax, formatDecimal } from '../decimal-text.ts';

/**
 * An Arrow IPC stream or file of one record batch. Doubles are Float64, int64 Int64, times Timestamp[ns, UTC], text
 * Dictionary<Int32, Utf8>, booleans Bool. Decimals are Decimal128 with the largest scale among the rows, or Utf8
 * where that would need more than 38 digits.
 */
export function encodeArrow(set: ColumnSet, container: 'stream' | 'file'): Uint8Array {
  return tableToIPC(new Table(arrowBatch(set)), container);
}

/** What several batches of one stream must have in common, where a batch by itself would choose what suits it. */
export interface ArrowLayout {
  /** Text is Utf8: the dictionaries of batches would differ, which a file cannot express. */
  text: 'plain';
  /** Scale of the decimals of each column, by its index; values may have fewer decimals, not more. */
  decimalScales: readonly number[];
}

/** The rows as one record batch; `layout` fixes what else depends on the values. */
export function arrowBatch(set: ColumnSet, layout?: ArrowLayout): RecordBatch {
  const children = set.columns.map((column, index) => {
    if (layout && column.kind === 'text') return plainTextData(column, set.rowCount);
    if (layout && column.kind === 'decimal') {
      return decimalData(column, set.rowCount, layout.decimalScales[index]);
    }
    return arrowData(column, set.rowCount);
  });
  const fields = set.names.map((name, i) => new Field(name, children[i].type as DataType, true));
  const type = new Struct(fields);
  const data = makeData({ type, length: set.rowCount, nullCount: 0, children });
  return new RecordBatch(new Schema(fields), data);
}

function arrowData(column: ColumnData, length: number): Data {
  switch (column.kind) {
    case 'double': {
      const data = column.values;
      return makeData({
        type: new Float64(),
        length,
        data,
        ...validity(length, (row) => Number.isNaN(data[row])),
      });
    }
    case 'int64':
      return makeData({ type: new Int64(), length, data: column.values, ...flagged(length, column.nulls) });
    case 'timestamp': {
      const type = new Timestamp(TimeUnit.NANOSECOND, 'UTC');
      return makeData({ type, length, data: column.values, ...flagged(length, column.nulls) });
    }
    case 'boolean': {
      const bits = bitmap(length, (row) => column.values[row] === 1);
      return makeData({ type: new Bool(), length, data: bits, ...flagged(length, column.nulls) });
    }
    case 'decimal':
      return decimalData(column, length);
    case 'text':
      return textData(column, length);
  }
}

/** A dictionary larger than the rows it serves is made anew from what they use. */
function textData(column: TextColumn, length: number): Data {
  const { dictionary, codes } = column.dictionary.length > length ? compact(column) : column;
  const type = new Dictionary(new Utf8(), new Int32());
  const strings = vectorFromArray(dictionary, new Utf8());
  return makeData({
    type,
    length,
    data: codes,
    dictionary: strings,
    ...validity(length, (row) => codes[row] < 0),
  });
}

function compact(column: TextColumn): TextColumn {
  return textColumn(Array.from(column.codes, (code) => (code < 0 ? null : column.dictionary[code])));
}

function plainTextData({ dictionary, codes }: TextColumn, length: number): Data {
  const texts = Array.from({ length }, (_, row) => (codes[row] < 0 ? null : dictionary[codes[row]]));
  return vectorFromArray(texts, new Utf8()).data[0];
}

/** At the largest scale among the rows, or at the one given. */
function decimalData(column: DecimalColumn, length: number, scaleGiven?: number): Data {
  const { coefficients, scales, nulls } = column;
  const scaleMax = scaleGiven ?? scales.reduce((max, scale) => Math.max(max, scale), 0);
  const words = new Uint32Array(length * 4);
  const limit = 10n ** BigInt(decimalDigitsMax);
  for (let row = 0; row < length; row++) {
    const scaled = coefficients[row] * 10n ** BigInt(scaleMax - scales[row]);
    if (scaled >= limit || scaled <= -limit) {
      if (scaleGiven === undefined) return decimalsAsText(column, length);
      throw new CandelaError(
        'INVALID_ARGUMENT',
        `a decimal needs more than ${decimalDigitsMax} digits in Arrow`,
      );
    }
    for (let word = 0; word < 4; word++) {
      words[row * 4 + word] = Number(BigInt.asUintN(32, scaled >> BigInt(word * 32)));
    }
  }
  const type = new Decimal(scaleMax, decimalDigitsMax, 128);
  return makeData({ type, length, data: words, ...flagged(length, nulls) });
}

function decimalsAsText(column: DecimalColumn, length: number): Data {
  const { coefficients, scales, nulls } = column;
  const texts = Array.from({ length }, (_, row) =>
    nulls?.[row] ? null : formatDecimal(coefficients[row], scales[row]),
  );
  return vectorFromArray(texts, new Utf8()).data[0];
}

/** Arrow's validity bits (1: not null), left out when no row is null. */
function validity(length: number, isNull: (row: number) => boolean) {
  let nullCount = 0;
  const nullBitmap = bitmap(length, (row) => {
    if (!isNull(row)) return true;
    nullCount++;
    return false;
  });
  return nullCount === 0 ? { nullCount } : { nullCount, nullBitmap };
}

function flagged(length: number, nulls: Uint8Array | undefined) {
  return nulls ? validity(length, (row) => nulls[row] === 1) : { nullCount: 0 };
}

function bitmap(length: number, isSet: (row: number) => boolean): Uint8Array {
  const bits = new Uint8Array((length + 7) >> 3);
  for (let row = 0; row < length; row++) if (isSet(row)) bits[row >> 3] |= 1 << (row & 7);
  return bits;
}
