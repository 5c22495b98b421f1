import { describe, expect, it } from 'vitest';
import { columnOf, type DecimalColumn, type TextColumn } from '../../../market/columns.ts';
import { pack, unpack } from './packing.ts';

/** What the other thread gets. */
function send(value: unknown, ownership: 'copy' | 'give' = 'copy'): unknown {
  const { value: packed, transfer } = pack(value, ownership);
  return unpack(structuredClone(packed, { transfer }));
}

describe('copies', () => {
  it('leave the sender its arrays, and carry of a view only what it shows', () => {
    const values = Float64Array.from({ length: 1000 }, (_, i) => i);
    const view = values.subarray(10, 13);
    const received = send({ kind: 'double', values: view }) as { values: Float64Array };
    expect(received.values).toEqual(new Float64Array([10, 11, 12]));
    expect(received.values.buffer.byteLength).toBe(24);
    expect(values.byteLength).toBe(8000);
    expect(view[0]).toBe(10);
  });

  it('are made of a Buffer from the shared pool', () => {
    const text = Buffer.from('abc');
    expect(Buffer.from(send(text) as Uint8Array).toString()).toBe('abc');
    expect(text.toString()).toBe('abc');
  });
});

describe('given arrays', () => {
  it('are handed over without a copy', () => {
    const values = new BigInt64Array([1n, 2n]);
    expect(send([{ kind: 'int64', values }], 'give')).toEqual([
      { kind: 'int64', values: new BigInt64Array([1n, 2n]) },
    ]);
    expect(values.byteLength).toBe(0);
  });

  it('may appear twice', () => {
    const values = new Float64Array([7]);
    const column = { kind: 'double', values };
    expect(send({ columns: [column, column] }, 'give')).toEqual({
      columns: [
        { kind: 'double', values: new Float64Array([7]) },
        { kind: 'double', values: new Float64Array([7]) },
      ],
    });
  });

  it('of an append are those of the columns it names', () => {
    const [made, kept] = [new Float64Array([1, 2]), new Float64Array([3, 4])];
    const columns = [
      { kind: 'double', values: made },
      { kind: 'double', values: kept },
    ];
    const op = { op: 'append', table: 1, columns, rowCount: 2 };
    expect(send([{ ...op, given: [0] }])).toEqual([
      {
        ...op,
        columns: [
          { kind: 'double', values: new Float64Array([1, 2]) },
          { kind: 'double', values: new Float64Array([3, 4]) },
        ],
      },
    ]);
    expect(made.byteLength).toBe(0);
    expect(kept).toEqual(new Float64Array([3, 4]));
  });

  it('of which only a part is shown do not drag the rest along', () => {
    const received = send(new Int32Array(1000).subarray(0, 2), 'give') as Int32Array;
    expect(received.buffer.byteLength).toBe(8);
  });
});

describe('text columns', () => {
  it('leave behind what no row uses when they have more texts than rows', () => {
    const dictionary = Array.from({ length: 100_000 }, (_, i) => `text ${i}`);
    const codes = new Int32Array([99_999, -1, 5, 99_999]);
    const received = send({ kind: 'text', dictionary, codes }) as TextColumn;
    expect(received.dictionary).toEqual(['text 99999', 'text 5']);
    expect(received.codes).toEqual(new Int32Array([0, -1, 1, 0]));
    expect(codes).toEqual(new Int32Array([99_999, -1, 5, 99_999]));
  });

  it('keep a dictionary that is no longer than the rows', () => {
    const column = { kind: 'text', dictionary: ['a', 'b'], codes: new Int32Array([1, 1]) };
    expect(send(column)).toEqual({ kind: 'text', dictionary: ['a', 'b'], codes: new Int32Array([1, 1]) });
  });
});

describe('decimals', () => {
  const column = (coefficients: bigint[]): DecimalColumn => ({
    kind: 'decimal',
    coefficients,
    scales: Uint8Array.from(coefficients, (_, i) => i),
    nulls: undefined,
  });

  it.each([
    ['within 64 bits', [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]],
    ['beyond 64 bits', [1n, 2n ** 63n]],
    ['beyond 64 bits, negative', [-(2n ** 63n) - 1n, 10n ** 37n]],
    ['none', []],
  ])('%s come out as they went in', (_, coefficients) => {
    expect(send(column(coefficients))).toEqual(column(coefficients));
    expect(send(column(coefficients), 'give')).toEqual(column(coefficients));
  });
});

describe('everything else', () => {
  it('comes out as it went in', () => {
    const value = {
      request: { table: 7, series: null, fromNs: 5n, order: 'asc', columns: ['a', 'b'] },
      parameters: [null, 1, 'x', true, { coefficient: 5n, scale: 1 }],
      documents: new Map([['lsn', '17']]),
      column: { name: 'size', type: { kind: 'decimal', precision: 4 }, nullable: true },
      nulls: columnOf('int64', [1n, null]),
      nothing: undefined,
    };
    expect(send(value)).toEqual(value);
  });
});
