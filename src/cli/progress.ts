import { SingleBar } from 'cli-progress';
import type { Clock } from '../core/clock.ts';
import { say } from './terminal.ts';

/** How far long work has come. */
export interface Progress {
  /** `done` of the total given at the start; `note` is shown beside it. Cheap to call often. */
  update(done: number, note: string): void;
  stop(): void;
}

const plainEveryMs = 5000;

/** A bar on a terminal, otherwise a line every five seconds; `total` in any unit, e.g. bytes. */
export function startProgress(label: string, total: number, clock: Clock): Progress {
  return process.stderr.isTTY ? bar(label, total) : plainLines(label, total, clock);
}

function bar(label: string, total: number): Progress {
  const view = new SingleBar({
    format: `${label} {bar} {percentage}% · {note} · {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  view.start(Math.max(1, total), 0, { note: '' });
  return { update: (done, note) => view.update(done, { note }), stop: () => view.stop() };
}

function plainLines(label: string, total: number, clock: Clock): Progress {
  let saidMs = clock.monotonicMs();
  return {
    update(done, note) {
      if (clock.monotonicMs() - saidMs < plainEveryMs) return;
      saidMs = clock.monotonicMs();
      say(`${label} ${Math.floor((100 * done) / Math.max(1, total))}% · ${note}`);
    },
    stop: () => undefined,
  };
}

/** Shows on a terminal how many rows are done, when nobody knows how many there will be. */
export function startCounter(label: string): { update(rowCount: number): void; stop(): void } {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const view = new SingleBar({
    format: `${label} · {value} rows · {duration_formatted}`,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  view.start(Number.MAX_SAFE_INTEGER, 0);
  return { update: (rowCount) => view.update(rowCount), stop: () => view.stop() };
}
