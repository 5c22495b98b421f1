import { expect, it } from 'vitest';
import { generatedSection } from '../../test/support/generated-section.ts';
import { optionsMarkdown } from './option-docs.ts';
import { type OptionDef, optionRows } from './options.ts';

function duplicates(values: (string | null)[]): string[] {
  return values.filter((value, index): value is string => value !== null && values.indexOf(value) !== index);
}

it('gives every setting its own flag, variable and place in the file, and at least one of them', () => {
  const options: OptionDef[] = optionRows().map(([, option]) => option);
  expect(duplicates(options.map(({ flag }) => flag))).toEqual([]);
  expect(duplicates(options.map(({ env }) => env))).toEqual([]);
  expect(duplicates(options.map(({ key }) => key))).toEqual([]);
  expect(options.filter(({ flag, env, key }) => !flag && !env && !key)).toEqual([]);
});

it('names a setting as commander will name its flag', () => {
  for (const [name, { flag }] of optionRows()) {
    if (flag === null) continue;
    const words = flag.split(' ')[0].replace(/^--(no-)?/, '');
    expect(words.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())).toBe(name);
  }
});

it('is what docs/config.md says (UPDATE_DOCS=1 brings the page up to date)', () => {
  const content = `\n${optionsMarkdown()}\n`;
  expect(generatedSection('docs/config.md', 'settings', content)).toBe(content);
});
