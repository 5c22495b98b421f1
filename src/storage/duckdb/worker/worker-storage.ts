/**
 * The DuckDB store on a thread of its own, so that appending, converting and sealing hold up nobody on this one. See
 * ADR 0010.
 */
import { resolve } from 'node:path';
import type { Storage, StorageImage, StorageSnapshot } from '../../storage.ts';
import { claimFile, databaseFileName } from '../database-file.ts';
import type { DuckDbStorageOptions } from '../duckdb-storage.ts';
import { callsOf } from '../thread-pool.ts';
import { type RemoteObject, StoreThread } from './store-thread.ts';

/** Of an object with methods: what each returns. `end`: nothing, and it is the last call. */
interface Methods {
  readonly [name: string]: 'data' | 'end' | Methods;
}

const snapshotMethods = { renew: 'data', query: 'data', close: 'end' } as const satisfies Of<StorageSnapshot>;
const imageMethods = { read: 'data', close: 'end' } as const satisfies Of<Omit<StorageImage, 'files'>>;

const storageMethods = {
  documents: 'data',
  commit: 'data',
  scan: 'data',
  lookup: 'data',
  readAll: 'data',
  lastRows: 'data',
  countByTime: 'data',
  seal: 'data',
  tier: 'data',
  tablesOf: 'data',
  snapshot: snapshotMethods,
  image: imageMethods,
  stats: 'data',
  close: 'end',
} as const satisfies Of<Storage>;

/** A table with a line for every method, or the compiler says which is missing. */
type Of<T> = Record<keyof T, Methods[string]>;

/** What a program says of the store; how many calls run at a time follows from Node's thread pool. */
export type OpenStorageOptions = Omit<DuckDbStorageOptions, 'readersMax' | 'snapshotsMax'>;

/**
 * Opens the store: on a thread of its own where this runs as compiled, in this one where it runs from its TypeScript
 * sources, which a thread cannot load. Throws as `openDuckDbStorage`.
 */
export async function openStorage(given: OpenStorageOptions): Promise<Storage> {
  const options = { ...given, ...callsOf(process.env.UV_THREADPOOL_SIZE) };
  if (!import.meta.url.endsWith('.ts'))
    return openWorkerStorage(options, new URL('./host.js', import.meta.url));
  const { openDuckDbStorage } = await import('../duckdb-storage.ts');
  return openDuckDbStorage(options);
}

/** Opens the store on a thread that runs `program`, the compiled `host.ts`. */
export async function openWorkerStorage(options: DuckDbStorageOptions, program: URL): Promise<Storage> {
  const { log, ...plain } = options;
  // Each thread has its own list of open files, so this one, where all threads are made, keeps the list that counts.
  const release = plain.directory === null ? () => {} : claimFile(resolve(plain.directory, databaseFileName));
  const thread = new StoreThread(program, log);
  const end = async (): Promise<void> => {
    await thread.close();
    release();
  };
  try {
    const store = (await thread.call(0, 'open', [plain], 'object')) as RemoteObject;
    return remote(thread, store, storageMethods, end) as unknown as Storage;
  } catch (error) {
    await end();
    throw error;
  }
}

type Method = (...args: unknown[]) => Promise<unknown>;

/** An object of the thread as one of this. Ending it twice waits for the same. */
function remote(
  thread: StoreThread,
  { target, fields }: RemoteObject,
  methods: Methods,
  onEnd: () => Promise<void> = async () => {},
): Record<string, unknown> {
  let ending: Promise<void> | undefined;
  const method = (name: string, returns: Methods[string]): Method => {
    if (returns === 'data') return (...args) => thread.call(target, name, args, 'data');
    if (returns === 'end') {
      return () =>
        (ending ??= thread
          .call(target, name, [], 'end')
          .then(() => {})
          .finally(onEnd));
    }
    return async (...args) => {
      const made = (await thread.call(target, name, args, 'object')) as RemoteObject;
      return remote(thread, made, returns);
    };
  };
  const entries = Object.entries(methods).map(([name, returns]) => [name, method(name, returns)]);
  return { ...fields, ...Object.fromEntries(entries) };
}
