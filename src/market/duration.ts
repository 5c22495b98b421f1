import { CandelaError } from '../core/errors.ts';

const unitsNs: Record<string, bigint> = {
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

/** The greatest duration: a hundred years. */
const durationNsMax = 36_525n * 86_400_000_000_000n;

/**
 * A duration such as `90s`, `30m`, `12h`, `30d` or `8w` in nanoseconds. Throws `INVALID_ARGUMENT`, beginning with
 * `what`.
 */
export function parseDuration(text: unknown, what: string): bigint {
  const parts = typeof text === 'string' ? /^([1-9]\d{0,9})(s|m|h|d|w)$/.exec(text) : null;
  const durationNs = parts ? BigInt(parts[1]) * unitsNs[parts[2]] : 0n;
  if (durationNs > 0n && durationNs <= durationNsMax) return durationNs;
  throw new CandelaError('INVALID_ARGUMENT', `${what}: '${String(text)}' is not a duration`, {
    help: 'Write a whole number and s, m, h, d or w, such as 30d; 36525d at most.',
  });
}
