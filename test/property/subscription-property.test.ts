/** Subscribers that come, fall behind and go, while ticks are written: see `subscription-case.ts`. */
import { it } from 'vitest';
import { eventsWanted, firstSeed, limitMs, runCases } from './run-cases.ts';
import { runSubscriptionCase } from './subscription-case.ts';

const events = Math.ceil(eventsWanted / 4);

it(
  `leaves subscribers with what a read gives, ${events} ticks, seed ${firstSeed}`,
  () =>
    runCases(events, async (seed) => {
      await runSubscriptionCase(seed, 500);
      return 500;
    }),
  limitMs(events),
);
