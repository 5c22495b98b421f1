/**
 * Admission: a batch is checked against its table and brought to the stored form before it reaches the log. Nothing
 * after this step can fail on account of a value.
 */
import type { RowRejection } from '../../core/errors.ts';
import { CandelaError } from '../../core/errors.ts';
import type { Batch, ColumnData, ColumnKind } from '../../market/columns.ts';
import { lengthOf, takeRows } from '../../market/columns.ts';
import type { ColumnDef, ColumnType, TableDef } from '../../market/schema.ts';
import { nsPerMs, timeNsMax, timeNsMin } from '../../market/time.ts';
import { rescaled } from '../rollup/slots.ts';

/** Most rows a refusal lists one by one; the count is always complete. */
const rejectionsListedMax = 100;

/** A batch that fits its table: one entry per declared column, undefined where the batch has none (all null). */
export interface Admitted {
  rowCount: number;
  columns: (ColumnData | undefined)[];
  rejected: RowRejection[];
}

/** The kind of column data that holds values of a type. */
export function columnKindOf(type: ColumnType): ColumnKind {
  return type.kind === 'json' ? 'text' : type.kind;
}

/**
 * Checks every value, in tables with `dedup` also against the horizon of retention. With `skip`, rows that do not fit
 * are left out and named; otherwise the first of them fail the whole batch with `INVALID_ROWS`. Columns that do not
 * exist or are of the wrong kind fail the batch either way.
 */
export function admit(
  def: TableDef,
  batch: Batch,
  onInvalid: 'fail' | 'skip',
  droppedBeforeNs: bigint | null = null,
): Admitted {
  checkShape(def, batch);
  const reasons = new Map<number, RowRejection>();
  const columns = def.columns.map((column) => {
    const data = batch.columns[column.name];
    const isTickTime = def.kind === 'ticks' && column.name === def.timeColumn;
    if (data) checkColumn(column, data, isTickTime ? tickTimes : allTimes, reasons);
    return data && asKept(column.type, data);
  });
  if (def.dedup && droppedBeforeNs !== null) refuseDropped(def, batch, droppedBeforeNs, reasons);
  if (reasons.size === 0) return { rowCount: batch.rowCount, columns, rejected: [] };
  const rejected = [...reasons.values()].sort((a, b) => a.row - b.row);
  if (onInvalid === 'fail') throw refusal(def, batch.rowCount, rejected);
  const kept = new Int32Array(batch.rowCount - rejected.length);
  for (let row = 0, at = 0; row < batch.rowCount; row++) if (!reasons.has(row)) kept[at++] = row;
  return { rowCount: kept.length, columns: columns.map((data) => data && takeRows(data, kept)), rejected };
}

/** `INVALID_ROWS` that counts the rows and names the first of them. */
export function refusal(def: { name: string }, rowCount: number, rejected: RowRejection[]): CandelaError {
  const [first] = rejected;
  const where = first.column === null ? `row ${first.row}` : `row ${first.row}, column '${first.column}'`;
  return new CandelaError(
    'INVALID_ROWS',
    `${rejected.length} of ${rowCount} rows do not fit table '${def.name}'; the first: ${where}: ${first.reason}`,
    { rows: rejected.slice(0, rejectionsListedMax) },
  );
}

function checkShape(def: TableDef, batch: Batch): void {
  for (const [name, data] of Object.entries(batch.columns)) {
    const column = def.columns.find((candidate) => candidate.name === name);
    if (!column) throw new CandelaError('COLUMN_NOT_FOUND', `table '${def.name}' has no column '${name}'`);
    const kind = columnKindOf(column.type);
    if (data.kind !== kind) {
      throw new CandelaError(
        'INVALID_ARGUMENT',
        `column '${name}' of '${def.name}' takes ${kind} data, not ${data.kind}`,
      );
    }
    const lengths = [lengthOf(data)];
    if (data.kind === 'decimal') lengths.push(data.scales.length);
    if ('nulls' in data && data.nulls) lengths.push(data.nulls.length);
    const wrong = lengths.find((length) => length !== batch.rowCount);
    if (wrong !== undefined) {
      throw new CandelaError(
        'INVALID_ARGUMENT',
        `column '${name}' of '${def.name}' has ${wrong} rows, the batch ${batch.rowCount}`,
      );
    }
  }
  if (batch.rowCount === 0) return;
  for (const column of def.columns) {
    if (column.nullable === false && !batch.columns[column.name]) {
      throw new CandelaError(
        'INVALID_ARGUMENT',
        `column '${column.name}' of '${def.name}' is missing and may not be null`,
      );
    }
  }
}

type Reasons = Map<number, RowRejection>;

function checkColumn(column: ColumnDef, data: ColumnData, times: TimeBounds, reasons: Reasons): void {
  const refuse = (row: number, reason: string): void => {
    if (!reasons.has(row)) reasons.set(row, { row, column: column.name, reason });
  };
  if (column.nullable === false) checkPresent(data, (row) => refuse(row, 'is null'));
  switch (data.kind) {
    case 'timestamp':
      checkTimes(data.values, data.nulls, times, refuse);
      break;
    case 'text':
      checkText(column, data.dictionary, data.codes, refuse);
      break;
    case 'decimal':
      checkDecimals(column.type, data, refuse);
      break;
  }
}

/** Of a time whose rows are gone nobody can say whether a row is a duplicate. */
function refuseDropped(def: TableDef, batch: Batch, droppedBeforeNs: bigint, reasons: Reasons): void {
  const { timeColumn = '' } = def;
  const time = batch.columns[timeColumn];
  if (time?.kind !== 'timestamp') return;
  const reason = 'lies before what retention has kept, so that it may be a duplicate';
  for (let row = 0; row < batch.rowCount; row++) {
    if (time.values[row] < droppedBeforeNs && !reasons.has(row))
      reasons.set(row, { row, column: timeColumn, reason });
  }
}

function checkPresent(data: ColumnData, refuse: (row: number) => void): void {
  const rowCount = lengthOf(data);
  if (data.kind === 'double') {
    const { values } = data;
    for (let row = 0; row < rowCount; row++) if (Number.isNaN(values[row])) refuse(row);
  } else if (data.kind === 'text') {
    for (let row = 0; row < rowCount; row++) if (data.codes[row] < 0) refuse(row);
  } else if (data.nulls) {
    for (let row = 0; row < rowCount; row++) if (data.nulls[row]) refuse(row);
  }
}

/**
 * Times by their high words, both excluded. These alone decide: the bounds are far beyond any market's times, so they
 * need not be exact to a second.
 */
interface TimeBounds {
  above: number;
  below: number;
  reason: string;
}

const allTimes: TimeBounds = {
  above: Number(timeNsMin >> 32n),
  below: Number(timeNsMax >> 32n),
  reason: 'lies outside the years 1678 to 2261',
};

/** Where `t256` is exact (see `market/time.ts`): beyond, a tick could fall into a neighbouring bar. */
const tickTimes: TimeBounds = {
  above: Number((BigInt(Date.UTC(1897, 0)) * nsPerMs) >> 32n),
  below: Number((BigInt(Date.UTC(2043, 0)) * nsPerMs) >> 32n),
  reason: 'lies outside the years 1897 to 2042, in which ticks and their bars are exact',
};

function checkTimes(
  values: BigInt64Array,
  nulls: Uint8Array | undefined,
  { above, below, reason }: TimeBounds,
  refuse: (row: number, why: string) => void,
): void {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  for (let row = 0; row < values.length; row++) {
    const high = words[2 * row + 1];
    if ((high <= above || high >= below) && !nulls?.[row]) refuse(row, reason);
  }
}

function checkText(
  column: ColumnDef,
  dictionary: string[],
  codes: Int32Array,
  refuse: (row: number, why: string) => void,
): void {
  const isClean = dictionary.every((text) => textReason(column, text) === null);
  const entries = dictionary.length;
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row];
    if (code >= entries) refuse(row, `has code ${code}, beyond its dictionary`);
    else if (!isClean && code >= 0) {
      const reason = textReason(column, dictionary[code]);
      if (reason !== null) refuse(row, reason);
    }
  }
}

function textReason(column: ColumnDef, text: string): string | null {
  if (typeof text !== 'string') return 'is not a string';
  // Halves of a pair have no UTF-8 form: log and store could not give them back.
  if (!text.isWellFormed()) return 'contains half a surrogate pair, which is not Unicode text';
  if (column.type.kind === 'json') return isJson(text) ? null : 'is not valid JSON';
  // Keys are joined with NUL, and stores of C strings cut there.
  return text.includes('\u0000') ? 'contains a NUL character' : null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface Decimals {
  coefficients: bigint[];
  scales: Uint8Array;
  nulls?: Uint8Array | undefined;
}

function checkDecimals(type: ColumnType, data: Decimals, refuse: (row: number, why: string) => void): void {
  if (type.kind !== 'decimal') return;
  const scaleMax = type.scale ?? 20;
  const wholeDigits = (type.precision ?? 38) - scaleMax;
  const limit = 10n ** BigInt(wholeDigits);
  for (let row = 0; row < data.coefficients.length; row++) {
    if (data.nulls?.[row]) continue;
    const scale = data.scales[row];
    const coefficient = data.coefficients[row];
    if (scale > scaleMax && coefficient % 10n ** BigInt(scale - scaleMax) !== 0n) {
      refuse(row, `has more than ${scaleMax} decimals`);
    } else if ((coefficient < 0n ? -coefficient : coefficient) >= limit * 10n ** BigInt(scale)) {
      refuse(row, `has more than ${wholeDigits} whole digits`);
    }
  }
}

/** The values as the column keeps them. Rows that do not fit come out wrong: they are left out later. */
function asKept(type: ColumnType, data: ColumnData): ColumnData {
  if (type.kind === 'timestamp') return cutToUnit(data, type.unit);
  return type.kind === 'decimal' ? toScale(type, data) : data;
}

/** Brings decimals to the column's scale; without one each keeps its own, of 20 at most. Copies only if need be. */
function toScale(type: ColumnType & { kind: 'decimal' }, data: ColumnData): ColumnData {
  if (data.kind !== 'decimal') return data;
  const fits = (scale: number): boolean => (type.scale === undefined ? scale <= 20 : scale === type.scale);
  if (data.scales.every(fits)) return data;
  const scales = data.scales.map((scale) => type.scale ?? Math.min(scale, 20));
  const coefficients = data.coefficients.map((value, row) => rescaled(value, data.scales[row], scales[row]));
  return { ...data, coefficients, scales };
}

/** Cuts times to whole microseconds where that is all the column keeps. Copies only if a time has finer digits. */
function cutToUnit(data: ColumnData, unit: 'us' | 'ns'): ColumnData {
  if (unit === 'ns' || data.kind !== 'timestamp') return data;
  const words = new Uint32Array(data.values.buffer, data.values.byteOffset, data.values.length * 2);
  let values: BigInt64Array | undefined;
  for (let row = 0; row < data.values.length; row++) {
    // 2^32 mod 1000 = 296; unsigned words make the remainder that of the value plus 2^64, which is 616 more mod 1000.
    const high = words[2 * row + 1];
    const bias = high >= 0x80000000 ? 384 : 0;
    const rest = ((high % 1000) * 296 + (words[2 * row] % 1000) + bias) % 1000;
    if (rest === 0) continue;
    values ??= data.values.slice();
    values[row] -= BigInt(rest);
  }
  return values ? { ...data, values } : data;
}
