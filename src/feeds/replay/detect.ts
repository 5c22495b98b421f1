import { parse } from 'csv-parse/sync';
import { CandelaError } from '../../core/errors.ts';
import type { ReplayFormat } from './format.ts';
import { replayFormats } from './formats/all.ts';
import type { TextSource } from './source.ts';

const sampleChars = 1 << 16;
const sampleLines = 50;

/** The format a user named. Throws `INVALID_ARGUMENT` with the names there are. */
export function formatNamed(name: string): ReplayFormat {
  const format = replayFormats.find((candidate) => candidate.name === name);
  if (format) return format;
  throw new CandelaError('INVALID_ARGUMENT', `there is no replay format '${name}'`, { help: formatsHelp() });
}

/** The format a file looks like. Throws `INVALID_ARGUMENT` when it looks like none. */
export async function detectFormat(source: TextSource): Promise<ReplayFormat> {
  const start = await startOf(source);
  const lines = start.split(/\r?\n/).filter((line) => line !== '');
  const cells = firstCells(lines[0] ?? '');
  const found = replayFormats.find((format) => {
    if (format.shape === 'csv') return format.positions(cells) !== null;
    if (format.shape === 'json') return format.recognises(start);
    return format.recognises(lines.slice(0, sampleLines));
  });
  if (found) return found;
  throw new CandelaError(
    'INVALID_ARGUMENT',
    `no known format begins with: ${(lines[0] ?? '').slice(0, 120)}`,
    {
      help: `${formatsHelp()} A table of any other kind goes in with candela import.`,
    },
  );
}

function formatsHelp(): string {
  return `Give the format: ${replayFormats.map(({ name }) => name).join(', ')}.`;
}

async function startOf(source: TextSource): Promise<string> {
  let start = '';
  for await (const part of source.parts()) {
    for await (const piece of part.text) {
      start += piece;
      if (start.length >= sampleChars) return start;
    }
  }
  return start;
}

function firstCells(line: string): string[] {
  try {
    return parse(line, { bom: true, relax_column_count: true })[0] ?? [];
  } catch {
    return [];
  }
}
