/** This side of the store's thread: calls by number, and what becomes of them when the thread ends. */
import { Worker } from 'node:worker_threads';
import { CandelaError, toCandelaError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { Call, LogRecord, Reply, Request } from './messages.ts';
import { unpackError } from './packed-error.ts';
import { pack, unpack } from './packing.ts';

/** An object of the thread: its number, and what it holds besides methods. */
export interface RemoteObject {
  target: number;
  fields: Record<string, unknown>;
}

interface Pending {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * A running thread. It keeps the process alive only while calls are pending. When it ends, however it does, all
 * pending and later calls throw.
 */
export class StoreThread {
  readonly #worker: Worker;
  readonly #log: Logger;
  readonly #pending = new Map<number, Pending>();
  readonly #ended: Promise<void>;
  #calls = 0;
  /** Why there are no more calls, once there are none. */
  #end: CandelaError | undefined;

  /** Starts the thread from its compiled program, `host.js`. */
  constructor(program: URL, log: Logger) {
    this.#log = log;
    // Node's own flags are not for it: with `--input-type`, which goes with `--eval`, a thread of a file does not
    // start.
    this.#worker = new Worker(program, { name: 'candela-store', execArgv: [] });
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => this.#receive(reply));
    this.#worker.on('error', (error: unknown) => this.#stop(crashed(error)));
    this.#worker.on('messageerror', (error) => this.#stop(crashed(error)));
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#stop(crashed(new Error(`exit code ${code}`)));
        resolve();
      });
    });
  }

  /** Calls a method; see {@link Call}. What it throws is thrown here, as a `CandelaError` if it was one. */
  async call(
    target: number,
    method: string,
    args: readonly unknown[],
    returns: Call['returns'],
  ): Promise<unknown> {
    if (this.#end) throw this.#end;
    const id = this.#calls++;
    const signalAt = args.findIndex((arg) => arg instanceof AbortSignal);
    const signal = args[signalAt] as AbortSignal | undefined;
    const { value, transfer } = pack(
      args.map((arg, index) => (index === signalAt ? undefined : arg)),
      'copy',
    );
    this.#post({ type: 'call', id, target, method, args: value as unknown[], signalAt, returns }, transfer);
    const onAbort = (): void => this.#post({ type: 'abort', id });
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort);
    try {
      return await this.#answer(id);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #answer(id: number): Promise<unknown> {
    if (this.#pending.size === 0) this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
  }

  /** Ends the thread; nothing may be pending. */
  async close(): Promise<void> {
    this.#stop(new CandelaError('STOPPING', 'the store is closed'));
    await this.#worker.terminate();
    await this.#ended;
  }

  #post(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  #receive(reply: Reply): void {
    if (reply.type === 'log') {
      this.#write(reply);
      return;
    }
    const call = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if (reply.type === 'error') call?.reject(unpackError(reply.error));
    else if (reply.type === 'data') call?.resolve(unpack(reply.value));
    else call?.resolve({ target: reply.target, fields: reply.fields } satisfies RemoteObject);
  }

  #write({ level, fields, errors, message }: LogRecord): void {
    const unpacked = Object.entries(errors).map(([name, error]) => [name, unpackError(error)]);
    this.#log[level]({ ...fields, ...Object.fromEntries(unpacked) }, message);
  }

  /** The first reason given stays. */
  #stop(reason: CandelaError): void {
    if (this.#end) return;
    this.#end = reason;
    if (reason.code !== 'STOPPING') this.#log.error({ err: reason }, "the store's thread has ended");
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }
}

function crashed(error: unknown): CandelaError {
  const cause = toCandelaError(error);
  return new CandelaError('WRITES_STOPPED', `the store's thread has ended: ${cause.message}`, {
    cause,
    help: 'Start again: what was acknowledged is in the log. Then please report this with the log of the program.',
  });
}
