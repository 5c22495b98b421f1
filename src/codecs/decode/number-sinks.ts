import type { DecimalColumn, DoubleColumn, Int64Column } from '../../market/columns.ts';
import { decimalDigitsMax, parseDecimal } from '../decimal-text.ts';
import { putInteger, wordsOf } from '../time-words.ts';
import type { JsonReader } from './json-reader.ts';
import { ColumnSink, enlarged, enlargedNulls, quote, type Refusal, trimNulls } from './sink.ts';

const numberPattern = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
const infinities: Record<string, number> = { Infinity: Infinity, '-Infinity': -Infinity, NaN: Number.NaN };

/** Doubles. As text also `NaN` (null) and `±Infinity`, as the encoders write it. */
export class DoubleSink extends ColumnSink<DoubleColumn> {
  protected readonly wanted = 'a number';
  #values = new Float64Array(0);

  override putNumber(row: number, reader: JsonReader): Refusal {
    const value = reader.double();
    if (!Number.isFinite(value)) return `${quote(reader.text())} is beyond the range of a double`;
    this.#values[row] = value;
    return null;
  }

  override putText(row: number, text: string): Refusal {
    if (!numberPattern.test(text)) {
      const special = infinities[text];
      if (special === undefined) return `${quote(text)} is not a number`;
      this.#values[row] = special;
      return null;
    }
    const value = Number(text);
    if (!Number.isFinite(value)) return `${quote(text)} is beyond the range of a double`;
    this.#values[row] = value;
    return null;
  }

  protected override grow(capacity: number): void {
    const from = this.#values.length;
    this.#values = enlarged(this.#values, capacity).fill(Number.NaN, from);
  }

  override finish(rowCount: number): DoubleColumn {
    return { kind: 'double', values: this.#values.subarray(0, rowCount) };
  }

  override repeatFirst(rowCount: number): void {
    this.#values.fill(this.#values[0], 1, rowCount);
  }
}

/** 64-bit integers; numbers such as `5.0` count as whole while exact. */
export class Int64Sink extends ColumnSink<Int64Column> {
  protected readonly wanted = 'a whole number';
  #values = new BigInt64Array(0);
  #words: Int32Array = new Int32Array(0);
  #nulls: Uint8Array = new Uint8Array(0);

  override putNumber(row: number, reader: JsonReader): Refusal {
    if (reader.digitCount > 15 || reader.exponent !== 0) return this.#putSlow(row, reader.text());
    putInteger(this.#words, row, reader.negative ? -reader.mantissa : reader.mantissa);
    this.#nulls[row] = 0;
    return null;
  }

  override putText(row: number, text: string): Refusal {
    return this.#putSlow(row, text.trim());
  }

  #putSlow(row: number, text: string): Refusal {
    const value = wholeNumber(text);
    if (value === undefined) return `${quote(text)} is not a whole number`;
    if (BigInt.asIntN(64, value) !== value) return `${quote(text)} is beyond 64 bits`;
    this.#values[row] = value;
    this.#nulls[row] = 0;
    return null;
  }

  protected override grow(capacity: number): void {
    this.#values = enlarged(this.#values, capacity);
    this.#words = wordsOf(this.#values);
    this.#nulls = enlargedNulls(this.#nulls, capacity);
  }

  override finish(rowCount: number): Int64Column {
    return {
      kind: 'int64',
      values: this.#values.subarray(0, rowCount),
      nulls: trimNulls(this.#nulls, rowCount),
    };
  }

  override repeatFirst(rowCount: number): void {
    this.#values.fill(this.#values[0], 1, rowCount);
    this.#nulls.fill(this.#nulls[0], 1, rowCount);
  }
}

/** Exact decimals, also from JSON numbers: their digits are taken as written. */
export class DecimalSink extends ColumnSink<DecimalColumn> {
  protected readonly wanted = 'a number';
  #coefficients: bigint[] = [];
  #scales = new Uint8Array(0);
  #nulls: Uint8Array = new Uint8Array(0);

  override putNumber(row: number, reader: JsonReader): Refusal {
    if (reader.digitCount > 15 || reader.exponent > 0 || reader.exponent < -decimalDigitsMax) {
      return this.putText(row, reader.text());
    }
    this.#coefficients[row] = BigInt(reader.negative ? -reader.mantissa : reader.mantissa);
    this.#scales[row] = -reader.exponent;
    this.#nulls[row] = 0;
    return null;
  }

  override putText(row: number, text: string): Refusal {
    const decimal = parseDecimal(text.trim());
    if (!decimal) return `${quote(text)} is not a number of at most ${decimalDigitsMax} digits`;
    this.#coefficients[row] = decimal.coefficient;
    this.#scales[row] = decimal.scale;
    this.#nulls[row] = 0;
    return null;
  }

  protected override grow(capacity: number): void {
    for (let row = this.#coefficients.length; row < capacity; row++) this.#coefficients.push(0n);
    this.#scales = enlarged(this.#scales, capacity);
    this.#nulls = enlargedNulls(this.#nulls, capacity);
  }

  override finish(rowCount: number): DecimalColumn {
    this.#coefficients.length = rowCount;
    return {
      kind: 'decimal',
      coefficients: this.#coefficients,
      scales: this.#scales.subarray(0, rowCount),
      nulls: trimNulls(this.#nulls, rowCount),
    };
  }

  override repeatFirst(rowCount: number): void {
    this.#coefficients.fill(this.#coefficients[0], 1, rowCount);
    this.#scales.fill(this.#scales[0], 1, rowCount);
    this.#nulls.fill(this.#nulls[0], 1, rowCount);
  }
}

function wholeNumber(text: string): bigint | undefined {
  if (/^[+-]?\d{1,40}$/.test(text)) return BigInt(text.startsWith('+') ? text.slice(1) : text);
  const value = numberPattern.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? BigInt(value) : undefined;
}
