import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { naiveBucket } from '../testing/naive-buckets.ts';
import { splitTimes } from './time.ts';
import { bucketOf, divides, parseTimeframe } from './timeframe.ts';

const timeframes = [
  '100ms', '300ms', '1s', '7s', '59s', '1m', '7m', '15m', '1h', '4h', '5h', '1d', '2d', '3d', '7d', '14d', '30d',
  '1w', '2w', '3w', '1mo', '2mo', '3mo', '5mo', '6mo', '1y', '2y', '10y', '200y',
]; // biome-ignore format: a list to be read at a glance

/** Times that a table of ticks takes, many of them at and beside a bucket's ends. */
function timeNear(timeframe: string): fc.Arbitrary<bigint> {
  const min = BigInt(Date.UTC(1897, 0)) * 1_000_000n;
  const max = BigInt(Date.UTC(2043, 0)) * 1_000_000n;
  const any = fc.oneof(fc.bigInt({ min, max }), fc.bigInt({ min: -(10n ** 18n), max: 2n * 10n ** 18n }));
  const beside = fc.constantFrom(-257n, -256n, -1n, 0n, 1n, 255n, 256n);
  const near = fc
    .tuple(any, beside)
    .map(([timeNs, offset]) => naiveBucket(timeframe, timeNs).startNs + offset);
  return fc.oneof(any, near).filter((timeNs) => timeNs >= min && timeNs < max);
}

function t256(timeNs: bigint): number {
  const into = new Float64Array(1);
  splitTimes(BigInt64Array.of(timeNs), into, new Uint8Array(1));
  return into[0];
}

describe('bucketOf', () => {
  for (const text of timeframes) {
    it(`${text}: finds what the calendar says, to the nanosecond`, () => {
      const timeframe = parseTimeframe(text);
      fc.assert(
        fc.property(timeNear(text), (timeNs) => {
          const { startNs, endNs } = naiveBucket(text, timeNs);
          const bucket = bucketOf(timeframe, t256(timeNs));
          expect([BigInt(bucket.start), BigInt(bucket.end)]).toEqual([startNs, endNs]);
        }),
        { numRuns: 300 },
      );
    });
  }

  it('knows Mondays, leap days and the ends of months', () => {
    const start = (text: string, iso: string): string =>
      new Date(bucketOf(parseTimeframe(text), Date.parse(iso) * 1e6).start / 1e6).toISOString().slice(0, 10);
    expect(start('1w', '2024-02-29T12:00:00Z')).toBe('2024-02-26');
    expect(start('1w', '1969-12-31T23:59:59Z')).toBe('1969-12-29');
    expect(start('1mo', '2024-02-29T23:59:59.999Z')).toBe('2024-02-01');
    expect(start('3mo', '1969-03-31T00:00:00Z')).toBe('1969-01-01');
    expect(start('1y', '1900-12-31T00:00:00Z')).toBe('1900-01-01');
  });
});

it('divides says whether every bucket is made of whole ones', () => {
  const times = Array.from({ length: 240 }, (_, i) => BigInt(i - 120) * 7_777_777_777_777_777n);
  const isMade = (fine: string, coarse: string): boolean =>
    times.every((timeNs) => {
      const { startNs, endNs } = naiveBucket(coarse, timeNs);
      return [startNs, endNs].every((edgeNs) => naiveBucket(fine, edgeNs).startNs === edgeNs);
    });
  for (const fine of timeframes) {
    for (const coarse of timeframes) {
      const said = divides(parseTimeframe(fine), parseTimeframe(coarse));
      expect([fine, coarse, said]).toEqual([fine, coarse, isMade(fine, coarse)]);
    }
  }
});

describe('parseTimeframe', () => {
  it('takes what people write and names it in one way', () => {
    const spellings: Record<string, string[]> = {
      '1m': ['1m', '1Min', '1 minute', '60s', ' 60 sec ', '60000ms', '1T'],
      '1h': ['1h', '1H', '60min', '3600S'],
      '1d': ['1d', '1D', '24h', '1440m', '1Day'],
      '7d': ['7d', '168h'],
      '1w': ['1w', '1W', '1week'],
      '2w': ['2w', '2 weeks'],
      '1mo': ['1mo', '1M', '1 month'],
      '3mo': ['3mo', '1q', '1 quarter'],
      '1y': ['1y', '12mo', '4q', '1Y', '1 year'],
      '100ms': ['100ms'],
      '1500ms': ['1500ms'],
    };
    for (const [text, written] of Object.entries(spellings)) {
      for (const one of written) expect([one, parseTimeframe(one).text]).toEqual([one, text]);
    }
  });

  it('refuses what is none', () => {
    const wrong = [
      '',
      'm',
      '0m',
      '-1m',
      '1.5h',
      '50ms',
      '1x',
      '1m5s',
      '1234567s',
      '1constructor',
      '999999d',
      '201y',
    ];
    for (const text of wrong)
      expect(() => parseTimeframe(text), text).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
