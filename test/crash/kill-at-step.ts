/**
 * JavaScript for programs that kill themselves at a named step: put before a program that runs the built package.
 *
 * `killAtStep(step, nth, afterMs)` gives a log and a file system to open a database with. The process is killed
 * `afterMs` after the step was reached for the nth time, in the same turn of the event loop if that is 0. Steps of the
 * log are those the engine tells of itself (`Logger`); of the write-ahead log's file: `wal-torn`, a write of which
 * only a part arrives, `wal-write`, written and not synced, `wal-sync`, synced and not acknowledged. When the step is
 * reached it says `step <name>` on standard output.
 */
export const killAtStep = `
import { nodeFileSystem } from './dist/core/file-system.js';

function killAtStep(step, nth, afterMs) {
  let left = nth;
  const isDue = (name) => name === step && --left === 0;
  const die = () => process.kill(process.pid, 'SIGKILL');
  const reach = (name) => {
    if (!isDue(name)) return;
    process.stdout.write('step ' + name + '\\n');
    if (afterMs === 0) die();
    else setTimeout(die, afterMs);
  };
  const log = {
    debug: (fields) => reach(fields.step),
    info() {},
    warn() {},
    error: (fields, message) => console.error(message, fields),
    child: () => log,
  };
  const watched = (file) => ({
    ...file,
    write: async (chunks, position) => {
      if (isDue('wal-torn')) {
        process.stdout.write('step wal-torn\\n');
        const whole = Buffer.concat(chunks);
        await file.write([whole.subarray(0, Math.floor(Math.random() * whole.length))], position);
        die();
      }
      await file.write(chunks, position);
      reach('wal-write');
    },
    sync: async () => {
      await file.sync();
      reach('wal-sync');
    },
  });
  const open = async (path, mode) => watched(await nodeFileSystem.open(path, mode));
  return { log, fileSystem: { ...nodeFileSystem, open } };
}
`;

/** When to kill at a step. */
export interface StepRange {
  /** The occurrence at which to kill, at most. */
  nthMax: number;
  /** How long after it began, at most. */
  afterMsMax: number;
}

/** All steps at which the engine's crash test kills. */
export const steps: Readonly<Record<string, StepRange>> = {
  'wal-torn': { nthMax: 12, afterMsMax: 0 },
  'wal-write': { nthMax: 12, afterMsMax: 3 },
  'wal-sync': { nthMax: 12, afterMsMax: 3 },
  flush: { nthMax: 4, afterMsMax: 60 },
  amend: { nthMax: 4, afterMsMax: 30 },
  'backfill-page': { nthMax: 4, afterMsMax: 30 },
  seal: { nthMax: 2, afterMsMax: 60 },
  'seal-commit': { nthMax: 2, afterMsMax: 30 },
  checkpoint: { nthMax: 1, afterMsMax: 30 },
};
