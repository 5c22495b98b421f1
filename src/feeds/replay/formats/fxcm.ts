import { nsPerMs, parseTimeNs } from '../../../market/time.ts';
import { dateOfFile } from '../facts.ts';
import type { CsvFormat, FileFacts } from '../format.ts';
import { quotesOnly } from '../targets.ts';

/** FXCM ticks as Lean keeps them: `ms since midnight UTC,bid,ask`, no header; day and pair are in the file's name. */
export const fxcmTicks: CsvFormat = {
  shape: 'csv',
  name: 'fxcm-ticks',
  targets: [quotesOnly],
  hasHeader: false,
  positions: (first) => (first.length === 3 && first.every(isNumber) ? [0, 1, 2] : null),
  reader(file, emit) {
    const symbol = pairOf(file);
    const midnightNs = parseTimeNs(dateOfFile(file));
    return ([ms, bid, ask]) => {
      emit.row(quotesOnly, [midnightNs + BigInt(ms) * nsPerMs, symbol, bid, null, ask, null]);
    };
  },
};

function isNumber(cell: string): boolean {
  return /^\d+(\.\d+)?$/.test(cell);
}

/** `20140508_eurusd_tick_quote.csv` → EURUSD. */
function pairOf({ name, symbol }: FileFacts): string {
  return symbol ?? /(?<![a-z])[a-z]{6}(?![a-z])/.exec(name)?.[0].toUpperCase() ?? name;
}
