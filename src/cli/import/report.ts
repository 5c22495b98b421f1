/** What became of the rows of an import: counts, and the rejected ones by reason. */
import type { Clock } from '../../core/clock.ts';
import type { RowRejection } from '../../core/errors.ts';

/** A row that was not imported. */
export interface RejectedRow extends RowRejection {
  file: string;
  /** The row as it stood in the file, where the format is text. */
  record: string | null;
}

/** Rejected rows told on the terminal one by one. */
export const examplesMax = 10;

/** Rows that were not refused: new ones, and in tables with dedup those that were there, and corrections. */
export interface AcceptedRows {
  rowCount: number;
  duplicates: number;
  corrected: number;
}

/** Gathers the outcome of an import. */
export interface ImportReport {
  accepted(counts: AcceptedRows): void;
  rejected(row: RejectedRow): void;
  /** Rows so far. */
  rowCount(): number;
  rejectedCount(): number;
  /** The summary, line by line. */
  lines(): string[];
}

/** An empty report on an import into `table`, timed from now. */
export function createReport(table: string, clock: Clock): ImportReport {
  const startedMs = clock.monotonicMs();
  let accepted = 0;
  let duplicates = 0;
  let corrected = 0;
  let rejected = 0;
  const reasons = new Map<string, number>();
  const examples: RejectedRow[] = [];
  return {
    accepted: (counts) => {
      accepted += counts.rowCount;
      duplicates += counts.duplicates;
      corrected += counts.corrected;
    },
    rejected: (row) => {
      rejected += 1;
      const reason = reasonKind(row);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      if (examples.length < examplesMax) examples.push(row);
    },
    rowCount: () => accepted + duplicates + corrected + rejected,
    rejectedCount: () => rejected,
    lines: () => {
      const seconds = (clock.monotonicMs() - startedMs) / 1000;
      const rate = seconds > 0 ? `, ${count(Math.round(accepted / seconds))} rows/s` : '';
      const summary = `${count(accepted)} rows imported into ${table} in ${seconds.toFixed(1)} s${rate}`;
      const again = [
        ...(duplicates > 0 ? [`${count(duplicates)} rows were there already`] : []),
        ...(corrected > 0 ? [`${count(corrected)} rows corrected others`] : []),
      ];
      if (rejected === 0) return [summary, ...again];
      const byReason = [...reasons].sort(([, a], [, b]) => b - a);
      return [
        summary,
        ...again,
        `${count(rejected)} rows rejected:`,
        ...byReason.map(([reason, times]) => `  ${count(times)} × ${reason}`),
        `${examples.length === rejected ? 'They are' : 'The first are'}:`,
        ...examples.map((row) => `  ${where(row)}: ${detail(row)}`),
      ];
    },
  };
}

/** Digits in groups of three: `12,477`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

function where({ file, row }: RejectedRow): string {
  return `${file}, row ${row}`;
}

function detail({ column, reason }: RowRejection): string {
  return column === null ? reason : `${column} ${reason}`;
}

/** The reason without the values it quotes, so that a thousand bad prices are one line. */
function reasonKind(row: RowRejection): string {
  return detail(row)
    .replace(/'[^']*'/g, '…')
    .replace(/\d[\d.:eE+-]*/g, '…');
}
