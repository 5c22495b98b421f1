/**
 * A pull reader of JSON over bytes, for decoders that put values straight into typed columns.
 *
 * Why not `JSON.parse`: a number there is a double, so that nanosecond times, 64-bit integers and decimals lose digits
 * without a word; and a million rows become a million objects. Here a number keeps its text until a column says what it
 * wants, and a string stays bytes until a dictionary has seen it.
 *
 * Accepts what RFC 8259 does and nothing else. Every failure is a `SYNTAX` error with its position.
 *
 * ```
 * const reader = new JsonReader(Buffer.from('[1.5, "a"]'));
 * reader.next() === token.open          // '['
 * reader.next() === token.number        // reader.double() === 1.5
 * reader.next() === token.comma
 * reader.next() === token.string        // reader.string() === 'a'
 * ```
 */
import { CandelaError } from '../../core/errors.ts';

/** What {@link JsonReader.next} found: the first byte of the token, `0` for any number and 0 at the end. */
export const token = {
  end: 0,
  string: 0x22,
  number: 0x30,
  true: 0x74,
  false: 0x66,
  null: 0x6e,
  comma: 0x2c,
  colon: 0x3a,
  openArray: 0x5b,
  closeArray: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/** Powers of ten that are exact doubles. */
const powersOfTen = Float64Array.from({ length: 23 }, (_, power) => 10 ** power);

/** See the head of this file. `start` and `end` bound the last token: a number's text, a string's inside. */
export class JsonReader {
  readonly bytes: Buffer;
  /** Where the next token is looked for. */
  at: number;
  /** Bytes from here on are not read. */
  limit: number;
  /** Where the text began, for positions in errors. */
  origin = 0;
  start = 0;
  end = 0;
  /** The last string holds backslashes. */
  escaped = false;
  /** Digits of the last number as one whole number: exact while `digitCount` ≤ 15. */
  mantissa = 0;
  /** Digits from the first that is not 0. */
  digitCount = 0;
  /** The last number is ±mantissa × 10^exponent. */
  exponent = 0;
  negative = false;

  /** Reads bytes `at` to `limit`; a byte-order mark at the very start is passed over. */
  constructor(bytes: Buffer, at = 0, limit: number = bytes.length) {
    this.bytes = bytes;
    const marked = at === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    this.at = marked ? 3 : at;
    this.limit = limit;
  }

  /** Reads one token. */
  next(): number {
    const { bytes, limit } = this;
    let at = this.at;
    while (at < limit && isSpace(bytes[at])) at++;
    this.start = at;
    this.at = at + 1;
    if (at >= limit) return token.end;
    const byte = bytes[at];
    switch (byte) {
      case token.string:
        return this.#string(at + 1);
      case token.true:
        return this.#word('true');
      case token.false:
        return this.#word('false');
      case token.null:
        return this.#word('null');
      case token.comma:
      case token.colon:
      case token.openArray:
      case token.closeArray:
      case token.openObject:
      case token.closeObject:
        return byte;
      default:
        if (byte === 0x2d || isDigit(byte)) return this.#number(at);
        throw this.error(`unexpected ${describeByte(byte)}`);
    }
  }

  /** Reads one token, which must be `wanted`; `what` names it in the error. */
  expect(wanted: number, what: string): void {
    const found = this.next();
    if (found !== wanted) throw this.unexpected(found, what);
  }

  /** The last number as the nearest double; infinite when beyond the range. */
  double(): number {
    const { exponent } = this;
    if (this.digitCount > 15 || exponent < -22 || exponent > 22) return Number(this.text());
    // Both factors are exact, so the one rounding of the product or quotient is the right one.
    const size =
      exponent < 0 ? this.mantissa / powersOfTen[-exponent] : this.mantissa * powersOfTen[exponent];
    return this.negative ? -size : size;
  }

  /** The last token as it was written (of a string: what is between the quotes, escapes kept). */
  text(): string {
    return this.bytes.toString('utf8', this.start, this.end);
  }

  /** The last string's value. */
  string(): string {
    if (!this.escaped) return this.text();
    try {
      return JSON.parse(`"${this.text()}"`) as string;
    } catch {
      throw this.error('a string with an unknown escape');
    }
  }

  /** Having read `{` or `[`: passes over it and returns its text, which is valid JSON. */
  nested(): string {
    const from = this.start;
    const closers = [closerOf(this.bytes[from])];
    let isFirst = true;
    while (closers.length > 0) {
      const closer = closers[closers.length - 1];
      let found = this.next();
      if (found === closer) {
        closers.pop();
        isFirst = false;
        continue;
      }
      if (!isFirst) {
        if (found !== token.comma) throw this.unexpected(found, `',' or '${String.fromCharCode(closer)}'`);
        found = this.next();
      }
      if (closer === token.closeObject) found = this.#member(found);
      isFirst = found === token.openArray || found === token.openObject;
      if (isFirst) closers.push(closerOf(found));
      else this.checkScalar(found);
    }
    return this.bytes.toString('utf8', from, this.at);
  }

  /** Having read `found`: throws unless it is a string, number, boolean or null. */
  checkScalar(found: number): void {
    if (found === token.string) {
      if (this.escaped) this.string();
    } else if (found !== token.number && !isWord(found)) throw this.unexpected(found, 'a value');
  }

  /** Reads a name, of which `found` was read, and the colon; returns the token that begins the value. */
  #member(found: number): number {
    if (found !== token.string) throw this.unexpected(found, 'a name in quotes');
    this.checkScalar(found);
    this.expect(token.colon, "':'");
    return this.next();
  }

  /** A `SYNTAX` error at the last token. */
  error(problem: string): CandelaError {
    const before = this.bytes.toString('utf8', this.origin, Math.min(this.start, this.limit));
    const line = before.split('\n').length;
    const column = before.length - before.lastIndexOf('\n');
    return new CandelaError('SYNTAX', `JSON, line ${line}, column ${column}: ${problem}`, {
      position: before.length,
    });
  }

  /** A `SYNTAX` error that says what was found where `what` was looked for. */
  unexpected(found: number, what: string): CandelaError {
    if (found === token.end) return this.error(`the text ends where ${what} should be`);
    return this.error(`expected ${what}, found ${describeByte(this.bytes[this.start])}`);
  }

  #word(word: string): number {
    const end = this.start + word.length;
    if (end > this.limit || this.bytes.toString('latin1', this.start, end) !== word) {
      throw this.error(`expected ${word}`);
    }
    this.at = end;
    return word.charCodeAt(0);
  }

  #string(from: number): number {
    const { bytes, limit } = this;
    let escaped = false;
    let at = from;
    for (; at < limit; at++) {
      const byte = bytes[at];
      if (byte === 0x22) break;
      if (byte === 0x5c) {
        escaped = true;
        at++;
      } else if (byte < 0x20) {
        this.start = at;
        throw this.error('a control character inside a string');
      }
    }
    if (at >= limit) throw this.error('a string without end');
    this.start = from;
    this.end = at;
    this.at = at + 1;
    this.escaped = escaped;
    return token.string;
  }

  #number(from: number): number {
    const { bytes, limit } = this;
    let at = from;
    this.negative = bytes[at] === 0x2d;
    if (this.negative) at++;
    this.mantissa = 0;
    this.digitCount = 0;
    this.exponent = 0;
    const whole = at;
    at = this.#digits(at);
    if (at === whole || (bytes[whole] === 0x30 && at > whole + 1)) {
      throw this.error('a number with a leading zero or without digits');
    }
    if (at < limit && bytes[at] === 0x2e) {
      const point = at + 1;
      at = this.#digits(point);
      if (at === point) throw this.error('a number that ends with its decimal point');
      this.exponent = point - at;
    }
    if (at < limit && (bytes[at] | 0x20) === 0x65) at = this.#exponent(at + 1);
    this.end = at;
    this.at = at;
    return token.number;
  }

  #digits(from: number): number {
    const { bytes, limit } = this;
    let { mantissa, digitCount } = this;
    let at = from;
    for (; at < limit; at++) {
      const digit = bytes[at] - 0x30;
      if (digit < 0 || digit > 9) break;
      mantissa = mantissa * 10 + digit;
      if (mantissa > 0) digitCount++;
    }
    this.mantissa = mantissa;
    this.digitCount = digitCount;
    return at;
  }

  #exponent(from: number): number {
    const { bytes, limit } = this;
    let at = from;
    const negative = at < limit && bytes[at] === 0x2d;
    if (negative || (at < limit && bytes[at] === 0x2b)) at++;
    const first = at;
    let size = 0;
    // The size saturates: beyond 10^±9999 every double is zero or infinite anyway.
    for (; at < limit && isDigit(bytes[at]); at++) size = Math.min(9999, size * 10 + bytes[at] - 0x30);
    if (at === first) throw this.error('a number with an empty exponent');
    this.exponent += negative ? -size : size;
    return at;
  }
}

function closerOf(opener: number): number {
  return opener === token.openObject ? token.closeObject : token.closeArray;
}

function isWord(found: number): boolean {
  return found === token.true || found === token.false || found === token.null;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function describeByte(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `byte 0x${byte.toString(16)}`;
}
