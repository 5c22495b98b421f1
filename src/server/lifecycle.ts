/** How a server process ends: on a signal cleanly, on an error it cannot mend after an attempt to close. */
import { toCandelaError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/** The process and what is to be closed with it; `exit` ends the process. */
export interface Lifecycle {
  process: NodeJS.Process;
  /** Flushes and closes everything. */
  close(): Promise<void>;
  exit(code: number): void;
  log: Logger;
  /** How long a failing process may take to close. */
  closeMsMax?: number;
}

/**
 * SIGTERM and SIGINT close, then exit 0; a second signal exits 1 at once. An error nobody caught is logged; the
 * process then tries to close and exits 1. Returns what the caller calls with an error of its own to end the same way.
 */
export function endWithProcess(lifecycle: Lifecycle): (error: unknown) => void {
  const { process, close, exit, log, closeMsMax = 10_000 } = lifecycle;
  let ending = false;

  const onSignal = (signal: string): void => {
    if (ending) {
      log.warn({ signal }, 'second signal: leaving at once');
      exit(1);
      return;
    }
    ending = true;
    log.info({ signal }, 'stopping');
    close().then(
      () => exit(0),
      (error: unknown) => {
        log.error({ err: toCandelaError(error) }, 'could not close cleanly');
        exit(1);
      },
    );
  };

  const fail = (error: unknown): void => {
    log.error({ err: error }, 'uncaught error: stopping');
    if (ending) return;
    ending = true;
    // A defect may have left anything behind, so closing gets a bounded time; the next start replays the log.
    setTimeout(() => exit(1), closeMsMax);
    close().then(
      () => exit(1),
      () => exit(1),
    );
  };

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  return fail;
}
