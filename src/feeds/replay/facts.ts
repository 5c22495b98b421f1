/** What formats take from a file's name, or from what the user said in its place. */
import { CandelaError } from '../../core/errors.ts';
import type { FileFacts } from './format.ts';

/** The symbol of a file whose records name none: the user's, else the first word of the name in capitals. */
export function symbolOfFile({ name, symbol }: FileFacts): string {
  if (symbol !== undefined) return symbol;
  const word = name.split(/[_.]/).find((part) => /^[A-Z][A-Z0-9-]{2,14}$/.test(part));
  if (word !== undefined) return word;
  throw new CandelaError('INVALID_ARGUMENT', `${name} does not say which symbol it holds`, {
    help: 'Give the symbol: candela replay FILE --symbol BTCUSD.',
  });
}

/** The day of a file whose records have times of day only: the user's, else the first date in the name; YYYY-MM-DD. */
export function dateOfFile({ name, date }: FileFacts): string {
  if (date !== undefined) return date;
  const found = /(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)/.exec(name);
  if (found) return `${found[1]}-${found[2]}-${found[3]}`;
  throw new CandelaError('INVALID_ARGUMENT', `${name} does not say which day it holds`, {
    help: 'Give the day: candela replay FILE --date 2024-05-17.',
  });
}

/** Finds header names that must all be there: their positions, or null. */
export function headerPositions(header: readonly string[], names: readonly string[]): number[] | null {
  const positions = names.map((name) => header.indexOf(name));
  return positions.includes(-1) ? null : positions;
}

/** `buy` or `sell` however a source writes the taker's side; null for anything else. */
export function sideOf(text: string): 'buy' | 'sell' | null {
  const first = text.trim().toLowerCase();
  if (first === 'b' || first === 'buy' || first === 'bid') return 'buy';
  return first === 's' || first === 'sell' || first === 'a' || first === 'ask' ? 'sell' : null;
}
