/** The thread of the store: opens it, calls it as it is told and answers. The program of a Worker. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { must } from '../../../core/assert.ts';
import { CandelaError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { type DuckDbStorageOptions, openDuckDbStorage } from '../duckdb-storage.ts';
import type { Call, LogRecord, Reply, Request } from './messages.ts';
import { packError } from './packed-error.ts';
import { pack, unpack } from './packing.ts';

const port: MessagePort = must(parentPort, 'the port to the thread that started this one');

/** Objects to be called, by number. */
const objects = new Map<number, object>();
let objectsMade = 0;
/** Of running calls that can be aborted. */
const aborts = new Map<number, AbortController>();

function keep(object: object): number {
  const target = objectsMade++;
  objects.set(target, object);
  return target;
}

function post(reply: Reply, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}

async function answer(call: Call): Promise<void> {
  const { id, target, returns } = call;
  try {
    const result = await invoke(call);
    if (returns === 'object') {
      const fields = Object.entries(result as object).filter(([, value]) => typeof value !== 'function');
      return post({ type: 'object', id, target: keep(result as object), fields: Object.fromEntries(fields) });
    }
    if (returns === 'end') objects.delete(target);
    const { value, transfer } = pack(result, 'give');
    post({ type: 'data', id, value }, transfer);
  } catch (error) {
    post({ type: 'error', id, error: packError(error) });
  } finally {
    aborts.delete(id);
  }
}

/** Begins the call at once, so that calls begin in the order they were sent in. */
function invoke({ id, target, method, args, signalAt }: Call): unknown {
  const object = objects.get(target) as Record<string, (...args: unknown[]) => unknown> | undefined;
  if (!object) throw new CandelaError('INVALID_ARGUMENT', `'${method}' of what is closed already`);
  const values = args.map(unpack);
  if (signalAt >= 0) {
    const abort = new AbortController();
    aborts.set(id, abort);
    values[signalAt] = abort.signal;
  }
  return object[method](...values);
}

/** A logger that writes on the other side. */
function remoteLogger(base: Record<string, unknown> = {}): Logger {
  const at = (level: LogRecord['level']) => (more: object, message: string) => {
    const entries = Object.entries({ ...base, ...more });
    const isError = ([, value]: [string, unknown]): boolean => value instanceof Error;
    post({
      type: 'log',
      level,
      fields: Object.fromEntries(entries.filter((entry) => !isError(entry))),
      errors: Object.fromEntries(entries.filter(isError).map(([name, error]) => [name, packError(error)])),
      message,
    });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => remoteLogger({ ...base, ...fields }),
  };
}

keep({
  open: (options: Omit<DuckDbStorageOptions, 'log'>) =>
    openDuckDbStorage({ ...options, log: remoteLogger() }),
});

port.on('message', (request: Request) => {
  if (request.type === 'call') void answer(request);
  else aborts.get(request.id)?.abort();
});
