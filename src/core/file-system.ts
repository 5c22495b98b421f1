/**
 * The only door to the disk for what must survive a crash. The real one stands on `node:fs/promises`; tests put a
 * simulated disk behind it that tears, loses and flips bytes and runs full (`testing/sim-disk.ts`).
 */
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CandelaError } from './errors.ts';

/** An open file. Reads and writes name their position; there is no cursor. */
export interface File {
  /**
   * Up to `length` bytes from `position`, fewer only at the end of the file; a fresh buffer whose first byte is
   * 8-aligned.
   */
  read(position: number, length: number): Promise<Uint8Array>;
  /**
   * Writes the chunks one after the other from `position`: all, or it throws and any part of them may be in the
   * file.
   */
  write(chunks: readonly Uint8Array[], position: number): Promise<void>;
  size(): Promise<number>;
  /** Cuts the file to `byteLength` bytes. */
  truncate(byteLength: number): Promise<void>;
  /** `fdatasync`: what was written, and the file's length, survive a power loss once this resolves. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What storage formats need of a file system. Errors are the platform's own (`ENOSPC`, `ENOENT`, …). */
export interface FileSystem {
  /**
   * Opens for reading and writing; `create` makes the file anew, empty, `existing` throws `ENOENT` if it is not
   * there.
   */
  open(path: string, mode: 'existing' | 'create'): Promise<File>;
  /** Names of the entries, unordered; empty if there is no such directory. */
  list(directory: string): Promise<string[]>;
  /**
   * Makes the directory and its missing parents, each durable in its own parent. Throws `INVALID_ARGUMENT` where there
   * can be none.
   */
  makeDirectory(path: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** Makes creations and removals in the directory durable. */
  syncDirectory(path: string): Promise<void>;
}

/** The machine's own disk. */
export const nodeFileSystem: FileSystem = {
  open: async (path, mode) => {
    const create = mode === 'create' ? constants.O_CREAT | constants.O_TRUNC : 0;
    return nodeFile(await fs.open(path, constants.O_RDWR | create));
  },
  list: async (directory) => {
    try {
      return await fs.readdir(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  },
  makeDirectory: async (path) => {
    try {
      await makeWithParents(resolve(path));
    } catch (cause) {
      const message = `there can be no directory ${path}: ${(cause as Error).message}`;
      throw new CandelaError('INVALID_ARGUMENT', message, {
        cause,
        help: 'Name one on a disk that can be written to.',
      });
    }
  },
  remove: (path) => fs.unlink(path),
  syncDirectory,
};

function nodeFile(handle: fs.FileHandle): File {
  return {
    read: async (position, length) => {
      // Not from Buffer's shared pool: the caller may keep views into it, and needs its first byte aligned.
      const buffer = Buffer.allocUnsafeSlow(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return new Uint8Array(buffer.buffer, 0, filled);
    },
    write: async (chunks, position) => {
      let rest = chunks;
      let at = position;
      while (rest.length > 0) {
        const { bytesWritten } = await handle.writev(rest, at);
        if (bytesWritten === 0 && rest.some((chunk) => chunk.length > 0))
          throw new Error('the disk took no bytes');
        at += bytesWritten;
        rest = without(rest, bytesWritten);
      }
    },
    size: async () => (await handle.stat()).size,
    truncate: (byteLength) => handle.truncate(byteLength),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

/** What is left of the chunks after their first `byteCount` bytes; empty chunks at the front go too. */
function without(chunks: readonly Uint8Array[], byteCount: number): readonly Uint8Array[] {
  let index = 0;
  let left = byteCount;
  while (index < chunks.length && left >= chunks[index].length) left -= chunks[index++].length;
  if (left === 0) return chunks.slice(index);
  return [chunks[index].subarray(left), ...chunks.slice(index + 1)];
}

/** By hand, because `recursive` of Node 20 tries for ever where a parent takes no directories, as /proc does not. */
async function makeWithParents(path: string): Promise<void> {
  if (!(await tryMake(path))) {
    await makeWithParents(dirname(path));
    if (!(await tryMake(path))) throw new Error(`${dirname(path)} takes none`);
  }
  // If it was there already, whoever made it may have been killed before syncing its parent.
  await syncDirectory(dirname(path));
}

/** False if its parent is missing. */
async function tryMake(path: string): Promise<boolean> {
  try {
    await fs.mkdir(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path) return false;
    if (code === 'EEXIST' && (await fs.stat(path)).isDirectory()) return true;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory; NTFS journals its entries itself.
  if (process.platform === 'win32') return;
  const handle = await fs.open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A whole small file, such as a certificate. Errors are the platform's own. */
export function readWholeFile(path: string): Promise<Uint8Array> {
  return fs.readFile(path);
}

/** Removes a file, or a directory with all that is in it; nothing if it is not there. */
export function removeTree(path: string): Promise<void> {
  return fs.rm(path, { recursive: true, force: true });
}

/** Bytes that may still be written to the disk that holds the path. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await fs.statfs(path);
  return bavail * bsize;
}
