import { crc32c as nativeCrc32c } from '@node-rs/crc32';

/**
 * CRC-32C (Castagnoli) of `bytes`, as an unsigned 32-bit number. To go on over several pieces, pass the checksum of
 * those before as `start`: `crc32c(b, crc32c(a))` is the checksum of a followed by b.
 */
export function crc32c(bytes: Uint8Array, start = 0): number {
  return nativeCrc32c(bytes, start);
}
