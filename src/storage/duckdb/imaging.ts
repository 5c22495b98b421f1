/**
 * An image of the database file as of a checkpoint, read while commits go on.
 *
 * Until the next checkpoint commits go to DuckDB's log, and what large ones write to the file meanwhile goes to blocks
 * that the last checkpoint does not refer to. So while checkpoints are held off, the file copied in any order is the
 * database as of the last one. The file is opened once and closed with the store: closing a descriptor of it before
 * would give up the process's lock.
 */
import { CandelaError } from '../../core/errors.ts';
import { type File, nodeFileSystem } from '../../core/file-system.ts';
import type { StorageImage } from '../storage.ts';
import { type CheckpointContext, databaseSize } from './checkpoints.ts';
import { type ColdFile, coldFolder } from './cold/cold-files.ts';
import { databaseFileName } from './database-file.ts';
import { storeError } from './errors.ts';

/** Checkpoints, so that the file holds everything; to be called while no commit and no sealing runs. */
export async function checkpointForImage({ writer, readers }: CheckpointContext): Promise<void> {
  try {
    await writer.run('CHECKPOINT');
  } catch (error) {
    throw storeError(error, 'checkpoint');
  }
  const { logBytes } = await databaseSize(readers);
  if (logBytes > 0) {
    throw new CandelaError(
      'WRITES_STOPPED',
      `the store's log still holds ${logBytes} bytes after a checkpoint`,
      {
        help: 'A long query may hold it; try again later.',
      },
    );
  }
}

/** The first `bytes` of the file as an image, and the cold files; `release` is called when it is closed. */
export function imageOf(
  file: File,
  bytes: number,
  cold: readonly ColdFile[],
  release: () => void,
): StorageImage {
  const pathOf = new Map(cold.map(({ name, path }) => [`${coldFolder}/${name}`, path]));
  return {
    files: [
      // Before the database that names them.
      ...cold.map((one) => ({ name: `${coldFolder}/${one.name}`, bytes: one.bytes })),
      { name: databaseFileName, bytes },
    ],
    read: (name, position, length) => {
      const path = pathOf.get(name);
      return path === undefined
        ? file.read(position, Math.min(length, bytes - position))
        : readPart(path, position, length);
    },
    close: async () => release(),
  };
}

async function readPart(path: string, position: number, length: number): Promise<Uint8Array> {
  const part = await nodeFileSystem.open(path, 'existing');
  try {
    return await part.read(position, length);
  } finally {
    await part.close();
  }
}

/** A descriptor for images. Not to be closed while DuckDB has the file open. */
export function openForImages(path: string): Promise<File> {
  return nodeFileSystem.open(path, 'existing');
}
