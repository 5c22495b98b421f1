/**
 * The cold tier: whole days of ticks that are older than a table keeps in the database go to Parquet files beside it.
 *
 * A day is moved once it is old enough; days of few rows go together into one file, a day of more rows than a step is
 * to sort in parts. Late ticks for a day that was moved lie in the table from then on, until they are an eighth of
 * their day and go to a file of their own.
 */
import { CandelaError } from '../../core/errors.ts';
import type { CountRequest, TimeCount } from '../../storage/storage.ts';
import { Slices } from '../backfill/slices.ts';
import type { Entry } from '../catalog/catalog.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { EngineState } from '../engine-state.ts';
import { chunkNs, firstKeptNs } from './retention.ts';

/** Rows sorted in one step, about. */
const rowsMax = 4_000_000;
/** Days go together until they have so many rows. */
const rowsMin = 100_000;
/** Late rows are worth a file when they are this part of their day. */
const lateParts = 8;

const timesMin = -(2n ** 63n);
const versions = { versionFrom: timesMin, versionBelow: 2n ** 63n - 1n };

/** What one look moved. */
export interface Tiered {
  rowCount: number;
  chunkCount: number;
}

/** Moves the days of a table that are old enough. Null if it has none. */
export async function applyTiering(
  state: EngineState,
  entry: Entry,
  nowMs: number,
  signal: AbortSignal,
): Promise<Tiered | null> {
  if (entry.kind !== 'rows' || entry.def.coldAfter === undefined) return null;
  const { storage, log, counters } = state;
  const table = physicalId(entry.id, tableRole.rows);
  const toNs = firstKeptNs(nowMs, entry.def.coldAfter);
  const tiered: Tiered = { rowCount: 0, chunkCount: 0 };
  try {
    for (const { fromNs, untilNs, dayCount } of await daysToMove(state, table, toNs)) {
      const slices = new Slices(storage, table, rowsMax);
      await slices.count(fromNs, untilNs);
      for (let end = untilNs, slice = await slices.take(); slice; slice = await slices.take()) {
        if (signal.aborted) return tiered;
        log.debug({ step: 'tier', table: entry.id, rowCount: slice.rowCount }, 'moving rows to a cold file');
        tiered.rowCount += await storage.tier({ table, fromNs: slice.fromNs, toNs: end }, signal);
        end = slice.fromNs;
      }
      tiered.chunkCount += dayCount;
    }
  } catch (error) {
    // Dropped meanwhile.
    if (!(error instanceof CandelaError && error.code === 'TABLE_NOT_FOUND')) throw error;
  }
  if (tiered.rowCount === 0) return null;
  counters.rowsTiered += tiered.rowCount;
  log.info({ table: entry.def.name, ...tiered }, 'moved old rows to cold files');
  return tiered;
}

/** Days that are moved together. */
interface Days {
  fromNs: bigint;
  untilNs: bigint;
  dayCount: number;
}

/** The days before a time that are to be moved, oldest first. */
async function daysToMove({ storage }: EngineState, table: number, toNs: bigint): Promise<Days[]> {
  const request: CountRequest = { table, fromNs: timesMin, toNs, widthNs: chunkNs, ...versions };
  const hot = await storage.countByTime({ ...request, hotOnly: true });
  if (hot.length === 0) return [];
  const all = new Map((await storage.countByTime(request)).map(countOf));
  const isWorthIt = ({ startNs, rowCount }: TimeCount): boolean => {
    const total = all.get(startNs) ?? rowCount;
    return rowCount * lateParts >= total;
  };
  const moved: Days[] = [];
  let rows = rowsMin;
  for (const { startNs, rowCount } of hot.filter(isWorthIt)) {
    if (rows >= rowsMin) {
      moved.push({ fromNs: startNs, untilNs: startNs, dayCount: 0 });
      rows = 0;
    }
    const days = moved[moved.length - 1];
    days.untilNs = startNs + chunkNs;
    days.dayCount++;
    rows += rowCount;
  }
  return moved;
}

function countOf({ startNs, rowCount }: TimeCount): [bigint, number] {
  return [startNs, rowCount];
}
