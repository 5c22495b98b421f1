import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CandelaError } from '../../core/errors.ts';
import { JsonReader, token } from './json-reader.ts';
import { locate } from './parse-json.ts';

/** Reads a whole document into plain values, as `JSON.parse` does. */
function readAll(text: string): unknown {
  const reader = new JsonReader(Buffer.from(text));
  const value = readValue(reader, reader.next());
  reader.expect(token.end, 'the end');
  return value;
}

function readValue(reader: JsonReader, found: number): unknown {
  switch (found) {
    case token.number:
      return reader.double();
    case token.string:
      return reader.string();
    case token.true:
      return true;
    case token.false:
      return false;
    case token.null:
      return null;
    case token.openArray:
    case token.openObject:
      return JSON.parse(reader.nested());
    default:
      throw reader.unexpected(found, 'a value');
  }
}

/** What either reader makes of a text: a value, or that it is not JSON. */
function outcome(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof SyntaxError) return 'not JSON';
    if (error instanceof CandelaError && error.code === 'SYNTAX') return 'not JSON';
    throw error;
  }
}

function check(text: string): void {
  expect(
    outcome(() => readAll(text)),
    text,
  ).toEqual(outcome(() => JSON.parse(text)));
}

it('agrees with JSON.parse on every number', () => {
  for (const text of [
    '0',
    '-0',
    '1.5',
    '-1.25e-3',
    '1E+5',
    '123456789012345678',
    '0.1',
    '1e22',
    '1e23',
    '5e-324',
  ]) {
    check(text);
  }
  for (const text of [
    '01',
    '1.',
    '.5',
    '+1',
    '-',
    '1e',
    '1e+',
    '0x1',
    '1_0',
    '--1',
    '1.e5',
    'Infinity',
    'NaN',
  ]) {
    check(text);
  }
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => check(String(value))),
  );
  const digits = fc.stringMatching(/^-?[0-9]{1,25}(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?$/);
  fc.assert(fc.property(digits, check), { numRuns: 2000 });
});

it('agrees with JSON.parse on documents, whole and damaged', () => {
  fc.assert(fc.property(fc.json(), check));
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 2 }), (text, place, insert) => {
      const at = place % (text.length + 1);
      check(text.slice(0, at) + insert + text.slice(at + 1));
    }),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.stringMatching(/^[[\]{},:"\\ tfn0-9ue.+-]{0,12}$/), check), { numRuns: 5000 });
});

it('reads escapes and any script', () => {
  check('"a\\n\\u00e9\\"\\\\\\/ü€😀"');
  check('"\\ud83d\\ude00"');
  check('"\\x"');
  check('"a\nb"');
  check('"open');
  check('"open\\"');
});

it('says where the text is wrong', () => {
  const check = (text: string, position: number, message: RegExp) => {
    try {
      readAll(text);
    } catch (error) {
      expect(error).toBeInstanceOf(CandelaError);
      expect(error).toMatchObject({ code: 'SYNTAX', position, message: expect.stringMatching(message) });
      return;
    }
    throw new Error(`${text} was read`);
  };
  check('  wrong', 2, /line 1, column 3: unexpected 'w'/);
  check('1 2', 2, /column 3: expected the end, found '2'/);
  check('"ü" ]', 4, /column 5/);
  check('\n\n  +', 4, /line 3, column 3/);
  check('tru', 0, /expected true/);
  check('', 0, /the text ends where a value should be/);
});

it('says where within a nested value, counting characters', () => {
  const check = (text: string, position: number) =>
    expect(locate(text), text).toMatchObject({ code: 'SYNTAX', position });
  check('[1,]', 3);
  check('{"ü": 1, 2}', 9);
  check('{"a" 1}', 5);
  check('[1 2]', 3);
  check('{"a": nul}', 6);
  check('[}', 1);
  check(',', 0);
  expect(locate('{"a": [1, "x"]}')).toBeUndefined();
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 2 }), (text, place, insert) => {
      const at = place % (text.length + 1);
      const changed = text.slice(0, at) + insert + text.slice(at + 1);
      expect(locate(changed) === undefined, changed).toBe(outcome(() => JSON.parse(changed)) !== 'not JSON');
    }),
    { numRuns: 1000 },
  );
});

it('stays within its part of the bytes', () => {
  const reader = new JsonReader(Buffer.from('12345'), 1, 3);
  expect(reader.next()).toBe(token.number);
  expect(reader.double()).toBe(23);
  expect(reader.next()).toBe(token.end);
  const cut = new JsonReader(Buffer.from('1e-5'), 0, 2);
  expect(() => cut.next()).toThrow(/empty exponent/);
});

it('takes deep nesting without exhausting the stack', () => {
  const deep = 200_000;
  const reader = new JsonReader(Buffer.from('['.repeat(deep) + ']'.repeat(deep)));
  reader.next();
  expect(reader.nested().length).toBe(2 * deep);
  expect(outcome(() => readAll('['.repeat(deep)))).toBe('not JSON');
});
