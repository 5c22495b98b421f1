/**
 * Recorded market data that lies beside the checkout, too large to keep in it. Tests that use it skip where it is
 * absent (`describe.skipIf(!hasSharedData)`); where it was promised, by CANDELA_SHARED or under CI, its absence fails.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const shared = process.env.CANDELA_SHARED;
const folder = resolve(import.meta.dirname, '../..', shared ?? '../shared', 'data');

/** Whether the shared market data is there. */
export const hasSharedData = existsSync(folder);

if (!hasSharedData && (shared !== undefined || process.env.CI === 'true')) {
  throw new Error(
    `There is no market data in ${folder}: put it there, or point CANDELA_SHARED at its parent folder`,
  );
}

/** The absolute path of a file of the shared data, by its path below `data/`. */
export function sharedDataPath(relative: string): string {
  return join(folder, relative);
}
