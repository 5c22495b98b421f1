/**
 * Freeing of DuckDB's results.
 *
 * A result lives in DuckDB's memory, outside the store's bound, until V8 collects the small object that stands for it;
 * and V8, which does not know how large it is, may see no reason to for minutes: six queries of a million rows of eight
 * numbers left 850 MB behind. So what is read is counted, and collected now and then.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of results that may wait to be collected. */
const waitingBytesMax = 32 * 2 ** 20;

let waitingBytes = 0;
let collect: (() => void) | undefined;

/** To be called when a result of so many bytes, about, has been read and is not needed any more. */
export function noteRead(bytes: number): void {
  waitingBytes += bytes;
  if (waitingBytes < waitingBytesMax) return;
  waitingBytes = 0;
  // Later: whoever read it must have let go of it.
  setImmediate(() => {
    collect ??= exposedCollector();
    collect();
  });
}

/** V8's `gc`, which only a context made after the flag has. */
function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
