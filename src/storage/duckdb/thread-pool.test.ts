import { expect, it } from 'vitest';
import { callsOf } from './thread-pool.ts';

it.each([
  [undefined, { readersMax: 1, snapshotsMax: 1 }],
  ['4', { readersMax: 1, snapshotsMax: 1 }],
  ['8', { readersMax: 1, snapshotsMax: 1 }],
  ['10', { readersMax: 2, snapshotsMax: 2 }],
  ['12', { readersMax: 2, snapshotsMax: 4 }],
  ['64', { readersMax: 2, snapshotsMax: 4 }],
  ['many', { readersMax: 1, snapshotsMax: 1 }],
])('a pool of %s threads', (size, calls) => {
  expect(callsOf(size)).toEqual(calls);
});
