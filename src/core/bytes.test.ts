import { describe, expect, it } from 'vitest';
import { align8, bytesOf, getUint53, padding8, setUint53 } from './bytes.ts';
import { crc32c } from './checksum.ts';

describe('binary helpers', () => {
  it.each([0, 1, 4294967295, 4294967296, 2 ** 53 - 1])('store %d as u64', (value) => {
    const view = new DataView(new ArrayBuffer(8));
    setUint53(view, 0, value);
    expect(view.getBigUint64(0, true)).toBe(BigInt(value));
    expect(getUint53(view, 0)).toBe(value);
  });

  it('pad to multiples of 8', () => {
    expect([0, 1, 7, 8, 9].map(align8)).toEqual([0, 8, 8, 8, 16]);
    expect([0, 1, 7, 8, 9].map((length) => padding8(length).length)).toEqual([0, 7, 1, 0, 7]);
  });

  it('see a slice of a typed array as its bytes', () => {
    const values = Uint16Array.of(1, 2, 3).subarray(1);
    expect([...bytesOf(values)]).toEqual([2, 0, 3, 0]);
  });
});

describe('crc32c', () => {
  // The check value of the CRC-32C in the catalogue of parametrised CRC algorithms.
  it('is the Castagnoli polynomial', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  it('goes on over pieces', () => {
    expect(crc32c(Buffer.from('56789'), crc32c(Buffer.from('1234')))).toBe(0xe3069283);
  });
});
