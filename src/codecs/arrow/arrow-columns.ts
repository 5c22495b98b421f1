/** Arrow vectors to our columns where the types agree: array copies and one pass of arithmetic, no value objects. */
import {
  type Data,
  DataType,
  type Date_,
  DateUnit,
  type Decimal,
  Precision,
  type Timestamp,
  TimeUnit,
  type Vector,
} from 'apache-arrow';
import type { CandelaError } from '../../core/errors.ts';
import type { ColumnData } from '../../market/columns.ts';
import type { ColumnType } from '../../market/schema.ts';
import { timeNsMax, timeNsMin } from '../../market/time.ts';
import { decimalDigitsMax } from '../decimal-text.ts';
import { ByteDictionary } from '../decode/byte-dictionary.ts';

type Damaged = () => CandelaError;

/** What to do about values that cannot be taken. */
export interface Complaints {
  /** Refuses one row. */
  refuse(row: number, reason: string): void;
  /** Makes the error for a vector whose buffers do not hold what its lengths promise. */
  damaged: Damaged;
}

/** The vector as a column of `type`, or null where that takes a look at each value. Throws what `damaged` makes. */
export function moveColumn(
  type: ColumnType,
  vector: Vector,
  rowCount: number,
  complaints: Complaints,
): ColumnData | null {
  const arrow = vector.type as DataType;
  const { damaged } = complaints;
  for (const data of vector.data) checkValidity(data, damaged);
  switch (type.kind) {
    case 'double':
      return isPlainNumber(arrow) ? moveDoubles(vector, rowCount, damaged) : null;
    case 'int64':
      return DataType.isInt(arrow) && arrow.bitWidth === 64 && arrow.isSigned
        ? { kind: 'int64', ...moveInt64(vector, rowCount, damaged) }
        : null;
    case 'timestamp':
      return DataType.isTimestamp(arrow) || DataType.isDate(arrow)
        ? moveTimes(nsPerUnit(arrow, damaged), vector, rowCount, complaints)
        : null;
    case 'decimal':
      return DataType.isDecimal(arrow) && isExactDecimal(arrow)
        ? moveDecimals(arrow.scale, vector, rowCount, damaged)
        : null;
    case 'text':
      if (DataType.isUtf8(arrow)) return moveStrings(vector, rowCount, damaged);
      if (DataType.isDictionary(arrow) && DataType.isUtf8(arrow.dictionary)) {
        return moveDictionary(vector, rowCount, damaged);
      }
      return null;
    default:
      return null;
  }
}

/** Is this a decimal whose every value our own decimals hold? */
export function isExactDecimal(type: Decimal): boolean {
  return type.bitWidth === 128 && type.scale >= 0 && type.scale <= decimalDigitsMax;
}

function isPlainNumber(type: DataType): boolean {
  if (DataType.isFloat(type)) return type.precision !== Precision.HALF;
  return DataType.isInt(type) && type.bitWidth < 64;
}

/** Where all values stand together and none is null they are taken as they are: the bytes belong to the batch. */
function moveDoubles(vector: Vector, rowCount: number, damaged: Damaged): ColumnData {
  const [only, ...others] = vector.data;
  if (only && others.length === 0 && only.nullCount === 0) {
    const whole = valuesOf<Float64Array>(only, 1, damaged);
    if (whole instanceof Float64Array && whole.length === rowCount) return { kind: 'double', values: whole };
  }
  const values = new Float64Array(rowCount);
  forEachChunk(vector, (data, offset) => {
    values.set(valuesOf<Float64Array>(data, 1, damaged), offset);
    forEachNull(data, (row) => {
      values[offset + row] = Number.NaN;
    });
  });
  return { kind: 'double', values };
}

function moveInt64(vector: Vector, rowCount: number, damaged: Damaged) {
  const values = new BigInt64Array(rowCount);
  forEachChunk(vector, (data, offset) => {
    values.set(valuesOf<BigInt64Array>(data, 1, damaged), offset);
  });
  return { values, nulls: nullsOf(vector, rowCount) };
}

/** Nanoseconds in one of a time type's units. */
function nsPerUnit(type: Timestamp | Date_, damaged: Damaged): bigint {
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? 86_400_000_000_000n : 1_000_000n;
  if (!(type.unit in TimeUnit)) throw damaged();
  return 1000n ** BigInt(TimeUnit.NANOSECOND - type.unit);
}

function moveTimes(factor: bigint, vector: Vector, rowCount: number, complaints: Complaints): ColumnData {
  const values = new BigInt64Array(rowCount);
  forEachChunk(vector, (data, offset) => {
    const chunk = valuesOf<BigInt64Array | Int32Array>(data, 1, complaints.damaged);
    values.set(chunk instanceof Int32Array ? BigInt64Array.from(chunk, BigInt) : chunk, offset);
  });
  const nulls = nullsOf(vector, rowCount);
  if (!canMultiplyWords(values, factor)) multiplySlow(values, factor, nulls, complaints);
  else if (factor > 1n) multiplyWords(values, Number(factor));
  return { kind: 'timestamp', values, nulls };
}

/** Are all times well within bounds once multiplied, and 32-bit words multiplied exact as doubles? */
function canMultiplyWords(values: BigInt64Array, factor: bigint): boolean {
  if (factor > 1_000_000n) return false;
  // The earliest time there is lies nearer to the epoch than the latest.
  const bound = Number(-timeNsMin / factor / 2n ** 32n) - 1;
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  for (let word = 1; word < words.length; word += 2)
    if (words[word] > bound || words[word] < -bound) return false;
  return true;
}

/** Multiplies without a bigint for each value, which would cost more than all the rest of a decoding. */
function multiplyWords(values: BigInt64Array, factor: number): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  for (let word = 0; word < words.length; word += 2) {
    const low = words[word] * factor;
    words[word] = low;
    words[word + 1] = (words[word + 1] | 0) * factor + Math.floor(low / 4_294_967_296);
  }
}

function multiplySlow(
  values: BigInt64Array,
  factor: bigint,
  nulls: Uint8Array | undefined,
  complaints: Complaints,
): void {
  const max = timeNsMax / factor;
  const min = timeNsMin / factor;
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    const outside = value > max || value < min;
    values[row] = outside ? 0n : BigInt.asIntN(64, value * factor);
    if (outside && !nulls?.[row]) complaints.refuse(row, 'is outside the years 1678 to 2261');
  }
}

function moveDecimals(scale: number, vector: Vector, rowCount: number, damaged: Damaged): ColumnData {
  const coefficients: bigint[] = [];
  forEachChunk(vector, (data) => {
    const words = valuesOf<Uint32Array>(data, 4, damaged);
    for (let at = 0; at < words.length; at += 4) coefficients.push(int128(words, at));
  });
  const nulls = nullsOf(vector, rowCount);
  return { kind: 'decimal', coefficients, scales: new Uint8Array(rowCount).fill(scale), nulls };
}

/** The signed 128-bit integer in four words, the lowest first. */
export function int128(words: Uint32Array, at: number): bigint {
  const low = BigInt(words[at]) | (BigInt(words[at + 1]) << 32n);
  const high = BigInt(words[at + 2]) | (BigInt(words[at + 3]) << 32n);
  return BigInt.asIntN(128, (high << 64n) | low);
}

function moveStrings(vector: Vector, rowCount: number, damaged: Damaged): ColumnData {
  const strings = new ByteDictionary([]);
  const codes = new Int32Array(rowCount);
  forEachChunk(vector, (data, offset) => {
    const bytes = data.values as Uint8Array;
    const ends = data.valueOffsets as Int32Array;
    if (ends.length < data.length + 1) throw damaged();
    for (let row = 0; row < data.length; row++) {
      const start = ends[row];
      const end = ends[row + 1];
      if (start < 0 || end < start || end > bytes.length) throw damaged();
      codes[offset + row] = strings.codeOf(bytes, start, end);
    }
    forEachNull(data, (row) => {
      codes[offset + row] = -1;
    });
  });
  return { kind: 'text', dictionary: strings.strings, codes };
}

function moveDictionary(vector: Vector, rowCount: number, damaged: Damaged): ColumnData {
  const dictionary: string[] = [];
  const codesOf = new Map<Vector, Int32Array>();
  const codes = new Int32Array(rowCount);
  forEachChunk(vector, (data, offset) => {
    if (!data.dictionary) throw damaged();
    let codeOf = codesOf.get(data.dictionary);
    if (!codeOf) {
      codeOf = appendStrings(data.dictionary, dictionary, damaged);
      codesOf.set(data.dictionary, codeOf);
    }
    const indices = valuesOf<Int32Array | BigInt64Array>(data, 1, damaged);
    translate(
      indices instanceof Int32Array ? indices : Int32Array.from(indices, Number),
      codeOf,
      codes,
      offset,
    );
    forEachNull(data, (row) => {
      codes[offset + row] = -1;
    });
  });
  if (codes.includes(-2)) throw damaged();
  return { kind: 'text', dictionary, codes };
}

/** Our code of each index, from `offset` on; -2 where the dictionary has no such entry. */
function translate(indices: Int32Array, codeOf: Int32Array, codes: Int32Array, offset: number): void {
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row];
    codes[offset + row] = index >= 0 && index < codeOf.length ? codeOf[index] : -2;
  }
}

/** Adds a dictionary's strings to ours; the result maps its indices to our codes, null to -1. */
function appendStrings(vector: Vector, dictionary: string[], damaged: Damaged): Int32Array {
  for (const data of vector.data) checkValidity(data, damaged);
  const column = moveStrings(vector, vector.length, damaged);
  if (column.kind !== 'text') throw damaged();
  const base = dictionary.length;
  for (const text of column.dictionary) dictionary.push(text);
  return column.codes.map((code) => (code < 0 ? -1 : base + code));
}

function forEachChunk(vector: Vector, visit: (data: Data, offset: number) => void): void {
  let offset = 0;
  for (const data of vector.data) {
    visit(data, offset);
    offset += data.length;
  }
}

/** The chunk's values, `stride` array elements each. */
function valuesOf<T extends { length: number; subarray(from: number, to: number): T }>(
  data: Data,
  stride: number,
  damaged: Damaged,
): T {
  const values = data.values as T;
  if (values.length < data.length * stride) throw damaged();
  return values.subarray(0, data.length * stride);
}

function checkValidity(data: Data, damaged: Damaged): void {
  const { nullBitmap } = data;
  if (!nullBitmap || nullBitmap.length === 0) return;
  if (nullBitmap.length * 8 < data.offset + data.length) throw damaged();
}

function forEachNull(data: Data, visit: (row: number) => void): void {
  const { nullBitmap, offset } = data;
  if (!nullBitmap || nullBitmap.length === 0 || data.nullCount === 0) return;
  for (let row = 0; row < data.length; row++) {
    const bit = offset + row;
    if ((nullBitmap[bit >> 3] & (1 << (bit & 7))) === 0) visit(row);
  }
}

function nullsOf(vector: Vector, rowCount: number): Uint8Array | undefined {
  let nulls: Uint8Array | undefined;
  forEachChunk(vector, (data, offset) => {
    forEachNull(data, (row) => {
      nulls ??= new Uint8Array(rowCount);
      nulls[offset + row] = 1;
    });
  });
  return nulls;
}
