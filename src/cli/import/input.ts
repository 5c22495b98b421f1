/** The bytes of a file to import, unpacked, with a count of how far the file has been read. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { openPromise } from 'yauzl';
import { CandelaError } from '../../core/errors.ts';

/** The formats `candela import` reads. */
export const importFormats = ['csv', 'ndjson', 'parquet', 'arrow'] as const;

/** One of {@link importFormats}. */
export type ImportFormat = (typeof importFormats)[number];

/** A file, or one entry of a zip. */
export interface InputPart {
  /** For messages: `trades.csv`, `day.zip/trades.csv`. */
  name: string;
  /** By its name's ending, or null when that tells nothing. */
  format: ImportFormat | null;
  bytes: AsyncIterable<Buffer>;
}

/** A file opened for import. */
export interface InputFile {
  sizeBytes: number;
  /** Bytes of the file, as it lies packed on the disk, that have been read. */
  bytesRead(): number;
  parts: AsyncIterable<InputPart>;
}

const endings: Record<string, ImportFormat> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  parquet: 'parquet',
  arrow: 'arrow',
  arrows: 'arrow',
  feather: 'arrow',
  ipc: 'arrow',
};

/** How much is read at a time. */
const pieceBytes = 256 * 1024;

/** The format that a file's name tells, behind `.gz`; null when it tells none. */
export function formatOf(name: string): ImportFormat | null {
  return endings[/\.(\w+)$/.exec(name.toLowerCase().replace(/\.gz$/, ''))?.[1] ?? ''] ?? null;
}

/** Opens a file by its path; `.gz` is unpacked, each file in a `.zip` is a part. Throws `FILE_NOT_FOUND`. */
export function openInput(path: string): InputFile {
  if (!existsSync(path) || !statSync(path).isFile()) {
    throw new CandelaError('FILE_NOT_FOUND', `there is no file ${path}`);
  }
  const sizeBytes = statSync(path).size;
  const progress: Progress = { bytesRead: () => 0 };
  const parts = path.toLowerCase().endsWith('.zip') ? zipParts(path, progress) : filePart(path, progress);
  return { sizeBytes, bytesRead: () => Math.min(progress.bytesRead(), sizeBytes), parts };
}

interface Progress {
  bytesRead(): number;
}

async function* filePart(path: string, progress: Progress): AsyncGenerator<InputPart> {
  const file = createReadStream(path, { highWaterMark: pieceBytes });
  progress.bytesRead = () => file.bytesRead;
  const name = basename(path);
  if (!/\.gz$/i.test(path)) yield { name, format: formatOf(path), bytes: file };
  else {
    const gunzip = createGunzip({ chunkSize: pieceBytes });
    // What goes wrong with the file or with unpacking it reaches the reader of the unpacked bytes.
    pipeline(file, gunzip, () => undefined);
    yield { name, format: formatOf(path), bytes: readable(gunzip, name) };
  }
}

async function* zipParts(path: string, progress: Progress): AsyncGenerator<InputPart> {
  const zip = await openPromise(path).catch((cause: unknown) => {
    throw cannotUnpack(basename(path), cause);
  });
  let doneBytes = 0;
  progress.bytesRead = () => doneBytes;
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      const name = `${basename(path)}/${entry.fileName}`;
      const stream = await zip.openReadStreamPromise(entry);
      yield { name, format: formatOf(entry.fileName), bytes: readable(stream, name) };
      doneBytes += entry.compressedSize;
    }
  } finally {
    zip.close();
  }
}

async function* readable(stream: Readable, name: string): AsyncGenerator<Buffer> {
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (cause) {
    throw cannotUnpack(name, cause);
  }
}

function cannotUnpack(name: string, cause: unknown): CandelaError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CandelaError('INVALID_ARGUMENT', `${name} cannot be unpacked: ${reason}`, {
    help: 'Check that the file is whole, and of the kind its name tells.',
    cause,
  });
}
