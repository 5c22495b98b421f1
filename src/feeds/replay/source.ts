/** What is in a recorded file: plain, gzip or zip, told apart by the first bytes and unpacked while it is read. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { openPromise } from 'yauzl';
import { CandelaError, toCandelaError } from '../../core/errors.ts';

/** A file, or one entry of a zip, to be read once: as UTF-8 text or as bytes. */
export interface TextPart {
  /** Its name without folders: formats find symbols and dates in it. */
  name: string;
  text: AsyncIterable<string>;
  bytes: AsyncIterable<Buffer>;
}

/** A recorded file. `parts` may be called again to read from the start. */
export interface TextSource {
  bytesTotal: number;
  /** Bytes of the file as it lies on the disk that the last call of `parts` has read. */
  bytesRead(): number;
  parts(): AsyncGenerator<TextPart>;
}

const pieceBytes = 1 << 18;

/** Finds out what the file is. Throws `FILE_NOT_FOUND`; parts throw `INVALID_ARGUMENT` if they cannot be unpacked. */
export async function openTextSource(path: string): Promise<TextSource> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new CandelaError('FILE_NOT_FOUND', `there is no file ${path}`);
  const kind = await packingOf(path);
  const progress = { bytesRead: () => 0 };
  return {
    bytesTotal: found.size,
    bytesRead: () => progress.bytesRead(),
    parts: () => (kind === 'zip' ? zipParts(path, found.size, progress) : filePart(path, kind, progress)),
  };
}

interface Progress {
  bytesRead: () => number;
}

async function packingOf(path: string): Promise<'plain' | 'gzip' | 'zip'> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (buffer[0] === 0x1f && buffer[1] === 0x8b) return 'gzip';
    return buffer.toString('latin1') === 'PK\x03\x04' ? 'zip' : 'plain';
  } finally {
    await file.close();
  }
}

async function* filePart(path: string, kind: 'plain' | 'gzip', progress: Progress): AsyncGenerator<TextPart> {
  const file = createReadStream(path, { highWaterMark: pieceBytes });
  progress.bytesRead = () => file.bytesRead;
  const gunzip = createGunzip({ chunkSize: pieceBytes });
  // Errors of both streams reach the reader of the last one.
  const stream = kind === 'gzip' ? pipeline(file, gunzip, () => undefined) : file;
  try {
    yield { name: basename(path), text: textOf(stream, path), bytes: bytesOf(stream, path) };
  } finally {
    file.destroy();
    gunzip.destroy();
  }
}

async function* zipParts(path: string, bytesTotal: number, progress: Progress): AsyncGenerator<TextPart> {
  const zip = await openPromise(path).catch((cause: unknown) => {
    throw cannotUnpack(path, cause);
  });
  let bytesDone = 0;
  progress.bytesRead = () => bytesDone;
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      const stream = await zip.openReadStreamPromise(entry);
      yield { name: basename(entry.fileName), text: textOf(stream, path), bytes: bytesOf(stream, path) };
      stream.destroy();
      bytesDone += entry.compressedSize;
    }
    // The rest of the file is the directory of the zip.
    bytesDone = bytesTotal;
  } finally {
    zip.close();
  }
}

async function* textOf(stream: Readable, path: string): AsyncGenerator<string> {
  try {
    yield* stream.setEncoding('utf8');
  } catch (cause) {
    throw cannotUnpack(path, cause);
  }
}

async function* bytesOf(stream: Readable, path: string): AsyncGenerator<Buffer> {
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (cause) {
    throw cannotUnpack(path, cause);
  }
}

function cannotUnpack(path: string, cause: unknown): CandelaError {
  const { message } = toCandelaError(cause);
  return new CandelaError('INVALID_ARGUMENT', `${path} cannot be read to its end: ${message}`, {
    help: 'Check that the file is whole.',
    cause,
  });
}
