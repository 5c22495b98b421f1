import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CandelaError } from '../../core/errors.ts';
import { walFrameBytesMax } from '../../core/limits.ts';
import { type ColumnData, columnOf, lengthOf, type Scalar, valueAt } from '../../market/columns.ts';
import { decodeFrame, encodeFrame, readWholeFrame, stampHeader, type WalFrame } from './frame.ts';

/** Frame bytes as they would lie in a file, `shift` bytes into the memory they are read from. */
function bytesOfFrame(frame: Omit<WalFrame, 'lsn'>, lsn: number, shift = 0): Uint8Array {
  const chunks = encodeFrame(frame, lsn);
  stampHeader(chunks[0], lsn - 1, 99);
  const joined = Buffer.concat(chunks);
  const memory = new Uint8Array(joined.length + shift);
  memory.set(joined, shift);
  return memory.subarray(shift);
}

function scalars(column: ColumnData): Scalar[] {
  return Array.from({ length: lengthOf(column) }, (_, row) => valueAt(column, row));
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const anyDecimal = fc.record({
  coefficient: fc.oneof(int64, fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), fc.bigInt()),
  scale: fc.nat(255),
});
const valuesOf: Record<ColumnData['kind'], fc.Arbitrary<Scalar>> = {
  double: fc.double({ noNaN: true }),
  int64,
  timestamp: int64,
  boolean: fc.boolean(),
  text: fc.oneof(fc.string({ unit: 'grapheme' }), fc.json(), fc.constantFrom('', 'AAPL', '平安银行', '🕯️\0')),
  decimal: anyDecimal,
};
const anyKind = fc.constantFrom(...(Object.keys(valuesOf) as ColumnData['kind'][]));

function anyColumn(rowCount: number): fc.Arbitrary<ColumnData> {
  const list = (kind: ColumnData['kind']) =>
    fc.array(fc.option(valuesOf[kind], { freq: 5 }), { minLength: rowCount, maxLength: rowCount });
  return anyKind.chain((kind) => list(kind).map((values) => columnOf(kind, values)));
}

const uint32 = fc.nat({ max: 0xffff_ffff });

const anyFrame = fc.tuple(fc.nat(40), fc.nat(5)).chain(([rowCount, newSeriesCount]) =>
  fc.record({
    kind: fc.constantFrom('rows', 'amendment'),
    table: fc.nat(),
    rowCount: fc.constant(rowCount),
    firstSeries: fc.nat(),
    newSeries: fc.array(anyColumn(newSeriesCount), { minLength: 1, maxLength: 3 }),
    series: fc.int32Array({ minLength: rowCount, maxLength: rowCount }),
    columns: fc.array(fc.record({ id: fc.nat(), data: anyColumn(rowCount) }), { maxLength: 6 }),
    batchId: fc.string(),
    answer: fc.option(fc.record({ rowCount: uint32, duplicates: uint32, corrected: uint32 })),
  }),
);

function frameOf(...data: ColumnData[]): Omit<WalFrame, 'lsn'> {
  const rowCount = lengthOf(data[0]);
  const columns = data.map((column, index) => ({ id: index + 1, data: column }));
  return {
    kind: 'rows',
    table: 1,
    rowCount,
    firstSeries: 0,
    newSeries: [],
    series: new Int32Array(rowCount),
    columns,
    batchId: '',
    answer: null,
  };
}

function roundTrip(column: ColumnData): ColumnData {
  return decodeFrame(bytesOfFrame(frameOf(column), 1)).columns[0].data;
}

describe('a frame', () => {
  it('comes back as it was, whatever the columns, at any alignment in memory', () => {
    fc.assert(
      fc.property(anyFrame, fc.integer({ min: 1, max: 2 ** 53 - 1 }), fc.nat(8), (frame, lsn, shift) => {
        const bytes = bytesOfFrame(frame, lsn, shift);
        expect(bytes.length % 8).toBe(0);
        const { columns, newSeries, ...rest } = decodeFrame(bytes);
        expect({ ...rest, series: [...rest.series] }).toEqual({
          lsn,
          kind: frame.kind,
          table: frame.table,
          rowCount: frame.rowCount,
          firstSeries: frame.firstSeries,
          series: [...frame.series],
          batchId: frame.batchId,
          answer: frame.answer,
        });
        expect(newSeries.map((column) => [column.kind, scalars(column)])).toEqual(
          frame.newSeries.map((column) => [column.kind, scalars(column)]),
        );
        expect(columns.map(({ id, data }) => [id, data.kind, scalars(data)])).toEqual(
          frame.columns.map(({ id, data }) => [id, data.kind, scalars(data)]),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('refers to large arrays instead of copying them', () => {
    const values = new Float64Array(8192);
    const chunks = encodeFrame(frameOf({ kind: 'double', values }), 1);
    expect(chunks.some((chunk) => chunk.buffer === values.buffer)).toBe(true);
  });

  it('is decoded as views of aligned memory', () => {
    const bytes = bytesOfFrame(frameOf({ kind: 'double', values: new Float64Array(100) }), 1);
    const { data } = decodeFrame(bytes).columns[0];
    expect(data.kind === 'double' && data.values.buffer === bytes.buffer).toBe(true);
  });

  it('keeps -0, infinities and the nulls of doubles', () => {
    const data = roundTrip({ kind: 'double', values: Float64Array.of(-0, Infinity, -Infinity, Number.NaN) });
    expect(data.kind === 'double' && Object.is(data.values[0], -0)).toBe(true);
    expect(scalars(data).slice(1)).toEqual([Infinity, -Infinity, null]);
  });

  it('keeps views into larger arrays', () => {
    const data = roundTrip({ kind: 'int64', values: new BigInt64Array([1n, 2n, 3n, 4n]).subarray(1, 3) });
    expect(scalars(data)).toEqual([2n, 3n]);
  });

  it('refuses a frame beyond the maximum', () => {
    const values = new Float64Array(walFrameBytesMax / 8);
    expect(() => encodeFrame(frameOf({ kind: 'double', values }), 1)).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });

  it('stops at a column of another length than the frame: a defect of the caller', () => {
    const frame = { ...frameOf({ kind: 'double', values: new Float64Array(3) }), rowCount: 2 };
    expect(() => encodeFrame(frame, 1)).toThrow('BUG');
  });
});

describe('decimals', () => {
  const coefficientBytes = (...coefficients: bigint[]) => {
    const scales = new Uint8Array(coefficients.length);
    return bytesOfFrame(frameOf({ kind: 'decimal', coefficients, scales }), 1).length;
  };

  it('take 8 bytes a row while all fit 64 bits, and 8 more when one does not', () => {
    const rows = 64;
    const small = new Array<bigint>(rows).fill(-(2n ** 63n));
    expect(coefficientBytes(...small.with(5, 2n ** 63n)) - coefficientBytes(...small)).toBe(rows * 8);
  });

  it.each([
    0n,
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    10n ** 38n,
    -(10n ** 38n),
    2n ** 127n,
    3n ** 200n,
  ])('keep %s', (coefficient) => {
    const column: ColumnData = {
      kind: 'decimal',
      coefficients: [coefficient, -1n, 1n],
      scales: Uint8Array.of(1, 2, 3),
    };
    expect(roundTrip(column)).toEqual(column);
  });
});

describe('texts', () => {
  it('leave unused entries of a larger dictionary behind', () => {
    const dictionary = Array.from({ length: 1000 }, (_, i) => `symbol ${i}`);
    const data = roundTrip({ kind: 'text', dictionary, codes: Int32Array.of(900, -1, 5, 900) });
    expect(data).toEqual({
      kind: 'text',
      dictionary: ['symbol 900', 'symbol 5'],
      codes: Int32Array.of(0, -1, 1, 0),
    });
  });

  it('are not split or joined where surrogates meet across entries', () => {
    const data = roundTrip({ kind: 'text', dictionary: ['😀', '😀é', ''], codes: Int32Array.of(0, 1, 2) });
    expect(scalars(data)).toEqual(['😀', '😀é', '']);
  });
});

describe('damage', () => {
  const bytes = bytesOfFrame(
    {
      ...frameOf(
        columnOf('text', ['a', null, 'b']),
        columnOf('decimal', [null, { coefficient: 5n, scale: 1 }, null]),
      ),
      batchId: 'id',
    },
    12,
  );

  it('anywhere in a frame is found', () => {
    expect(readWholeFrame(bytes, 0, 99)).toMatchObject({ lsn: 12, syncedLsn: 11, byteLength: bytes.length });
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] ^= 1 << (at % 8);
      expect(readWholeFrame(damaged, 0, 99), `byte ${at}`).toBeNull();
      expect(readWholeFrame(bytes.subarray(0, at), 0, 99), `cut at ${at}`).toBeNull();
    }
  });

  it('is found when a whole frame comes from another segment', () => {
    expect(readWholeFrame(bytes, 0, 98)).toBeNull();
  });

  it('never makes the decoder fail in another way than CORRUPT_WAL', () => {
    const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(edits, fc.nat(bytes.length), (changes, length) => {
        const damaged = bytes.slice(0, length);
        for (const [at, value] of changes) if (at < length) damaged[at] = value;
        try {
          decodeFrame(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(CandelaError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
