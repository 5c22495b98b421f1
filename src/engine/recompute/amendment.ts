/** Ticks that are taken away or changed, and how they lie in a frame of the log. */
import { must } from '../../core/assert.ts';
import { concatColumns, nullColumn } from '../../market/column-ops.ts';
import { type ColumnData, takeRows } from '../../market/columns.ts';
import type { RowsEntry } from '../catalog/catalog.ts';
import type { RowsRead } from '../read/read-rows.ts';
import type { RowTable } from '../tables/row-table.ts';
import { amendmentColumns, type BatchAnswer, type WalFrame } from '../wal/frame.ts';
import { columnKindOf } from '../write/admit.ts';

/** Rows of one table. Series, time and arrival number of a row never change. */
export interface Amendment {
  series: Int32Array;
  timesNs: BigInt64Array;
  arrivals: BigInt64Array;
  /** 1: the row is taken away; 0: it gets the values below. */
  isGone: Uint8Array;
  /** In the order of the table's `rowColumns`; of rows taken away anything. */
  columns: ColumnData[];
}

/** Rows to be taken away. */
export function removal(table: RowTable, { series, timesNs, arrivals }: RowsRead): Amendment {
  const columns = table.rowColumns.map(({ def }) => nullColumn(columnKindOf(def.type), series.length));
  return { series, timesNs, arrivals, columns, isGone: new Uint8Array(series.length).fill(1) };
}

/** The frame that says so; the answer is that of the batch it ends, if that came with an id. */
export function frameOfAmendment(
  { id, def, table }: RowsEntry,
  { series, timesNs, arrivals, isGone, columns }: Amendment,
  batch: { batchId: string; answer: BatchAnswer | null } = { batchId: '', answer: null },
): Omit<WalFrame, 'lsn'> {
  const timeIndex = def.columns.findIndex(({ name }) => name === def.timeColumn);
  return {
    kind: 'amendment',
    table: id,
    rowCount: series.length,
    firstSeries: 0,
    newSeries: [],
    series,
    columns: [
      { id: timeIndex, data: { kind: 'timestamp', values: timesNs } },
      ...table.rowColumns.map(({ index }, i) => ({ id: index, data: columns[i] })),
      { id: amendmentColumns.arrival, data: { kind: 'int64', values: arrivals } },
      { id: amendmentColumns.isGone, data: { kind: 'boolean', values: isGone } },
    ],
    ...batch,
  };
}

/** What a frame says. Columns added to the table since are null. */
export function amendmentOf({ def, table }: RowsEntry, frame: WalFrame): Amendment {
  const data = (id: number): ColumnData | undefined => frame.columns.find((column) => column.id === id)?.data;
  const timeIndex = def.columns.findIndex(({ name }) => name === def.timeColumn);
  return {
    series: frame.series,
    timesNs: longs(must(data(timeIndex), 'times of an amendment')),
    arrivals: longs(must(data(amendmentColumns.arrival), 'arrival numbers of an amendment')),
    isGone: (data(amendmentColumns.isGone) as { values: Uint8Array }).values,
    columns: table.rowColumns.map(
      (column) => data(column.index) ?? nullColumn(columnKindOf(column.def.type), frame.rowCount),
    ),
  };
}

function longs(column: ColumnData): BigInt64Array {
  return (column as { values: BigInt64Array }).values;
}

/** What an amendment makes of rows that are read: an index by arrival number, made once. */
export class TickOverlay {
  readonly #amendment: Amendment;
  readonly #rowOf = new Map<bigint, number>();

  constructor(amendment: Amendment) {
    this.#amendment = amendment;
    for (const [row, arrival] of amendment.arrivals.entries()) this.#rowOf.set(arrival, row);
  }

  /** The rows as they will be; `next` is left alone. */
  apply(read: RowsRead): RowsRead {
    const { isGone, columns } = this.#amendment;
    const count = read.series.length;
    const kept: number[] = [];
    let isChanged = false;
    // Values come from the rows read, or from the amendment's, which stand behind them.
    const source: number[] = [];
    for (let row = 0; row < count; row++) {
      const amended = this.#rowOf.get(read.arrivals[row]);
      isChanged ||= amended !== undefined;
      if (amended !== undefined && isGone[amended] === 1) continue;
      kept.push(row);
      source.push(amended === undefined ? row : count + amended);
    }
    if (!isChanged) return read;
    const sources = Int32Array.from(source);
    return {
      series: Int32Array.from(kept, (row) => read.series[row]),
      timesNs: BigInt64Array.from(kept, (row) => read.timesNs[row]),
      arrivals: BigInt64Array.from(kept, (row) => read.arrivals[row]),
      columns: read.columns.map((column, i) => takeRows(concatColumns([column, columns[i]]), sources)),
      next: read.next,
    };
  }
}
