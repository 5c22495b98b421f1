/** Cuts a stream of bytes into chunks of whole lines, so that each can be decoded by itself. */
import { CandelaError } from '../../core/errors.ts';

const newline = 0x0a;
const quote = 0x22;

/** How to cut. */
export interface ChunkOptions {
  /** A chunk is handed on from this size. */
  bytesMin: number;
  /** A record longer than this is refused with `LIMIT_EXCEEDED`. */
  bytesMax: number;
  /** CSV: a line feed between double quotes belongs to the record. */
  quoted: boolean;
}

/** Chunks of about `bytesMin`, each ending where a record ends; the last one may lack its line feed. */
export async function* wholeLines(
  input: AsyncIterable<Buffer>,
  options: ChunkOptions,
): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const piece of input) {
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes < options.bytesMin) continue;
    const bytes = Buffer.concat(held);
    const end = options.quoted ? lastRecordEnd(bytes) : bytes.lastIndexOf(newline) + 1;
    if (end === 0 && heldBytes > options.bytesMax) {
      throw new CandelaError('LIMIT_EXCEEDED', `a record is longer than ${options.bytesMax} bytes`, {
        help: 'Check the format and, in a CSV file, for a double quote that is never closed.',
      });
    }
    if (end > 0) yield bytes.subarray(0, end);
    held = [bytes.subarray(end)];
    heldBytes = bytes.length - end;
  }
  if (heldBytes > 0) yield Buffer.concat(held);
}

/** Behind the last line feed outside quotes; 0 if there is none. Bytes begin outside quotes. */
function lastRecordEnd(bytes: Buffer): number {
  if (!bytes.includes(quote)) return bytes.lastIndexOf(newline) + 1;
  let end = 0;
  let inside = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    // A doubled quote inside a quoted field toggles twice and so changes nothing.
    if (byte === quote) inside = !inside;
    else if (byte === newline && !inside) end = at + 1;
  }
  return end;
}
