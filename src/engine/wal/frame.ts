/**
 * A frame: one accepted batch for one table, or one amendment of its rows, as it lies in the log. Little-endian, a
 * multiple of 8 bytes long, at a multiple of 8 in its file.
 *
 * ```
 *  0  u32 magic             4  u32 CRC-32C of bytes 8…63, begun with the segment's salt
 *  8  u32 CRC-32C of the body (bytes 64 to the end)       12  u32 length of the frame
 * 16  u64 LSN              24  u64 synced LSN: the last frame known to be on the disk when this one was written
 * 32  u32 table            36  u32 rows                   40  u32 first series       44  u32 new series
 * 48  u16 key columns      50  u16 columns                52  u32 bytes of the batch id
 * 56  u8 kind (0 rows, 1 amendment)    57  u8 1 if an answer follows the batch id        58  zeros
 * 64  batch id (UTF-8) · answer (3 × u32: rows, duplicates, corrected) · rows × i32 series · key columns · columns
 *     each padded to 8, see column-codec.ts
 * ```
 *
 * The rows of an *amendment* are in the table already. Two columns with ids of their own say which and how: their
 * arrival numbers, and 1 for those that are taken away, 0 for those that get the values in the other columns.
 *
 * Two checksums, because they are made at different times: the body's when the batch is appended, the header's when
 * the frame is written and the segment and the synced LSN are known. What the synced LSN is for: reader.ts.
 */
import { assert } from '../../core/assert.ts';
import { bytesOf, getUint53, setUint53 } from '../../core/bytes.ts';
import { crc32c } from '../../core/checksum.ts';
import { CandelaError } from '../../core/errors.ts';
import { walFrameBytesMax } from '../../core/limits.ts';
import { type ColumnData, lengthOf } from '../../market/columns.ts';
import { BodyReader, decodeColumn, encodeColumn, pushPadded } from './column-codec.ts';

/** What the writer of a batch with an id was told: how many rows were new, known already, and corrections. */
export interface BatchAnswer {
  rowCount: number;
  duplicates: number;
  corrected: number;
}

/** Column ids in amendments: arrival number (int64), and whether the row is taken away (boolean). */
export const amendmentColumns = { arrival: 0xffff_fffe, isGone: 0xffff_ffff } as const;

/** Index = number in the file. */
const frameKinds = ['rows', 'amendment'] as const;

/** What is logged: one accepted batch for one table, or one amendment. */
export interface WalFrame {
  /** Consecutive from 1, assigned by the writer in the order of the appends. */
  lsn: number;
  kind: (typeof frameKinds)[number];
  /** Table id. */
  table: number;
  rowCount: number;
  /** Series first seen in this batch have the numbers firstSeries, firstSeries + 1, … */
  firstSeries: number;
  /** Their key values, one column per key column; empty if the table has no series key. */
  newSeries: ColumnData[];
  /** Series number of each row. */
  series: Int32Array;
  /** Values by column id, in any order: includes the time column; key columns are not repeated. */
  columns: { id: number; data: ColumnData }[];
  /** The client's batch id, empty if none … */
  batchId: string;
  /** … and with it the answer to the batch, in its last frame; else null. */
  answer: BatchAnswer | null;
}

/** Bytes of a frame's header. */
export const frameHeaderBytes = 64;
/** `CWF1` in the file's order. */
const magic = 0x31465743;
/** Arrays below this are copied together: a chunk of its own costs more than copying it. */
const copiedBytesMax = 4096;

/** What the log needs to know of a frame without decoding it; the fields are those of the picture above. */
export interface FrameHeader {
  lsn: number;
  syncedLsn: number;
  byteLength: number;
  bodyCrc: number;
}

/**
 * The frame's bytes in chunks for one vectored write; together a multiple of 8. Large arrays of the batch are
 * referred to, so they
 * must not change until the write is done. The first chunk starts with the header, whose own checksum is still to be
 * set by {@link stampHeader}. Throws `LIMIT_EXCEEDED` beyond `walFrameBytesMax`. Text is kept as UTF-8: lone
 * surrogates come back as U+FFFD.
 */
export function encodeFrame(frame: Omit<WalFrame, 'lsn'>, lsn: number): Uint8Array[] {
  assert(frame.series.length === frame.rowCount, `${frame.series.length} series of ${frame.rowCount} rows`);
  const header = new DataView(new ArrayBuffer(frameHeaderBytes));
  const batchId = Buffer.from(frame.batchId, 'utf8');
  const newSeriesCount = frame.newSeries.length === 0 ? 0 : lengthOf(frame.newSeries[0]);
  const pieces: Uint8Array[] = [bytesOf(header)];
  pushPadded(batchId, pieces);
  if (frame.answer) {
    const { rowCount, duplicates, corrected } = frame.answer;
    pushPadded(bytesOf(Uint32Array.of(rowCount, duplicates, corrected)), pieces);
  }
  pushPadded(bytesOf(frame.series), pieces);
  frame.newSeries.forEach((column, index) => {
    encodeColumn(index, column, newSeriesCount, pieces);
  });
  for (const { id, data } of frame.columns) encodeColumn(id, data, frame.rowCount, pieces);

  header.setUint32(0, magic, true);
  setUint53(header, 16, lsn);
  header.setUint32(32, frame.table, true);
  header.setUint32(36, frame.rowCount, true);
  header.setUint32(40, frame.firstSeries, true);
  header.setUint32(44, newSeriesCount, true);
  header.setUint16(48, frame.newSeries.length, true);
  header.setUint16(50, frame.columns.length, true);
  header.setUint32(52, batchId.length, true);
  header.setUint8(56, frameKinds.indexOf(frame.kind));
  header.setUint8(57, frame.answer ? 1 : 0);
  return seal(pieces);
}

/** Joins small pieces into chunks and sets the length and the body's checksum in the header. */
function seal(pieces: readonly Uint8Array[]): Uint8Array[] {
  const byteLength = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (byteLength > walFrameBytesMax) {
    throw new CandelaError(
      'LIMIT_EXCEEDED',
      `a batch of ${byteLength} bytes; one write holds ${walFrameBytesMax}`,
      {
        help: 'Split the batch.',
      },
    );
  }
  const chunks = joinSmallChunks(pieces);
  const header = new DataView(chunks[0].buffer, chunks[0].byteOffset, frameHeaderBytes);
  let bodyCrc = crc32c(chunks[0].subarray(frameHeaderBytes));
  for (let i = 1; i < chunks.length; i++) bodyCrc = crc32c(chunks[i], bodyCrc);
  header.setUint32(8, bodyCrc, true);
  header.setUint32(12, byteLength, true);
  return chunks;
}

/**
 * The same bytes in fewer chunks: neighbours too small to be worth a place of their own in a vectored write are
 * copied together.
 */
export function joinSmallChunks(chunks: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  for (let from = 0; from < chunks.length; ) {
    let to = from;
    let byteLength = 0;
    while (to < chunks.length && chunks[to].length < copiedBytesMax) byteLength += chunks[to++].length;
    if (byteLength > 0) joined.push(concat(chunks, from, to, byteLength));
    if (to < chunks.length) joined.push(chunks[to++]);
    from = to;
  }
  return joined;
}

function concat(chunks: readonly Uint8Array[], from: number, to: number, byteLength: number): Uint8Array {
  const joined = Buffer.allocUnsafe(byteLength);
  let at = 0;
  for (let i = from; i < to; i++) {
    joined.set(chunks[i], at);
    at += chunks[i].length;
  }
  return joined;
}

/** Completes the header at the start of a frame's first chunk for the segment it is about to be written to. */
export function stampHeader(firstChunk: Uint8Array, syncedLsn: number, salt: number): void {
  const header = new DataView(firstChunk.buffer, firstChunk.byteOffset, frameHeaderBytes);
  setUint53(header, 24, syncedLsn);
  header.setUint32(4, crc32c(firstChunk.subarray(8, frameHeaderBytes), salt), true);
}

/** The header at `offset`, or null unless a whole one with the right checksum stands there. */
export function readHeader(bytes: Uint8Array, offset: number, salt: number): FrameHeader | null {
  if (offset + frameHeaderBytes > bytes.length) return null;
  const header = new DataView(bytes.buffer, bytes.byteOffset + offset, frameHeaderBytes);
  if (header.getUint32(0, true) !== magic) return null;
  const crc = crc32c(bytes.subarray(offset + 8, offset + frameHeaderBytes), salt);
  if (header.getUint32(4, true) !== crc) return null;
  return {
    lsn: getUint53(header, 16),
    syncedLsn: getUint53(header, 24),
    byteLength: header.getUint32(12, true),
    bodyCrc: header.getUint32(8, true),
  };
}

/** The header of the frame at `offset`, or null unless header and body are there with the right checksums. */
export function readWholeFrame(bytes: Uint8Array, offset: number, salt: number): FrameHeader | null {
  const header = readHeader(bytes, offset, salt);
  if (header === null) return null;
  const end = offset + header.byteLength;
  const isWhole =
    end <= bytes.length && crc32c(bytes.subarray(offset + frameHeaderBytes, end)) === header.bodyCrc;
  return isWhole ? header : null;
}

/**
 * The frame whose bytes these are; checksums are the caller's business. Its typed arrays are views of `bytes` where
 * that memory is 8-aligned. Throws `CORRUPT_WAL` if the parts do not fit together.
 */
export function decodeFrame(bytes: Uint8Array): WalFrame {
  if (bytes.length < frameHeaderBytes)
    throw new CandelaError('CORRUPT_WAL', 'a frame shorter than its header');
  const header = new DataView(bytes.buffer, bytes.byteOffset, frameHeaderBytes);
  const body = new BodyReader(bytes, frameHeaderBytes);
  const rowCount = header.getUint32(36, true);
  const newSeriesCount = header.getUint32(44, true);
  const batchId = body.take(header.getUint32(52, true));
  return {
    lsn: getUint53(header, 16),
    kind: kindOf(header.getUint8(56)),
    table: header.getUint32(32, true),
    rowCount,
    firstSeries: header.getUint32(40, true),
    batchId: Buffer.from(batchId).toString('utf8'),
    answer: header.getUint8(57) === 1 ? decodeAnswer(body) : null,
    series: body.array(Int32Array, rowCount),
    newSeries: Array.from(
      { length: header.getUint16(48, true) },
      () => decodeColumn(body, newSeriesCount).data,
    ),
    columns: Array.from({ length: header.getUint16(50, true) }, () => decodeColumn(body, rowCount)),
  };
}

function kindOf(number: number): WalFrame['kind'] {
  const kind = frameKinds[number];
  if (kind === undefined)
    throw new CandelaError('CORRUPT_WAL', `a frame of kind ${number}, which this version does not know`);
  return kind;
}

function decodeAnswer(body: BodyReader): BatchAnswer {
  const [rowCount, duplicates, corrected] = body.array(Uint32Array, 3);
  return { rowCount, duplicates, corrected };
}
