/** Copies of large files, piece by piece, with their checksum. */
import { dirname } from 'node:path';
import { crc32c } from '../../core/checksum.ts';
import { nodeFileSystem } from '../../core/file-system.ts';

const pieceBytes = 4 * 2 ** 20;

/** Where a copy comes from: its length and its pieces. */
export interface CopySource {
  bytes: number;
  read(position: number, length: number): Promise<Uint8Array>;
}

/** Reads everything in order. Returns the CRC-32C; `onPiece` gets each piece with its position. */
export async function readPieces(
  source: CopySource,
  onPiece: (piece: Uint8Array, position: number) => Promise<void> | void,
): Promise<number> {
  let checksum = 0;
  for (let position = 0; position < source.bytes; ) {
    const piece = await source.read(position, Math.min(pieceBytes, source.bytes - position));
    if (piece.length === 0) throw new Error(`the file ended at byte ${position} of ${source.bytes}`);
    checksum = crc32c(piece, checksum);
    await onPiece(piece, position);
    position += piece.length;
  }
  return checksum;
}

/**
 * Copies to a new file, in a directory that is made if need be, and syncs it. Its first piece, without which no program
 * takes the file for what it is, is written once the rest is on the disk. Returns the CRC-32C of what was copied.
 */
export async function copyTo(
  path: string,
  source: CopySource,
  onBytes: (count: number) => void,
): Promise<number> {
  await nodeFileSystem.makeDirectory(dirname(path));
  const file = await nodeFileSystem.open(path, 'create');
  try {
    let head: Uint8Array | undefined;
    const checksum = await readPieces(source, async (piece, position) => {
      if (position === 0) head = piece;
      else await file.write([piece], position);
      onBytes(piece.length);
    });
    await file.sync();
    if (head) await file.write([head], 0);
    await file.sync();
    return checksum;
  } finally {
    await file.close();
  }
}
