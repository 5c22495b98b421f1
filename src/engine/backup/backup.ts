/**
 * Backup and restore.
 *
 * A backup begins with a flush and a checkpoint in one turn of the commit queue: then the store's files hold exactly
 * the log up to one position, and no part of the log is needed. They are copied while writes, flushes and queries go
 * on.
 */
import { join } from 'node:path';
import { CandelaError } from '../../core/errors.ts';
import { nodeFileSystem, readWholeFile } from '../../core/file-system.ts';
import type { StorageImage } from '../../storage/storage.ts';
import type { BackupInfo, BackupOptions } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import type { Flusher } from '../flush/flusher.ts';
import { copyTo, readPieces } from './copy-file.ts';
import {
  type BackupFile,
  damaged,
  formatManifest,
  type Manifest,
  manifestName,
  parseManifest,
} from './manifest.ts';

/** See `Database.backup`. */
export async function backup(
  state: EngineState,
  flusher: Flusher,
  directory: string,
  options: BackupOptions,
): Promise<BackupInfo> {
  await makeEmpty(directory);
  const begin = async (): Promise<{ image: StorageImage; lsn: number }> => ({
    image: await state.storage.image(),
    lsn: state.flushedLsn,
  });
  const begun = await flusher.flush([], begin);
  if (!begun) throw new Error('BUG: a flush did not run what follows it');
  const { image, lsn } = begun;
  const bytes = image.files.reduce((sum, file) => sum + file.bytes, 0);
  const files: BackupFile[] = [];
  try {
    const onBytes = counter(bytes, options.onProgress);
    for (const { name, bytes: fileBytes } of image.files) {
      const read = (position: number, length: number): Promise<Uint8Array> =>
        image.read(name, position, length);
      const crc32c = await copyTo(join(directory, name), { bytes: fileBytes, read }, onBytes);
      files.push({ name, bytes: fileBytes, crc32c });
    }
  } finally {
    await image.close();
  }
  const createdAt = new Date(state.clock.nowMs()).toISOString();
  await writeManifest(directory, { format: 'candela-backup', version: 1, lsn, createdAt, files });
  return { lsn, bytes };
}

/**
 * Lays out a data directory from a backup, which is read twice: first to check it, then to copy it. Throws
 * `FILE_NOT_FOUND` if there is no complete backup, `CORRUPT_STORE` naming the file that is not as it was written, and
 * `INVALID_ARGUMENT` if the directory is not empty.
 */
export async function restore(
  source: string,
  directory: string,
  options: BackupOptions = {},
): Promise<BackupInfo> {
  const { lsn, files } = await readManifest(source);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const onBytes = counter(2 * bytes, options.onProgress);
  for (const file of files) {
    await withFile(source, file, (read) =>
      readPieces({ bytes: file.bytes, read }, (piece) => onBytes(piece.length)),
    );
  }
  await makeEmpty(directory);
  for (const file of files) {
    await withFile(source, file, (read) =>
      copyTo(join(directory, file.name), { bytes: file.bytes, read }, onBytes),
    );
  }
  await nodeFileSystem.syncDirectory(directory);
  return { lsn, bytes };
}

/** Runs `task`, which reads the whole file, and compares its checksum. */
async function withFile(
  directory: string,
  { name, bytes, crc32c }: BackupFile,
  task: (read: (position: number, length: number) => Promise<Uint8Array>) => Promise<number>,
): Promise<void> {
  const path = join(directory, name);
  const file = await nodeFileSystem.open(path, 'existing').catch((cause: unknown) => {
    throw damaged(path, 'the file cannot be opened', cause);
  });
  try {
    const size = await file.size();
    if (size !== bytes) throw damaged(path, `the file has ${size} bytes, not ${bytes}`);
    const found = await task((position, length) => file.read(position, length));
    if (found !== crc32c) throw damaged(path, 'the file fails its checksum');
  } finally {
    await file.close();
  }
}

async function readManifest(directory: string): Promise<Manifest> {
  const path = join(directory, manifestName);
  const bytes = await readWholeFile(path).catch((cause: unknown) => {
    throw new CandelaError('FILE_NOT_FOUND', `there is no backup in ${directory}: ${path} cannot be read`, {
      cause,
      help: 'Name the directory of a backup; one that was interrupted has no manifest and cannot be used.',
    });
  });
  return parseManifest(Buffer.from(bytes).toString('utf8'), path);
}

async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  await nodeFileSystem.syncDirectory(directory);
  const file = await nodeFileSystem.open(join(directory, manifestName), 'create');
  try {
    await file.write([Buffer.from(formatManifest(manifest))], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await nodeFileSystem.syncDirectory(directory);
}

async function makeEmpty(directory: string): Promise<void> {
  if ((await nodeFileSystem.list(directory)).length > 0) {
    throw new CandelaError('INVALID_ARGUMENT', `${directory} is not empty`, {
      help: 'Name a directory that is empty or not there yet.',
    });
  }
  await nodeFileSystem.makeDirectory(directory);
}

function counter(total: number, onProgress: BackupOptions['onProgress']): (count: number) => void {
  let done = 0;
  return (count) => {
    done += count;
    onProgress?.(done, total);
  };
}
