/** Documentation pages of which one part is made from the code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/**
 * The part of a page between `<!-- generated: NAME -->` and `<!-- /generated -->`. With UPDATE_DOCS=1 in the
 * environment it is first replaced by `content`, so that a change of the code is brought over by running the test.
 */
export function generatedSection(page: string, name: string, content: string): string {
  const path = resolve(root, page);
  const text = readFileSync(path, 'utf8');
  const open = `<!-- generated: ${name} -->\n`;
  const start = text.indexOf(open) + open.length;
  const end = text.indexOf('<!-- /generated -->', start);
  if (start < open.length || end < 0) throw new Error(`${page} has no generated section '${name}'`);
  if (process.env.UPDATE_DOCS !== '1') return text.slice(start, end);
  writeFileSync(path, text.slice(0, start) + content + text.slice(end));
  return content;
}
