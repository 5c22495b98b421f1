/**
 * Small helpers for binary formats. All formats here are little-endian, as is every platform Node runs on today
 * but s390x.
 */

const zeros = new Uint8Array(8);

/** `byteLength` rounded up to a multiple of 8. */
export function align8(byteLength: number): number {
  return Math.ceil(byteLength / 8) * 8;
}

/** The zero bytes that must follow `byteLength` bytes to reach a multiple of 8. */
export function padding8(byteLength: number): Uint8Array {
  return zeros.subarray(0, align8(byteLength) - byteLength);
}

/** The memory of a typed array or DataView as bytes: a view, not a copy. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A whole number up to 2^53 stored as u64. */
export function getUint53(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 4294967296 + view.getUint32(offset, true);
}

/** See {@link getUint53}. */
export function setUint53(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / 4294967296), true);
}
