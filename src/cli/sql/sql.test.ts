import { describe, expect, it } from 'vitest';
import { columnOf } from '../../market/columns.ts';
import { formatTable } from './format-table.ts';
import { splitStatements } from './split-statements.ts';

describe('splitting a text into statements', () => {
  it.each<[string, string, string[], string]>([
    ['two and a rest', 'SELECT 1; SELECT 2;\nSELECT', ['SELECT 1', 'SELECT 2'], '\nSELECT'],
    ['blank ones left out', ';; SELECT 1 ;', ['SELECT 1'], ''],
    ['semicolons in strings and names', `SELECT 'a;''b', "c;d";`, [`SELECT 'a;''b', "c;d"`], ''],
    [
      'semicolons in comments',
      'SELECT 1 -- one; two\n, 2 /* a;b */;',
      ['SELECT 1 -- one; two\n, 2 /* a;b */'],
      '',
    ],
    ['a quote in a comment', "SELECT 1 -- don't;\n;SELECT 2;", ["SELECT 1 -- don't;", 'SELECT 2'], ''],
    [
      'dollar quotes',
      'SELECT $x$ a; $$ b $x$; SELECT $$;$$;',
      ['SELECT $x$ a; $$ b $x$', 'SELECT $$;$$'],
      '',
    ],
    ['a string without end', "SELECT 1; SELECT 'a; b", ['SELECT 1'], " SELECT 'a; b"],
  ])('%s', (_what, text, statements, rest) => {
    expect(splitStatements(text)).toEqual({ statements, rest });
  });
});

it('aligns columns, numbers to the right, wide characters counted', () => {
  const table = formatTable({
    rowCount: 2,
    names: ['symbol', 'price', 'time', 'amount'],
    columns: [
      columnOf('text', ['贵州茅台', null]),
      columnOf('double', [1854.98, null]),
      columnOf('timestamp', [0n, 1_715_938_200_000_000_000n]),
      columnOf('decimal', [
        { coefficient: 110n, scale: 2 },
        { coefficient: -5n, scale: 0 },
      ]),
    ],
  });
  expect(table).toBe(
    [
      'symbol      price  time                  amount',
      '────────  ───────  ────────────────────  ──────',
      '贵州茅台  1854.98  1970-01-01T00:00:00Z    1.10',
      'NULL         NULL  2024-05-17T09:30:00Z      -5',
      '',
    ].join('\n'),
  );
});
