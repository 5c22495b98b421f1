import { CandelaError } from '../../../core/errors.ts';
import type { GapMode } from '../../../market/schema.ts';

const gapModes: readonly unknown[] = ['none', 'flat', 'null'] satisfies GapMode[];

/** Checks what a request or a rollup says of gaps. Throws `INVALID_ARGUMENT`, naming the `place`. */
export function checkGaps(mode: GapMode | undefined, place: string): void {
  if (mode === undefined || gapModes.includes(mode)) return;
  throw new CandelaError('INVALID_ARGUMENT', `${place}: gaps '${String(mode)}' is none of none, flat, null`);
}
