/**
 * Random lives of databases against a list of ticks and naive recomputations of every bar: tables and rollups of all
 * shapes, in UTC, in time zones and in sessions, batches in any order, flushes, evictions, sealing, restarts and
 * crashes, rollups over history, added columns; rows, bars of every level, merged timeframes, latest values and SQL,
 * read at rest and beside writes.
 */
import { it } from 'vitest';
import { createPrng } from '../../src/core/prng.ts';
import { runCase } from './engine-case.ts';
import { eventsWanted, firstSeed, limitMs, runCases } from './run-cases.ts';

it(
  `answers as a naive recomputation does, ${eventsWanted} ticks, seed ${firstSeed}`,
  () =>
    runCases(eventsWanted, async (seed) => {
      const prng = createPrng(seed + 1_000_003);
      const backend = prng.next() < 0.15 ? 'duckdb' : 'memory';
      const doubles = prng.next() < 0.15 ? 'any' : 'exact';
      const events = 200 + prng.below(backend === 'memory' ? 2_500 : 800);
      await runCase({ seed, backend, doubles, events });
      return events;
    }),
  limitMs(eventsWanted),
);
