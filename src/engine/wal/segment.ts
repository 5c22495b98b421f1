/**
 * A segment: one file of the log, `wal-<first LSN, 16 digits>.log`: a header, then frames back to back.
 *
 * ```
 *  0  8 bytes "CANDELA\0"    8  u32 format version   12  u32 salt
 * 16  u64 first LSN         24  u32 zero             28  u32 CRC-32C of bytes 0…27
 * ```
 *
 * The header is on the disk, and the file in its directory, before the first frame is written. So a bad header in a
 * file that is longer is corruption, and a file no longer than a header holds nothing yet.
 *
 * Format versions: 1, the first; 2, whose frames may be amendments and may carry the answer to a batch.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { bytesOf, getUint53, setUint53 } from '../../core/bytes.ts';
import { crc32c } from '../../core/checksum.ts';
import type { FileSystem } from '../../core/file-system.ts';

/** Bytes of a segment's header. */
export const segmentHeaderBytes = 32;
const magic = Buffer.from('CANDELA\0', 'latin1');
const formatVersion = 2;
const formatVersionMin = 1;

/** What a segment's header says. */
export interface SegmentHeader {
  firstLsn: number;
  /**
   * Begins the checksum of every frame header, so that no bytes from elsewhere (a client's text, an older
   * segment) pass for a frame.
   */
  salt: number;
}

/** A segment's file. */
export interface SegmentFile {
  path: string;
  firstLsn: number;
}

/** The path of the segment that starts at `firstLsn`. */
export function segmentPath(directory: string, firstLsn: number): string {
  return join(directory, `wal-${String(firstLsn).padStart(16, '0')}.log`);
}

/** The segments of a directory, oldest first; empty if it does not exist. Other files are left alone. */
export async function listSegments(fileSystem: FileSystem, directory: string): Promise<SegmentFile[]> {
  const segments: SegmentFile[] = [];
  for (const name of await fileSystem.list(directory)) {
    const digits = /^wal-(\d{16})\.log$/.exec(name)?.[1];
    if (digits !== undefined) segments.push({ path: join(directory, name), firstLsn: Number(digits) });
  }
  return segments.sort((a, b) => a.firstLsn - b.firstLsn);
}

/** A header with a salt of its own, and its bytes. */
export function createSegmentHeader(firstLsn: number): { header: SegmentHeader; bytes: Uint8Array } {
  const salt = randomBytes(4).readUInt32LE();
  const view = new DataView(new ArrayBuffer(segmentHeaderBytes));
  const bytes = bytesOf(view);
  bytes.set(magic);
  view.setUint32(8, formatVersion, true);
  view.setUint32(12, salt, true);
  setUint53(view, 16, firstLsn);
  view.setUint32(28, crc32c(bytes.subarray(0, 28)), true);
  return { header: { firstLsn, salt }, bytes };
}

/** The header at the start of `bytes`, or in words what is wrong with it. */
export function readSegmentHeader(bytes: Uint8Array): SegmentHeader | string {
  if (bytes.length < segmentHeaderBytes) return `${bytes.length} bytes are too few for a segment header`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, segmentHeaderBytes);
  if (!magic.equals(bytes.subarray(0, magic.length))) return 'it does not start with the mark of a segment';
  if (view.getUint32(28, true) !== crc32c(bytes.subarray(0, 28)))
    return 'the segment header fails its checksum';
  const version = view.getUint32(8, true);
  if (version < formatVersionMin || version > formatVersion)
    return `format version ${version}; this program reads versions ${formatVersionMin} to ${formatVersion}`;
  return { firstLsn: getUint53(view, 16), salt: view.getUint32(12, true) };
}
