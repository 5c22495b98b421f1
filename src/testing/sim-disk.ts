/**
 * A disk in memory that misbehaves on request, for crash tests.
 *
 * It keeps two states: what programs see, and what would survive a power loss. A sync carries the first over to
 * the second. What was not synced when the power goes is decided by a seeded draw: of each write some 64-byte sectors
 * reach the disk and others do not, in no order; a truncation, a creation or a removal did happen or did not. A sync
 * that fails is as bad as on Linux: the pages are drawn for in the same way, and count as clean afterwards, so that
 * a later sync does not write them again.
 */
import { dirname } from 'node:path';
import type { File, FileSystem } from '../core/file-system.ts';
import type { Prng } from '../core/prng.ts';

const sectorBytes = 64;

/** What can be made to fail. */
export type SimOperation = 'open' | 'read' | 'write' | 'truncate' | 'sync' | 'remove' | 'syncDirectory';

/** The disk, and the levers of the test. */
export interface SimDisk {
  fileSystem: FileSystem;
  /** Called before each operation; if it throws, the operation fails with that, a write after doing a part. */
  beforeOperation: (operation: SimOperation, path: string) => void | Promise<void>;
  /** Bytes all files together may have; writes beyond do what fits, then throw `ENOSPC`. */
  capacityBytes: number;
  /** Operations done so far, by kind. */
  counts: Record<SimOperation, number>;
  /** From now on every operation hangs for ever: the machine is off. */
  powerOff(): void;
  /** The disk as the machine finds it when it comes up again: what survived. The old object stays dead. */
  restart(): SimDisk;
  /** The disk as another process on the same machine finds it after this one was killed: all that was written. */
  reopen(): SimDisk;
  /** The bytes of a file as programs see them, a copy. Throws if there is none. */
  contents(path: string): Uint8Array;
  /** Puts a file there, synced. */
  put(path: string, bytes: Uint8Array): void;
  /** Paths of all files. */
  paths(): string[];
}

type Change = { position: number; bytes: Uint8Array } | { length: number };

interface Inode {
  seen: Uint8Array;
  synced: Uint8Array;
  unsynced: Change[];
}

interface State {
  seen: Map<string, Inode>;
  synced: Map<string, Inode>;
}

/** An empty disk; `prng` decides what survives. */
export function createSimDisk(prng: Prng): SimDisk {
  return simDisk(prng, { seen: new Map(), synced: new Map() });
}

function simDisk(prng: Prng, state: State): SimDisk {
  let isOff = false;
  const disk: SimDisk = {
    fileSystem: {} as FileSystem,
    beforeOperation: () => undefined,
    capacityBytes: Number.POSITIVE_INFINITY,
    counts: { open: 0, read: 0, write: 0, truncate: 0, sync: 0, remove: 0, syncDirectory: 0 },
    powerOff: () => {
      isOff = true;
    },
    restart: () => {
      isOff = true;
      return simDisk(prng, afterPowerLoss(state, prng));
    },
    reopen: () => {
      isOff = true;
      return simDisk(prng, state);
    },
    contents: (path) => inodeAt(state, path).seen.slice(),
    put: (path, bytes) => {
      const inode = { seen: bytes.slice(), synced: bytes.slice(), unsynced: [] };
      state.seen.set(path, inode);
      state.synced.set(path, inode);
    },
    paths: () => [...state.seen.keys()].sort(),
  };

  /** Lets other work run in between, as a real disk does; hangs when the power is off. */
  const perform: Perform = async (operation, path, act, onFailure) => {
    await Promise.resolve();
    if (isOff) return hang();
    disk.counts[operation]++;
    try {
      await disk.beforeOperation(operation, path);
    } catch (error) {
      onFailure?.();
      throw error;
    }
    // The power may go in the middle of a write; of the other operations, before.
    if (isOff && operation !== 'write') return hang();
    const result = act();
    return isOff ? hang() : result;
  };
  disk.fileSystem = createFileSystem(disk, state, prng, perform);
  return disk;
}

type Perform = <T>(operation: SimOperation, path: string, act: () => T, onFailure?: () => void) => Promise<T>;

function hang(): Promise<never> {
  return new Promise(() => undefined);
}

function createFileSystem(disk: SimDisk, state: State, prng: Prng, perform: Perform): FileSystem {
  return {
    open: (path, mode) =>
      perform('open', path, () => {
        if (mode === 'create') create(state, path);
        return simFile(disk, state, path, prng, perform);
      }),
    list: async (directory) => {
      const paths = [...state.seen.keys()].filter((path) => dirname(path) === directory);
      return paths.map((path) => path.slice(directory.length + 1));
    },
    makeDirectory: async () => undefined,
    remove: (path) => perform('remove', path, () => void state.seen.delete(path)),
    syncDirectory: (directory) => perform('syncDirectory', directory, () => syncNames(state, directory)),
  };
}

function create(state: State, path: string): void {
  const old = state.seen.get(path);
  if (old) change(old, { length: 0 });
  else state.seen.set(path, { seen: new Uint8Array(0), synced: new Uint8Array(0), unsynced: [] });
}

function simFile(disk: SimDisk, state: State, path: string, prng: Prng, perform: Perform): File {
  const inode = inodeAt(state, path);
  return {
    read: (position, length) => perform('read', path, () => inode.seen.slice(position, position + length)),
    write: (chunks, position) => {
      const bytes = new Uint8Array(Buffer.concat(chunks));
      const writeFirst = (count: number) => {
        if (count > 0) change(inode, { position, bytes: bytes.subarray(0, count) });
      };
      const act = () => {
        const room = disk.capacityBytes - usedBytes(state) + inode.seen.length - position;
        writeFirst(Math.min(bytes.length, Math.max(0, room)));
        if (room < bytes.length) {
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        }
      };
      return perform('write', path, act, () => writeFirst(prng.below(bytes.length + 1)));
    },
    size: async () => inode.seen.length,
    truncate: (length) => perform('truncate', path, () => change(inode, { length })),
    sync: () => {
      const clean = (synced: Uint8Array) => {
        inode.synced = synced;
        inode.unsynced = [];
      };
      const onFailure = () => clean(survivors(inode, prng));
      return perform('sync', path, () => clean(applied(inode.synced, inode.unsynced)), onFailure);
    },
    close: async () => undefined,
  };
}

function inodeAt(state: State, path: string): Inode {
  const inode = state.seen.get(path);
  if (!inode) throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' });
  return inode;
}

function usedBytes(state: State): number {
  let used = 0;
  for (const inode of state.seen.values()) used += inode.seen.length;
  return used;
}

function change(inode: Inode, done: Change): void {
  inode.unsynced.push(done);
  inode.seen = applied(inode.seen, [done]);
}

/** The bytes after the changes, in order; a write beyond the end leaves zeros before it. */
function applied(before: Uint8Array, changes: readonly Change[]): Uint8Array {
  const endOf = (done: Change) => ('length' in done ? done.length : done.position + done.bytes.length);
  const bytes = new Uint8Array(changes.reduce((end, done) => Math.max(end, endOf(done)), before.length));
  bytes.set(before);
  let { length } = before;
  for (const done of changes) {
    if ('length' in done) {
      bytes.fill(0, done.length);
      length = done.length;
    } else {
      bytes.set(done.bytes, done.position);
      length = Math.max(length, endOf(done));
    }
  }
  return bytes.slice(0, length);
}

/** What is on the disk of a file whose last changes were not synced. */
function survivors(inode: Inode, prng: Prng): Uint8Array {
  // Some crashes lose everything, some nothing, most a part.
  const keep = [0, 1, prng.next(), prng.next()][prng.below(4)];
  const parts = inode.unsynced.flatMap((done) => ('length' in done ? [done] : sectorsOf(done)));
  return applied(
    inode.synced,
    parts.filter(() => prng.next() < keep),
  );
}

function sectorsOf(write: { position: number; bytes: Uint8Array }): Change[] {
  const sectors: Change[] = [];
  for (let from = 0; from < write.bytes.length; ) {
    const position = write.position + from;
    const to = from + sectorBytes - (position % sectorBytes);
    sectors.push({ position, bytes: write.bytes.subarray(from, to) });
    from = to;
  }
  return sectors;
}

function syncNames(state: State, directory: string): void {
  for (const path of new Set([...state.seen.keys(), ...state.synced.keys()])) {
    if (dirname(path) !== directory) continue;
    const inode = state.seen.get(path);
    if (inode) state.synced.set(path, inode);
    else state.synced.delete(path);
  }
}

function afterPowerLoss(state: State, prng: Prng): State {
  const next: State = { seen: new Map(), synced: new Map() };
  for (const path of new Set([...state.seen.keys(), ...state.synced.keys()])) {
    const inode = (prng.below(2) === 0 ? state.seen : state.synced).get(path);
    if (!inode) continue;
    const bytes = survivors(inode, prng);
    const survived = { seen: bytes, synced: bytes, unsynced: [] };
    next.seen.set(path, survived);
    next.synced.set(path, survived);
  }
  return next;
}
