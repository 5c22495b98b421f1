/** More tables than any message of ours or of a sane client has: a column takes about three. */
const tablesMax = 65_536;

/**
 * A FlatBuffer read with every offset checked: nothing outside `bytes` is touched, and an offset that points back into
 * its own table ends at a bound. Complaints go to `damaged`, whose error is thrown.
 *
 * A table is known by its position, 0 meaning absent (the root is never at 0, where its offset stands).
 */
export class FlatBuffer {
  readonly #view: DataView;
  readonly #damaged: (reason: string) => Error;
  #tables = 0;

  constructor(bytes: Uint8Array, damaged: (reason: string) => Error) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#damaged = damaged;
  }

  root(): number {
    return this.tableAt(0);
  }

  /** The table that the offset stored at `at` points to. */
  tableAt(at: number): number {
    const table = this.#follow(at);
    if (++this.#tables > tablesMax) throw this.#damaged('metadata of too many parts');
    this.#within(table, 4);
    const vtable = table - this.#view.getInt32(table, true);
    this.#within(vtable, 4);
    // Signed, as the library reads them, so that both see the same fields.
    const vtableSize = this.#view.getInt16(vtable, true);
    if (vtableSize < 4 || vtableSize % 2 !== 0) throw this.#damaged('metadata that is no table');
    this.#within(vtable, vtableSize);
    return table;
  }

  /** The table that a field refers to. */
  child(table: number, field: number): number {
    const at = this.#fieldAt(table, field);
    return at === 0 ? 0 : this.tableAt(at);
  }

  /** A field of one byte; 0 when absent. */
  byte(table: number, field: number): number {
    const at = this.#fieldAt(table, field);
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  /** A count in an int64 field; 0 when absent. */
  count(table: number, field: number, what: string): number {
    const at = this.#fieldAt(table, field);
    return at === 0 ? 0 : this.countAt(at, what);
  }

  /** A count stored as int64. */
  countAt(at: number, what: string): number {
    this.#within(at, 8);
    const value = this.#view.getBigInt64(at, true);
    if (value < 0n || value > 0x7fffffffn) throw this.#damaged(`${what} of ${value}`);
    return Number(value);
  }

  /** Checks a vector (or string) field; visits the position of each of its elements of `width` bytes. */
  vector(table: number, field: number, width: number, visit?: (at: number) => void): void {
    const at = this.#fieldAt(table, field);
    if (at === 0) return;
    const vector = this.#follow(at);
    this.#within(vector, 4);
    const length = this.#view.getUint32(vector, true);
    this.#within(vector + 4, length * width);
    if (visit) for (let i = 0; i < length; i++) visit(vector + 4 + i * width);
  }

  #fieldAt(table: number, field: number): number {
    const vtable = table - this.#view.getInt32(table, true);
    const entry = 4 + field * 2;
    if (entry >= this.#view.getInt16(vtable, true)) return 0;
    const offset = this.#view.getInt16(vtable + entry, true);
    if (offset === 0) return 0;
    if (offset < 0) throw this.#damaged('metadata that points outside itself');
    this.#within(table + offset, 1);
    return table + offset;
  }

  #follow(at: number): number {
    this.#within(at, 4);
    return at + this.#view.getUint32(at, true);
  }

  #within(at: number, length: number): void {
    if (at < 0 || at + length > this.#view.byteLength)
      throw this.#damaged('metadata that points outside itself');
  }
}
