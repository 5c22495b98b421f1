import { open } from 'node:fs/promises';
import { CommanderError } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { generatedSection } from '../../test/support/generated-section.ts';
import { CandelaError } from '../core/errors.ts';
import { optionRows } from '../server/options.ts';
import { createProgram } from './program.ts';
import { reportError, usageError } from './terminal.ts';

it('is what docs/cli.md says (UPDATE_DOCS=1 brings the page up to date)', () => {
  const program = createProgram();
  const sections = [program, ...program.commands].map((command) => {
    const title = command === program ? 'candela' : `candela ${command.name()}`;
    return `### ${title}\n\n\`\`\`text\n${command.helpInformation().trimEnd()}\n\`\`\`\n`;
  });
  const content = `\n${sections.join('\n')}\n`;
  expect(generatedSection('docs/cli.md', 'commands', content)).toBe(content);
});

it('start takes every setting that has a flag', () => {
  const start = createProgram().commands.find((command) => command.name() === 'start');
  const flags = optionRows().flatMap(([, { flag }]) => (flag === null ? [] : [flag]));
  expect(start?.options.map((option) => option.flags)).toEqual(flags);
});

describe('what is written wrongly', () => {
  it.each([
    ['an unknown command', ['strat']],
    ['an unknown flag', ['start', '--bogus']],
    ['a missing argument', ['import', '--table', 't']],
    ['a missing flag', ['import', 'file.csv']],
    ['a bad value', ['replay', 'file', '--speed', 'fast']],
    ['a bad setting', ['start', '--http-port', '70000']],
    ['a bad pair', ['import', 'f', '--table', 't', '--map', 'time']],
    ['a bad type', ['import', 'f', '--table', 't', '--type', 'price=money']],
  ])('%s is told and ends with code 2', async (_what, words) => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const error: unknown = await createProgram()
      .parseAsync(words, { from: 'user' })
      .catch((thrown: unknown) => thrown);
    const text = written.mock.calls.map(([line]) => String(line)).join('');
    written.mockRestore();
    expect(error).toBeInstanceOf(CommanderError);
    expect(text).toMatch(/^error: /);
    expect(text).toContain('help: ');
    expect(reportError(error, { verbose: false })).toBe(2);
  });
});

describe('an error', () => {
  function told(error: unknown, verbose: boolean): { code: number; text: string } {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const code = reportError(error, { verbose });
    const text = written.mock.calls.map(([line]) => String(line)).join('');
    written.mockRestore();
    return { code, text };
  }

  it('of a path that was given is no defect of ours', async () => {
    const error: unknown = await open('/nonexistent/out.csv', 'w').catch((thrown: unknown) => thrown);
    const { code, text } = told(error, false);
    expect(code).toBe(1);
    expect(text).toContain("error: ENOENT: no such file or directory, open '/nonexistent/out.csv'");
    expect(text).toContain('help: Check the path, who may write there, and that the disk has room.');
  });

  it('is two lines', () => {
    const error = new CandelaError('TABLE_NOT_FOUND', "there is no table 't'", { help: 'Make it.' });
    expect(told(error, false)).toEqual({ code: 1, text: "error: there is no table 't'\nhelp: Make it.\n" });
  });

  it('shows the rows that were refused', () => {
    const rows = [{ row: 3, column: 'price', reason: 'is null' }];
    const { text } = told(new CandelaError('INVALID_ROWS', '1 row', { rows }), false);
    expect(text).toContain('row 3, column price: is null');
  });

  it('shows stacks of itself and its causes only when asked', () => {
    const error = new CandelaError('INTERNAL', 'outer', { cause: new TypeError('inner') });
    expect(told(error, false).text).not.toContain('inner');
    expect(told(error, true).text).toContain('TypeError: inner');
  });

  it('of arguments that do not go together has code 2', () => {
    expect(told(usageError('not both', 'One of them.'), false).code).toBe(2);
  });
});
