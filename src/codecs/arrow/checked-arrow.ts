/**
 * Checks an Arrow IPC stream or file before the Arrow library sees it.
 *
 * The library trusts the lengths in a message's metadata, so that four wrong bytes make it build lists until memory
 * ends and the process with it. This walks the same FlatBuffers (Message.fbs, Schema.fbs and File.fbs of the Arrow
 * format) and makes sure that every vector lies within its message, that columns are flat, and that no more rows are
 * claimed than are allowed.
 *
 * ```
 * message  := ffffffff length:i32 metadata:length body:(bodyLength of the metadata)
 * stream   := message* (ffffffff 00000000)?
 * file     := 'ARROW1' 00 00 message* footer length:i32 'ARROW1'      the footer says where the messages are
 * ```
 */
import { CandelaError } from '../../core/errors.ts';
import { FlatBuffer } from './flat-buffer.ts';

const continuation = 0xffffffff;
const fileMagic = 'ARROW1';
/** Types of a message's header. */
const headers = { schema: 1, dictionaryBatch: 2, recordBatch: 3 };

/** Types of columns: all but the nested ones, which no table of ours has. */
const flatTypes = new Set([
  1, // Null
  2, // Int
  3, // FloatingPoint
  4, // Binary
  5, // Utf8
  6, // Bool
  7, // Decimal
  8, // Date
  9, // Time
  10, // Timestamp
  18, // Duration
  19, // LargeBinary
  20, // LargeUtf8
  23, // BinaryView
  24, // Utf8View
]);
const timestampType = 10;

/** What of a message matters to its surroundings. `rowCount` is 0 for all but record batches. */
interface MessageSize {
  /** Bytes from the message's beginning to the next; 0 for the end of the stream. */
  byteLength: number;
  rowCount: number;
}

/** Makes the error for bytes that are not what they should be. */
export function damagedArrow(reason: string, cause?: unknown): CandelaError {
  return new CandelaError('SYNTAX', `Arrow: ${reason}`, {
    cause,
    help: 'Send an uncompressed Arrow IPC stream or file.',
  });
}

/** Makes the error for bytes that are not all there. */
function cutArrow(bytes: Uint8Array, where: string): CandelaError {
  return new CandelaError('SYNTAX', `Arrow: cut short: it ends after ${bytes.length} bytes, ${where}`, {
    help: 'Send the whole stream or file: the end is missing.',
  });
}

/** Throws `SYNTAX` when the bytes cannot be read safely as a stream or file, `LIMIT_EXCEEDED` at too many rows. */
export function checkArrow(bytes: Uint8Array, rowsMax: number): void {
  if (bytes.length === 0) throw cutArrow(bytes, 'before it begins');
  const messages =
    latin1(bytes, 0, fileMagic.length) === fileMagic ? fileMessages(bytes) : streamMessages(bytes);
  let rows = 0;
  for (const { rowCount } of messages) {
    rows += rowCount;
    if (rows > rowsMax) throw new CandelaError('LIMIT_EXCEEDED', `more than ${rowsMax} rows in one write`);
  }
}

function* streamMessages(bytes: Uint8Array): Generator<MessageSize> {
  for (let at = 0; at < bytes.length; ) {
    const message = checkMessage(bytes, at);
    if (message.byteLength === 0) return;
    yield message;
    at += message.byteLength;
  }
}

function* fileMessages(bytes: Uint8Array): Generator<MessageSize> {
  const tail = bytes.length - fileMagic.length - 4;
  if (tail < 0 || latin1(bytes, tail + 4, bytes.length) !== fileMagic)
    throw cutArrow(bytes, 'without the footer that ends a file');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getInt32(tail, true);
  if (length < 0 || length > tail) throw damagedArrow('a file whose footer is longer than itself');
  const footer = new FlatBuffer(bytes.subarray(tail - length, tail), damagedArrow);
  const root = footer.root();
  const schema = footer.child(root, 1);
  if (schema !== 0) checkSchema(footer, schema);
  const blocks: number[] = [];
  for (const field of [2, 3]) {
    footer.vector(root, field, 24, (at) => blocks.push(footer.countAt(at, 'a block offset')));
  }
  checkMetadata(footer, root, 4);
  for (const block of blocks) yield checkMessage(bytes, block);
}

/** Checks the message that begins at `at`. */
function checkMessage(bytes: Uint8Array, at: number): MessageSize {
  const cut = () => cutArrow(bytes, `within the message that begins at byte ${at}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + 4 > bytes.length) throw cut();
  // Writers before 2019 left the continuation marker out.
  const prefix = view.getUint32(at, true) === continuation ? 8 : 4;
  if (at + prefix > bytes.length) throw cut();
  const length = view.getInt32(at + prefix - 4, true);
  if (length === 0) return { byteLength: 0, rowCount: 0 };
  const from = at + prefix;
  if (length < 0 || from + length > bytes.length) throw cut();
  const buffer = new FlatBuffer(bytes.subarray(from, from + length), damagedArrow);
  const message = buffer.root();
  const bodyLength = buffer.count(message, 3, 'a body length');
  if (from + length + bodyLength > bytes.length) throw cut();
  checkMetadata(buffer, message, 4);
  return { byteLength: prefix + length + bodyLength, rowCount: checkHeader(buffer, message, bodyLength) };
}

function checkHeader(buffer: FlatBuffer, message: number, bodyLength: number): number {
  const header = buffer.child(message, 2);
  if (header === 0) throw damagedArrow('a message without content');
  const kind = buffer.byte(message, 1);
  switch (kind) {
    case headers.schema:
      checkSchema(buffer, header);
      return 0;
    case headers.dictionaryBatch: {
      const batch = buffer.child(header, 1);
      if (batch === 0) throw damagedArrow('a dictionary without values');
      checkBatch(buffer, batch, bodyLength);
      return 0;
    }
    case headers.recordBatch:
      return checkBatch(buffer, header, bodyLength);
    default:
      throw damagedArrow(`a message of unknown type ${kind}`);
  }
}

function checkSchema(buffer: FlatBuffer, schema: number): void {
  buffer.vector(schema, 1, 4, (at) => checkColumn(buffer, buffer.tableAt(at)));
  checkMetadata(buffer, schema, 2);
  buffer.vector(schema, 3, 8);
}

function checkColumn(buffer: FlatBuffer, column: number): void {
  buffer.vector(column, 0, 1);
  const type = buffer.byte(column, 2);
  if (!flatTypes.has(type)) throw damagedArrow(`a column of a nested or unknown type (number ${type})`);
  const details = buffer.child(column, 3);
  if (details === 0) throw damagedArrow('a column without a type');
  if (type === timestampType) buffer.vector(details, 1, 1);
  const dictionary = buffer.child(column, 4);
  if (dictionary !== 0) buffer.child(dictionary, 1);
  buffer.vector(column, 5, 4, () => {
    throw damagedArrow('a column within a column');
  });
  checkMetadata(buffer, column, 6);
}

/** Returns the row count. A row of any column takes at least a bit of the body, except where all are null. */
function checkBatch(buffer: FlatBuffer, batch: number, bodyLength: number): number {
  const rowCount = buffer.count(batch, 0, 'a row count');
  const lengthMax = Math.max(rowCount, bodyLength * 8);
  buffer.vector(batch, 1, 16, (at) => {
    if (buffer.countAt(at, 'a column length') > lengthMax)
      throw damagedArrow('a column longer than its bytes');
  });
  let buffers = 0;
  buffer.vector(batch, 2, 16, (at) => {
    buffers++;
    const end = buffer.countAt(at, 'a buffer offset') + buffer.countAt(at + 8, 'a buffer length');
    if (end > bodyLength) throw damagedArrow('a buffer outside its message');
  });
  buffer.child(batch, 3);
  buffer.vector(batch, 4, 8, (at) => {
    if (buffer.countAt(at, 'a buffer count') > buffers)
      throw damagedArrow('a column of more buffers than there are');
  });
  return rowCount;
}

/** A vector of key-value pairs of strings. */
function checkMetadata(buffer: FlatBuffer, table: number, field: number): void {
  buffer.vector(table, field, 4, (at) => {
    const pair = buffer.tableAt(at);
    buffer.vector(pair, 0, 1);
    buffer.vector(pair, 1, 1);
  });
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', from, to);
}
