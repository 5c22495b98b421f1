/**
 * A column's bytes inside a frame: a 16-byte header, then its arrays, each padded with zeros to a multiple of 8 so
 * that a reader can lay typed arrays over them without copying.
 *
 * ```
 *  0  u32 column id      4  u8 kind      5  u8 flags (1: a nulls array follows)      6  u16 limbs (decimal)
 *  8  u32 dictionary entries (text)     12  u32 dictionary bytes (text)
 * 16  double             rows × f64
 *     int64, timestamp   rows × i64, nulls
 *     boolean            rows × u8, nulls
 *     decimal            limbs × (rows × i64), rows × u8 scales, nulls
 *     text               entries × u32 (length in UTF-16 units), UTF-8 of all entries joined, rows × i32 codes
 * ```
 *
 * A decimal's coefficient is two's complement in as many 64-bit limbs as the widest coefficient of the column needs,
 * least significant limb first: almost always one.
 */
import { assert } from '../../core/assert.ts';
import { align8, bytesOf, padding8 } from '../../core/bytes.ts';
import { CandelaError } from '../../core/errors.ts';
import {
  type ColumnData,
  type ColumnKind,
  type DecimalColumn,
  lengthOf,
  type TextColumn,
} from '../../market/columns.ts';

/** Index = number in the file: only ever add at the end. */
const kinds: readonly ColumnKind[] = ['double', 'int64', 'decimal', 'text', 'boolean', 'timestamp'];

/** The column's header as four words; the second holds kind, flags and limbs. */
const headerWords = 4;
const nullsFlag = 1 << 8;
const limbsShift = 16;

/** Appends the column's pieces (together a multiple of 8 bytes) to `into`. Large arrays are referred to, not copied. */
export function encodeColumn(id: number, column: ColumnData, rowCount: number, into: Uint8Array[]): void {
  assert(lengthOf(column) === rowCount, `column ${id} has ${lengthOf(column)} of ${rowCount} rows`);
  const header = Uint32Array.of(id, kinds.indexOf(column.kind), 0, 0);
  into.push(bytesOf(header));
  switch (column.kind) {
    case 'double':
      into.push(bytesOf(column.values));
      return;
    case 'text':
      encodeText(column, rowCount, header, into);
      return;
    case 'decimal':
      encodeDecimal(column, header, into);
      break;
    default:
      pushPadded(bytesOf(column.values), into);
  }
  if (column.nulls === undefined) return;
  assert(column.nulls.length === rowCount, `column ${id} has ${column.nulls.length} of ${rowCount} nulls`);
  header[1] |= nullsFlag;
  pushPadded(column.nulls, into);
}

function encodeText(column: TextColumn, rowCount: number, header: Uint32Array, into: Uint8Array[]): void {
  const { dictionary, codes } = column.dictionary.length > rowCount ? withoutUnused(column) : column;
  const text = Buffer.from(dictionary.join(''), 'utf8');
  header[2] = dictionary.length;
  header[3] = text.length;
  pushPadded(bytesOf(Uint32Array.from(dictionary, (entry) => entry.length)), into);
  pushPadded(text, into);
  pushPadded(bytesOf(codes), into);
}

/** A batch cut out of a larger one keeps its dictionary, which may be many times the batch. */
function withoutUnused(column: TextColumn): TextColumn {
  const dictionary: string[] = [];
  const codeOf = new Map<number, number>();
  const codes = new Int32Array(column.codes.length);
  for (let row = 0; row < codes.length; row++) {
    const code = column.codes[row];
    let kept = code < 0 ? -1 : codeOf.get(code);
    if (kept === undefined) {
      kept = dictionary.push(column.dictionary[code]) - 1;
      codeOf.set(code, kept);
    }
    codes[row] = kept;
  }
  return { kind: 'text', dictionary, codes };
}

function encodeDecimal(column: DecimalColumn, header: Uint32Array, into: Uint8Array[]): void {
  const { coefficients, scales } = column;
  assert(scales.length === coefficients.length, `${scales.length} scales of ${coefficients.length} decimals`);
  let rest: readonly bigint[] = coefficients;
  let limbs = 0;
  for (let more = true; more; limbs++) {
    const low = BigInt64Array.from(rest);
    into.push(bytesOf(low));
    // A coefficient is told in full once reading its limbs back, sign-extended, gives it again.
    more = rest.some((value, row) => value !== low[row]);
    if (more) rest = rest.map((value) => value >> 64n);
  }
  header[1] |= limbs << limbsShift;
  pushPadded(scales, into);
}

/** Appends bytes and the zeros after them up to a multiple of 8. */
export function pushPadded(bytes: Uint8Array, into: Uint8Array[]): void {
  into.push(bytes);
  if (bytes.length % 8 !== 0) into.push(padding8(bytes.length));
}

/** Reads a frame's body front to back; throws `CORRUPT_WAL` rather than read past its end. */
export class BodyReader {
  readonly #bytes: Uint8Array;
  #offset: number;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  /** The next `byteLength` bytes as a view; the padding after them is skipped. */
  take(byteLength: number): Uint8Array {
    const start = this.#offset;
    const end = start + byteLength;
    if (end > this.#bytes.length) {
      throw new CandelaError(
        'CORRUPT_WAL',
        `a frame ends before the ${byteLength} bytes its header promises`,
      );
    }
    this.#offset = start + align8(byteLength);
    return this.#bytes.subarray(start, end);
  }

  /** The next `count` elements of a typed array: a view where the memory is aligned, else a copy. */
  array<T>(type: ArrayType<T>, count: number): T {
    const bytes = this.take(count * type.BYTES_PER_ELEMENT);
    const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
    return new type(aligned.buffer, aligned.byteOffset, count);
  }
}

interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** The next column of a body. */
export function decodeColumn(body: BodyReader, rowCount: number): { id: number; data: ColumnData } {
  const header = body.array(Uint32Array, headerWords);
  const kindNumber = header[1] & 0xff;
  const kind = kinds[kindNumber];
  if (kind === undefined) {
    throw new CandelaError('CORRUPT_WAL', `a column of kind ${kindNumber}, which this version does not know`);
  }
  return { id: header[0], data: decodeValues(kind, header, body, rowCount) };
}

function decodeValues(kind: ColumnKind, header: Uint32Array, body: BodyReader, rowCount: number): ColumnData {
  if (kind === 'double') return { kind, values: body.array(Float64Array, rowCount) };
  if (kind === 'text') return decodeText(header, body, rowCount);
  const column = decodeNullable(kind, header, body, rowCount);
  if (header[1] & nullsFlag) column.nulls = body.array(Uint8Array, rowCount);
  return column;
}

function decodeNullable(
  kind: Exclude<ColumnKind, 'double' | 'text'>,
  header: Uint32Array,
  body: BodyReader,
  rowCount: number,
): Exclude<ColumnData, { kind: 'double' | 'text' }> {
  switch (kind) {
    case 'boolean':
      return { kind, values: body.array(Uint8Array, rowCount) };
    case 'decimal': {
      const coefficients = decodeCoefficients(header[1] >>> limbsShift, body, rowCount);
      return { kind, coefficients, scales: body.array(Uint8Array, rowCount) };
    }
    default:
      return { kind, values: body.array(BigInt64Array, rowCount) };
  }
}

function decodeCoefficients(limbs: number, body: BodyReader, rowCount: number): bigint[] {
  const planes = Array.from({ length: limbs }, () => body.array(BigInt64Array, rowCount));
  const coefficients = Array.from(planes.pop() ?? []);
  for (let plane = planes.pop(); plane !== undefined; plane = planes.pop()) {
    for (let row = 0; row < rowCount; row++) {
      coefficients[row] = (coefficients[row] << 64n) | BigInt.asUintN(64, plane[row]);
    }
  }
  return coefficients;
}

function decodeText(header: Uint32Array, body: BodyReader, rowCount: number): TextColumn {
  const lengths = body.array(Uint32Array, header[2]);
  const utf8 = body.take(header[3]);
  const joined = Buffer.from(utf8.buffer, utf8.byteOffset, utf8.length).toString('utf8');
  const dictionary: string[] = [];
  let start = 0;
  for (const length of lengths) {
    dictionary.push(joined.slice(start, start + length));
    start += length;
  }
  return { kind: 'text', dictionary, codes: body.array(Int32Array, rowCount) };
}
