/** What every store must do, whatever it is made of: run on each backend by its own test file. */
import { afterEach, beforeEach, describe } from 'vitest';
import { commitCases } from './cases/commits.case.ts';
import { pointCases, scanCases } from './cases/reads.case.ts';
import { sealingCases } from './cases/sealing.case.ts';
import { tieringCases } from './cases/tiering.case.ts';
import { typeCases } from './cases/types.case.ts';
import { writeCases } from './cases/writes.case.ts';
import type { Storage } from './storage.ts';

/** Runs the suite on stores that `open` makes, each empty and its own; `tiers`: can they move rows to files? */
export function describeStorage(name: string, open: () => Promise<Storage>, tiers = true): void {
  describe(name, () => {
    let storage: Storage;
    beforeEach(async () => {
      storage = await open();
    });
    afterEach(() => storage.close());
    const use = (): Storage => storage;
    describe('types', () => typeCases(use));
    describe('scan', () => scanCases(use));
    describe('point reads', () => pointCases(use));
    describe('rows in', () => writeCases(use));
    describe('commits', () => commitCases(use));
    describe('sealing', () => sealingCases(use));
    if (tiers) describe('tiering', () => tieringCases(use));
  });
}
