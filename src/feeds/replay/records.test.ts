import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv, readJsonRows, readLines } from './records.ts';

async function* pieces(parts: string[]): AsyncGenerator<string> {
  yield* parts;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The text cut at the positions given. */
function cut(text: string, positions: number[]): string[] {
  const at = [
    0,
    ...positions.map((position) => position % (text.length + 1)).sort((a, b) => a - b),
    text.length,
  ];
  return at.slice(1).map((end, index) => text.slice(at[index], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 6 });

describe('lines', () => {
  it('are the same wherever the pieces are cut, with and without a last line end', async () => {
    await fc.assert(
      fc.asyncProperty(cuts, fc.constantFrom('', '\n', '\r\n\n'), async (positions, end) => {
        const text = `one\r\ntwo,"x"\n\nthree${end}`;
        expect((await all(readLines(pieces(cut(text, positions))))).flat()).toEqual([
          'one',
          'two,"x"',
          'three',
        ]);
      }),
    );
  });
});

describe('CSV', () => {
  it.each([
    ['plain', '\ufefftime,note\r\n1,a\r\n\r\n2\r\n', [['time', 'note'], ['1', 'a'], ['2']]],
    [
      'quoted',
      'time,note\n1,a\n2,"b ""c"",\nd"\n3,',
      [
        ['time', 'note'],
        ['1', 'a'],
        ['2', 'b "c",\nd'],
        ['3', ''],
      ],
    ],
  ])('gives the cells of each record, %s, wherever the pieces are cut', async (_, text, records) => {
    await fc.assert(
      fc.asyncProperty(cuts, async (positions) => {
        expect((await all(readCsv(pieces(cut(text, positions))))).flat()).toEqual(records);
      }),
    );
  });

  it('passes on what goes wrong with the file', async () => {
    const broken = (quote: string) =>
      (async function* () {
        yield `a,b\n1,${quote}\n`;
        throw new Error('disk unplugged');
      })();
    await expect(all(readCsv(broken('2')))).rejects.toThrow('disk unplugged');
    await expect(all(readCsv(broken('"2"')))).rejects.toThrow('disk unplugged');
    await expect(all(readCsv(pieces(['a,b\n"1,2\n'])))).rejects.toMatchObject({ code: 'SYNTAX' });
  });
});

describe('rows of a JSON document', () => {
  const text =
    '{"error":[], "result":{"XBT]\\"USD":[["1.5",2,null,"[x]\\\\"],\n["2",3,true,""]],"last":"17"}}';
  const rows = [
    { key: 'XBT]\\"USD', row: ['1.5', 2, null, '[x]\\'] },
    { key: 'XBT]\\"USD', row: ['2', 3, true, ''] },
  ];

  it('are the same wherever the pieces are cut', async () => {
    await fc.assert(
      fc.asyncProperty(cuts, async (positions) => {
        expect((await all(readJsonRows(pieces(cut(text, positions))))).flat()).toEqual(rows);
      }),
    );
    expect((await all(readJsonRows(pieces([...text])))).flat()).toEqual(rows);
  });

  it('have no key in a bare array, and objects are passed over', async () => {
    const bare = '[[1,"a"],{"x":[]},[{"y":1},2],[3]]';
    expect((await all(readJsonRows(pieces([bare])))).flat()).toEqual([
      { key: null, row: [1, 'a'] },
      { key: null, row: [3] },
    ]);
  });

  it('say what is not JSON', async () => {
    await expect(all(readJsonRows(pieces(['[[1,two]]'])))).rejects.toThrow('not JSON: [1,two]');
  });
});
