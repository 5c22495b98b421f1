/** Proves each tidy rule on small sources: what it accepts, and what it says about what it refuses. */
import { describe, expect, it } from 'vitest';
import {
  checkDeadCode,
  checkDocComments,
  checkDoors,
  checkFunctionLength,
  checkSwitchedOff,
} from './code-rules.ts';
import { areaOf, checkCycles, checkLayers, checkPackages } from './import-rules.ts';
import { type Finding, formatFinding, type SourceFile, sourceFile } from './source-file.ts';
import {
  checkBannedText,
  checkFileLength,
  checkFileNames,
  checkLineLength,
  checkLinks,
} from './text-rules.ts';

type Rule = (files: readonly SourceFile[]) => Finding[];

/** The rule accepts each `path: text`. */
function accepts(rule: Rule, cases: Record<string, string>): void {
  for (const [path, text] of Object.entries(cases)) {
    expect(rule([sourceFile(path, text)]).map(formatFinding), path).toEqual([]);
  }
}

/** The rule's only finding on the file begins with `expected`, which starts with the line. */
function refuses(rule: Rule, path: string, text: string, expected: string): void {
  const findings = rule([sourceFile(path, text)]).map(formatFinding);
  expect(findings, text).toHaveLength(1);
  expect(findings[0]).toContain(`${path}:${expected}`);
}

const lines = (count: number, line = '  x();'): string => `${line}\n`.repeat(count);

describe('layers', () => {
  it.each([
    ['src/index.ts', 'index'],
    ['src/core/errors.ts', 'core'],
    ['src/storage/duckdb/types.ts', 'storage'],
    ['src/protocols/resp/codec.ts', 'protocols/resp'],
    ['src/protocols/resp/commands/get.ts', 'protocols/resp'],
    ['src/protocols/protocol.ts', 'protocols'],
    ['web/model/bars.ts', 'web'],
  ])('%s is in %s', (path, area) => expect(areaOf(path)).toBe(area));

  it('lets a folder import what the table lists, and itself', () => {
    accepts(checkLayers, {
      'src/market/bar.ts': "import { must } from '../core/assert.ts'; import './time.ts';",
      'src/engine/engine.ts': "import type { Storage } from '../storage/storage.ts';",
      'src/protocols/http/server.ts':
        "import { open } from '../../engine/open.ts'; import './routes/bars.ts';",
      'src/server/server.ts': "const resp = await import('../protocols/resp/server.ts');",
      'src/index.ts': "export { open } from './engine/open.ts'; export type { T } from './sql/t.ts';",
      'src/protocols/http/wire.ts': "import type { TableInfo } from '../../engine/database.ts';",
      'web/app.ts':
        "import type { Bars } from '../src/protocols/http/wire.ts'; import { x } from './model/x.ts';",
      'src/engine/engine.test.ts':
        "import { clock } from '../testing/sim-clock.ts'; import '../cli/main.ts';",
    });
  });

  it.each([
    [
      'src/core/a.ts',
      "\nimport { b } from '../market/b.ts';",
      '2  core may import nothing outside itself, not market',
    ],
    [
      'src/market/a.ts',
      "import type { B } from '../storage/b.ts';",
      '1  market may import core, not storage',
    ],
    [
      'src/engine/a.ts',
      "export * from '../sql/b.ts';",
      '1  engine may import core, market, storage, not sql',
    ],
    ['src/sql/a.ts', "type B = import('../net/b.ts').B;", '1  sql may import core, market, engine, not net'],
    [
      'src/protocols/resp/a.ts',
      "import '../http/b.ts';",
      '1  protocols/resp may import core, market, codecs, net',
    ],
    [
      'src/protocols/resp/a.ts',
      "import '../../storage/b.ts';",
      '1  protocols/resp may import core, market, codecs, net',
    ],
    [
      'src/feeds/a.ts',
      "await import('../net/b.ts');",
      '1  feeds may import core, market, codecs, engine, not net',
    ],
    ['src/server/a.ts', "import '../cli/b.ts';", '1  server may import core'],
    ['src/engine/a.ts', "import '../testing/b.ts';", '1  src/testing/b.ts is test code'],
    ['src/storage/a.ts', "import './storage.case.ts';", '1  src/storage/storage.case.ts is test code'],
    ['src/core/a.ts', "import '../../web/b.ts';", '1  core may import nothing outside itself, not web'],
    ['src/utils/a.ts', '', '1  src/utils is not in the import table'],
    ['src/protocols/a.ts', '', '1  src/protocols is not in the import table'],
    [
      'src/protocols/http/wire.ts',
      "import { b } from './b.ts';",
      '1  src/protocols/http/wire.ts imports types only',
    ],
    [
      'web/a.ts',
      "import { b } from '../src/protocols/http/wire.ts';",
      '1  web may not import src/protocols/http/wire',
    ],
    [
      'web/a.ts',
      "import type { B } from '../src/core/errors.ts';",
      '1  web may not import src/core/errors.ts',
    ],
  ])('%s refuses %s', (path, text, expected) => refuses(checkLayers, path, text, expected));
});

describe('packages', () => {
  it('lets a package be imported behind its door', () => {
    accepts(checkPackages, {
      'src/storage/duckdb/duckdb-storage.ts': "import { DuckDBInstance } from '@duckdb/node-api';",
      'src/core/file-system.ts': "import { open } from 'node:fs/promises';",
      'src/net/tcp-server.ts': "import { createServer } from 'node:net';",
      'src/cli/import.ts': "import { parse } from 'csv-parse/sync';",
      'src/engine/engine.test.ts': "import { mkdtempSync } from 'node:fs'; import fc from 'fast-check';",
      'package.json': '{ "dependencies": { "ws": "^8" } }',
    });
  });

  it.each([
    [
      'src/engine/a.ts',
      "\nimport type { X } from '@duckdb/node-api';",
      '2  @duckdb/node-api may be imported by src/st',
    ],
    [
      'src/storage/memory/a.ts',
      "import '@duckdb/node-api';",
      '1  @duckdb/node-api may be imported by src/storage/du',
    ],
    [
      'src/engine/a.ts',
      "import { parse } from 'csv-parse/sync';",
      '1  csv-parse may be imported by src/codecs/',
    ],
    [
      'src/engine/a.ts',
      "import { readFile } from 'node:fs/promises';",
      '1  node:fs may be imported by src/core/file-sy',
    ],
    ['src/core/a.ts', "await import('left-pad');", '1  left-pad may be imported by no shipped file'],
    ['web/a.ts', "import 'node:os';", '1  node:os may be imported by no shipped file'],
    ['package.json', '{\n"dependencies": {\n"left-pad": "1" } }', '3  left-pad has no entry in packageDoors'],
  ])('%s refuses %s', (path, text, expected) => refuses(checkPackages, path, text, expected));
});

describe('cycles', () => {
  const check = (files: Record<string, string>): string[] =>
    checkCycles(Object.entries(files).map(([path, text]) => sourceFile(path, text))).map(formatFinding);

  it('accepts a diamond, and a cycle of types', () => {
    expect(
      check({
        'src/a.ts': "import './b.ts'; import './c.ts';",
        'src/b.ts': "import './d.ts'; import type { A } from './a.ts';",
        'src/c.ts': "import './d.ts'; export type { A } from './a.ts';",
        'src/d.ts': '',
      }),
    ).toEqual([]);
  });

  it.each([
    ["import { a } from './a.ts';"],
    ["export * from './a.ts';"],
    ["import { type A } from './a.ts';"],
    ["const a = () => import('./a.ts');"],
  ])('refuses a cycle closed by %s', (closing) => {
    const found = check({
      'src/a.ts': "import './b.ts';",
      'src/b.ts': "import './c.ts';",
      'src/c.ts': `\n${closing}`,
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('src/c.ts:2  import cycle src/a.ts → src/b.ts → src/c.ts → src/a.ts');
  });
});

describe('doc comments', () => {
  it('accepts documented exports, private symbols and re-exports', () => {
    accepts(checkDocComments, {
      'src/core/a.ts': '#!/usr/bin/env node\n/** A. */\nexport const a = 1;\nconst b = 2;\nfunction c() {}',
      'src/core/b.ts':
        '/** F. */\nexport function f(x: 1): 1;\nexport function f(x: 2): 2;\nexport function f(x) {}',
      'src/core/c.ts': "export { x } from './x.ts'; export * from './y.ts'; export type { Z } from './z.ts';",
      'src/core/d.ts': '/** D. */\nfunction d() {}\nexport { d };',
      'src/core/e.test.ts': 'export const a = 1;',
      'web/a.ts': 'export const a = 1;',
    });
  });

  it.each([
    ['export const a = 1;', '1  export a has no doc comment'],
    ['/** A. */\nexport const a = 1;\nexport type B = 1;', '3  export B has no doc comment'],
    ['// A.\nexport function a() {}', '2  export a has'],
    ['/* A. */\nexport class A {}', '2  export A has'],
    ['/** */\nexport interface A {}', '2  export A has'],
    ['/** About the file. */\n\nexport const a = 1;', '3  export a has'],
    ['/** A. */ const b = 1;\nexport const a = 1;', '2  export a has'],
    ['const a = 1;\nexport { a };', '1  export a has'],
    ['export default 1;', '1  export default has'],
  ])('refuses %s', (text, expected) => refuses(checkDocComments, 'src/core/a.ts', text, expected));
});

describe('function length', () => {
  const check = (text: string, ratchet: Record<string, number> = {}): string[] =>
    checkFunctionLength([sourceFile('src/core/a.ts', text)], ratchet).map(formatFinding);
  const long = (count: number): string => `function f() {\n${lines(count - 2)}}`;

  it('accepts 70 lines, and long tests', () => {
    expect(check(long(70))).toEqual([]);
    accepts((files) => checkFunctionLength(files, {}), { 'src/core/a.test.ts': long(99) });
  });

  it.each([
    [`\n${long(71)}`, '2  f has 71 lines'],
    [`const g = () => {\n${lines(80)}};`, '1  g has 82 lines'],
    [`class C {\n m() {\n${lines(80)}} }`, '2  m has 82 lines'],
    [`const o = { p: function () {\n${lines(80)}} };`, '1  p has 82 lines'],
    [`run(() => {\n${lines(80)}});`, '1  callback has 82 lines'],
  ])('refuses %#', (text, expected) => {
    expect(check(text)).toEqual([expect.stringContaining(`src/core/a.ts:${expected}`)]);
  });

  it('lets a function on the ratchet stay as it is, not grow, and wants the ratchet tight', () => {
    expect(check(long(90), { 'src/core/a.ts:f': 90 })).toEqual([]);
    expect(check(long(91), { 'src/core/a.ts:f': 90 })).toEqual([
      expect.stringContaining('f has 91 lines, 90 are'),
    ]);
    expect(check(long(80), { 'src/core/a.ts:f': 90 })).toEqual([
      expect.stringContaining('is shorter now or gone'),
    ]);
    expect(check(long(10), { 'src/core/a.ts:f': 90 })).toEqual([
      expect.stringContaining('is shorter now or gone'),
    ]);
  });
});

describe('doors', () => {
  it('accepts globals behind their doors, and in tests', () => {
    accepts(checkDoors, {
      'src/core/clock.ts': 'Date.now(); performance.now(); process.hrtime.bigint();',
      'src/core/prng.ts': 'Math.random();',
      'src/cli/main.ts': "console.log('x'); process.exit(1);",
      'src/engine/engine.test.ts': 'Date.now(); console.log(Math.random());',
      'src/engine/engine.ts': 'new Date(0); Date.UTC(2024); Math.max(1); clock.now(); process.exitCode = 1;',
      'web/app.ts': 'performance.now();',
    });
  });

  it.each([
    ['\nconst t = Date.now();', '2  Date.now belongs in'],
    ['const now = Date.now;', '1  Date.now belongs in'],
    ['new Date();', '1  Date.now belongs in'],
    ['Date();', '1  Date.now belongs in'],
    ['performance.now();', '1  performance.now belongs in'],
    ['process.hrtime();', '1  process.hrtime belongs in'],
    ['process.hrtime.bigint();', '1  process.hrtime belongs in'],
    ["Math['random']();", '1  Math.random belongs in'],
    ['console.error(1);', '1  console belongs in src/cli/'],
    ['process.exit(1);', '1  process.exit belongs in src/cli/'],
  ])('refuses %s', (text, expected) => refuses(checkDoors, 'src/engine/a.ts', text, expected));
});

describe('switched-off tests and silenced errors', () => {
  it('accepts running tests and reasons', () => {
    accepts(checkSwitchedOff, {
      'test/a.test.ts': "it('x', () => {}); it.each([1])('y', () => {}); it.skipIf(!has)('z', () => {});",
      'test/b.test.ts': "// @ts-expect-error the type forbids it\nf('it.only');",
      'src/core/a.ts': 'iterator.skip(1); it.skip();',
    });
  });

  it.each([
    ["\nit.skip('x', () => {});", '2  it.skip: run the test'],
    ["describe.only('x', () => {});", '1  describe.only: run the test'],
    ["it.concurrent.only('x', () => {});", '1  it.only: run the test'],
    ["test.todo('x');", '1  test.todo: run the test'],
    ['// @ts-ignore\nf();', '1  compiler silenced'],
    ['/* @ts-nocheck */', '1  compiler silenced'],
    ['// @ts-expect-error\nf();', '1  expected compiler error without a reason'],
  ])('refuses %s', (text, expected) => refuses(checkSwitchedOff, 'test/a.test.ts', text, expected));
});

describe('commented-out code', () => {
  it('accepts prose', () => {
    accepts(checkDeadCode, {
      'src/core/a.ts': [
        '// Two halves; the first is whole.',
        '// lsn;',
        '// sum = a + b, where a is the open',
        '// { start, end }',
        '/** const x = 1; */',
        '// https://example.com/a;b;',
        '/* Wait: nothing here; */',
      ].join('\n'),
    });
  });

  it.each([
    ['\n// const x = 1;', '2  commented-out code'],
    ['f(); // g(x);', '1  commented-out code'],
    ['// if (x) {\n//   y\n// }', '1  commented-out code'],
    ['/*\n  total += x[i];\n*/', '2  commented-out code'],
    ["// import { a } from './a.ts';", '1  commented-out code'],
    ['// return x;', '1  commented-out code'],
  ])('refuses %s', (text, expected) => refuses(checkDeadCode, 'src/core/a.ts', text, expected));
});

describe('text', () => {
  it('accepts short lines, files and names', () => {
    accepts(checkLineLength, {
      'src/core/a.ts': 'x'.repeat(120),
      'src/core/b.ts': `// https://example.com/${'x'.repeat(120)}`,
      'docs/a.md': 'x'.repeat(200),
    });
    accepts(checkFileLength, {
      'src/core/a.ts': lines(500),
      'src/core/a.test.ts': lines(900),
      'docs/a.md': lines(900),
    });
    accepts(checkFileNames, {
      'src/core/file-system.test.ts': '',
      'web/vite.config.ts': '',
      'docs/README.md': '',
    });
  });

  it('refuses long lines, long files and other names', () => {
    refuses(checkLineLength, 'src/core/a.ts', `\n${'x'.repeat(121)}`, '2  121 characters');
    refuses(checkFileLength, 'web/a.ts', lines(501), '500  501 lines');
    refuses(checkFileNames, 'src/core/fileSystem.ts', '', '1  file name');
    refuses(checkFileNames, 'src/core/file_system.ts', '', '1  file name');
  });

  // Put together here, so that this file holds none of them.
  const path = (...parts: string[]): string => ['', ...parts].join('/');
  const host = (...parts: string[]): string => parts.join('.');

  it.each([
    [`\n// ${'TO'}${'DO'}: later`, '2  '],
    [`${'FIX'}${'ME'}`, '1  '],
    [`see ${path('work', 'main')}`, '1  '],
    [`cd "${path('root', '.cache')}"`, '1  '],
    [`https://${host('registry', 'npmjs', 'org')}/ws`, '1  '],
    [`https://${host('pypi', 'org')}/simple`, '1  '],
    [`{\n  "${'resolved'}": "http://localhost/ws.tgz"\n}`, '2  '],
    [`${'registry'}=http://localhost`, '1  '],
  ])('refuses %s', (text, expected) => refuses(checkBannedText, 'docs/a.md', text, expected));

  it('accepts what only looks like them', () => {
    const inner = `https://example.com${path('work', 'x')}, src${path('root', 'a.ts')}, ..${path('work', 'x')}`;
    accepts(checkBannedText, {
      'docs/a.md': `todo, mastodon, registry.metrics(), ~${path('work', 'x')}, ${inner}`,
    });
  });
});

describe('links', () => {
  const files = ['README.md', 'docs/adr/README.md', 'src/core/errors.ts'].map((path) => sourceFile(path, ''));
  const rule: Rule = (more) => checkLinks([...files, ...more]);

  it('accepts links that lead somewhere', () => {
    const links = [
      '[a](adr/README.md)',
      '[b](../README.md#top)',
      '[c](../src/core/)',
      '![d](/src/core/errors.ts)',
    ];
    const others = ['[e](https://example.com/x)', '[f](#here)', '`[g](gone.md)`', '```\n[h](gone.md)\n```'];
    accepts(rule, { 'docs/a.md': [...links, ...others, '', '[i]: adr "title"'].join('\n') });
  });

  it.each([
    ['\n[a](gone.md)', '2  link to gone.md: there is no docs/gone.md'],
    ['[a](README.md)', '1  link to README.md: there is no docs/README.md'],
    ['![a](../../x.png "title")', '1  link to ../../x.png'],
    ['[a]: gone.md', '1  link to gone.md'],
    ['[a](<gone.md#x>)', '1  link to gone.md'],
  ])('refuses %s', (text, expected) => refuses(rule, 'docs/a.md', text, expected));
});
