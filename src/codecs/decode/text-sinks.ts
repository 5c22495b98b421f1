import type { BooleanColumn, TextColumn } from '../../market/columns.ts';
import { ByteDictionary } from './byte-dictionary.ts';
import type { JsonReader } from './json-reader.ts';
import { ColumnSink, enlarged, enlargedNulls, quote, type Refusal, trimNulls } from './sink.ts';

/** Strings. The dictionary may hold a string twice: once from bytes, once from text. */
export class TextSink extends ColumnSink<TextColumn> {
  protected readonly wanted: string = 'a string';
  #dictionary: string[] = [];
  #byBytes = new ByteDictionary(this.#dictionary);
  #byText = new Map<string, number>();
  #codes: Int32Array = new Int32Array(0);

  override putNumber(_row: number, reader: JsonReader): Refusal {
    return `is the number ${reader.text()}, not a string`;
  }

  override putText(row: number, text: string): Refusal {
    let code = this.#byText.get(text);
    if (code === undefined) {
      code = this.#dictionary.push(text) - 1;
      this.#byText.set(text, code);
    }
    this.#codes[row] = code;
    return null;
  }

  override putBytes(row: number, bytes: Buffer, start: number, end: number): Refusal {
    this.#codes[row] = this.#byBytes.codeOf(bytes, start, end);
    return null;
  }

  protected override grow(capacity: number): void {
    const from = this.#codes.length;
    this.#codes = enlarged(this.#codes, capacity).fill(-1, from);
  }

  override finish(rowCount: number): TextColumn {
    return { kind: 'text', dictionary: this.#dictionary, codes: this.#codes.subarray(0, rowCount) };
  }

  override repeatFirst(rowCount: number): void {
    this.#codes.fill(this.#codes[0], 1, rowCount);
  }
}

/**
 * JSON documents, kept as text. An object, array, number or boolean stands for itself; a string is the text of a
 * document, so that what is read back can be written again.
 */
export class JsonSink extends TextSink {
  protected override readonly wanted = 'a JSON document';

  override putNumber(row: number, reader: JsonReader): Refusal {
    return super.putText(row, reader.text());
  }

  override putText(row: number, text: string): Refusal {
    try {
      JSON.parse(text);
    } catch {
      return `${quote(text)} is not a JSON document`;
    }
    return super.putText(row, text);
  }

  override putBytes(row: number, bytes: Buffer, start: number, end: number): Refusal {
    return this.putText(row, bytes.toString('utf8', start, end));
  }

  override putBoolean(row: number, value: boolean): Refusal {
    return super.putText(row, String(value));
  }

  override putNested(row: number, text: string): Refusal {
    return super.putText(row, text);
  }
}

const booleanWords: Record<string, number> = { true: 1, t: 1, '1': 1, false: 0, f: 0, '0': 0 };

/** True and false; as text also t/f and 1/0, in any case. */
export class BooleanSink extends ColumnSink<BooleanColumn> {
  protected readonly wanted = 'true or false';
  #values = new Uint8Array(0);
  #nulls: Uint8Array = new Uint8Array(0);

  override putNumber(row: number, reader: JsonReader): Refusal {
    return this.putText(row, reader.text());
  }

  override putText(row: number, text: string): Refusal {
    const word = text.trim().toLowerCase();
    if (!Object.hasOwn(booleanWords, word)) return `${quote(text)} is neither true nor false`;
    return this.putBoolean(row, booleanWords[word] === 1);
  }

  override putBoolean(row: number, value: boolean): Refusal {
    this.#values[row] = value ? 1 : 0;
    this.#nulls[row] = 0;
    return null;
  }

  protected override grow(capacity: number): void {
    this.#values = enlarged(this.#values, capacity);
    this.#nulls = enlargedNulls(this.#nulls, capacity);
  }

  override finish(rowCount: number): BooleanColumn {
    return {
      kind: 'boolean',
      values: this.#values.subarray(0, rowCount),
      nulls: trimNulls(this.#nulls, rowCount),
    };
  }

  override repeatFirst(rowCount: number): void {
    this.#values.fill(this.#values[0], 1, rowCount);
    this.#nulls.fill(this.#nulls[0], 1, rowCount);
  }
}
