import { CandelaError } from '../core/errors.ts';

/**
 * Runs at most `atOnceMax` jobs at a time, the others in order of arrival; with `waitingMax` waiting already it throws
 * `LIMIT_EXCEEDED`. `what` names the jobs in the message.
 */
export function createGate(
  atOnceMax: number,
  waitingMax: number,
  what: string,
): <T>(job: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (job) => {
    if (running >= atOnceMax) {
      if (waiting.length >= waitingMax) {
        throw new CandelaError('LIMIT_EXCEEDED', `more than ${waitingMax} ${what} are waiting`, {
          help: 'Try again in a moment.',
        });
      }
      // Whoever ends hands its place over, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await job();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
