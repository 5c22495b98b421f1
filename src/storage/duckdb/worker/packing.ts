/**
 * Values → messages between threads.
 *
 * Columns are handed over, not serialised: their buffers move to the other thread, whole ones of a result themselves,
 * parts of the writer's memory as exact copies. (Posting a view as it is would copy the whole buffer below it,
 * twice.) What does not travel well is changed on the way: a text column leaves the texts behind that none of its rows
 * uses when it has more texts than rows, and decimals go as 64-bit words where they fit.
 */
import type { DecimalColumn, TextColumn } from '../../../market/columns.ts';
import type { StorageOp } from '../../storage.ts';

/** A value to post, and the buffers to hand over with it. */
export interface Parcel {
  value: unknown;
  transfer: ArrayBuffer[];
}

/** A decimal column on its way. */
interface PackedDecimals extends Omit<DecimalColumn, 'kind' | 'coefficients'> {
  kind: 'packed-decimal';
  words: BigInt64Array;
}

type Ownership = 'copy' | 'give';

type Append = Extract<StorageOp, { op: 'append' }>;

/**
 * Makes a value ready for the other thread: plain objects, arrays, maps, typed arrays, columns. With `copy` all arrays
 * stay the caller's but those that an append names as given; with `give` those of the value must not be used any more.
 */
export function pack(value: unknown, ownership: Ownership): Parcel {
  const buffers = new Set<ArrayBuffer>();
  return { value: packAs(value, ownership, buffers), transfer: [...buffers] };
}

function packAs(value: unknown, ownership: Ownership, buffers: Set<ArrayBuffer>): unknown {
  const replace = (object: object): unknown => {
    if (ArrayBuffer.isView(object)) return packView(object, ownership, buffers);
    if ('codes' in object) return packText(object as TextColumn, ownership, buffers);
    if ('given' in object) return packAppend(object as Append, buffers);
    const decimals = 'coefficients' in object ? packDecimals(object as DecimalColumn) : undefined;
    return decimals && mapObjects(decimals, replace);
  };
  return mapObjects(value, replace);
}

function packAppend({ given = [], columns, ...rest }: Append, buffers: Set<ArrayBuffer>): object {
  const ownership = (index: number): Ownership => (given.includes(index) ? 'give' : 'copy');
  return { ...rest, columns: columns.map((column, index) => packAs(column, ownership(index), buffers)) };
}

/** What {@link pack} was given. */
export function unpack(value: unknown): unknown {
  return mapObjects(value, (object) => {
    if (ArrayBuffer.isView(object)) return object;
    return 'words' in object ? unpackDecimals(object as PackedDecimals) : undefined;
  });
}

/** Replaces the objects within a value for which `replace` has something else; goes into plain objects and arrays. */
function mapObjects(value: unknown, replace: (object: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const replaced = replace(value);
  if (replaced !== undefined) return replaced;
  if (Array.isArray(value)) {
    // Long arrays hold texts or numbers, of which there is nothing to replace.
    return typeof value[0] === 'object' ? value.map((item) => mapObjects(item, replace)) : value;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapObjects(item, replace)]));
}

type TypedArray = Uint8Array | Int32Array | Float64Array | BigInt64Array;

function packView(view: ArrayBufferView, ownership: Ownership, buffers: Set<ArrayBuffer>): object {
  const array = view as TypedArray;
  const isWhole = array.byteLength === array.buffer.byteLength;
  // A Buffer's own `slice` copies nothing.
  const given =
    ownership === 'give' && isWhole ? array : (Uint8Array.prototype.slice.call(array) as TypedArray);
  buffers.add(given.buffer as ArrayBuffer);
  return given;
}

function packText(column: TextColumn, ownership: Ownership, buffers: Set<ArrayBuffer>): TextColumn {
  const { dictionary, codes } = column.dictionary.length > column.codes.length ? usedTexts(column) : column;
  return { kind: 'text', dictionary, codes: packView(codes, ownership, buffers) as Int32Array };
}

/** The same rows over a dictionary of the texts they use. */
function usedTexts({ dictionary, codes }: TextColumn): TextColumn {
  const used: string[] = [];
  const numberOf = new Map<number, number>();
  const renumbered = codes.map((code) => {
    if (code < 0) return code;
    let number = numberOf.get(code);
    if (number === undefined) {
      number = used.push(dictionary[code]) - 1;
      numberOf.set(code, number);
    }
    return number;
  });
  return { kind: 'text', dictionary: used, codes: renumbered };
}

/** Undefined if a coefficient is beyond 64 bits. */
function packDecimals({ coefficients, ...rest }: DecimalColumn): PackedDecimals | undefined {
  const words = new BigInt64Array(coefficients.length);
  for (let row = 0; row < words.length; row++) {
    words[row] = coefficients[row];
    if (words[row] !== coefficients[row]) return undefined;
  }
  return { ...rest, kind: 'packed-decimal', words };
}

function unpackDecimals({ words, ...rest }: PackedDecimals): DecimalColumn {
  const coefficients = new Array<bigint>(words.length);
  for (let row = 0; row < words.length; row++) coefficients[row] = words[row];
  return { ...rest, kind: 'decimal', coefficients };
}
