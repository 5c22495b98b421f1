import { CandelaError } from '../../core/errors.ts';
import { parseDuration } from '../../market/duration.ts';
import type { ColumnDef, TableDef } from '../../market/schema.ts';

/** Longest name and most columns of a table. */
const nameLengthMax = 200;
const columnCountMax = 1_000;

/**
 * Checks a definition and returns it complete: `nullable` filled in, the time column and the series key not nullable.
 * Throws `INVALID_SCHEMA` that names the table and the column.
 */
export function checkTable(def: TableDef): TableDef {
  checkName(def.name, 'table');
  if (!Array.isArray(def.columns) || def.columns.length === 0) throw invalid(def, 'it has no columns');
  if (def.columns.length > columnCountMax) throw invalid(def, `it has more than ${columnCountMax} columns`);
  const seen = new Set<string>();
  for (const column of def.columns) {
    checkColumn(def, column);
    // SQL does not tell names apart that differ only in case.
    const folded = column.name.toLowerCase();
    if (seen.has(folded))
      throw invalid(def, `column '${column.name}' is declared twice (case does not count)`);
    seen.add(folded);
  }
  checkTime(def);
  checkKey(def);
  checkDedup(def);
  checkAging(def);
  const required = new Set([def.timeColumn, ...def.seriesKey]);
  const columns = def.columns.map((column) => ({
    ...column,
    nullable: !required.has(column.name) && column.nullable !== false,
  }));
  return { ...def, seriesKey: [...def.seriesKey], columns };
}

function checkAging(def: TableDef): void {
  if (def.coldAfter !== undefined) {
    if (def.kind !== 'ticks')
      throw invalid(def, `a ${def.kind} table takes no coldAfter: only ticks go to files`);
    parseDuration(def.coldAfter, `coldAfter of '${def.name}'`);
  }
  if (def.retention === undefined) return;
  if (def.kind !== 'ticks' && def.kind !== 'bars')
    throw invalid(def, `rows of a ${def.kind} table do not age: it takes no retention`);
  checkRetention(def);
}

/** Checks how long rows are kept. Throws `INVALID_ARGUMENT`. */
export function checkRetention({ name, retention }: { name: string; retention?: string }): void {
  if (retention !== undefined) parseDuration(retention, `retention of '${name}'`);
}

/**
 * A name may hold anything but control characters and quotes, is not empty, and does not start with an
 * underscore (ours do).
 */
export function checkName(name: unknown, what: string): asserts name is string {
  const isFit =
    typeof name === 'string' && /^[^_"\p{Cc}][^"\p{Cc}]*$/u.test(name) && name.length <= nameLengthMax;
  if (isFit) return;
  throw new CandelaError('INVALID_SCHEMA', `'${String(name)}' cannot name a ${what}`, {
    help: `Use 1 to ${nameLengthMax} characters: no double quotes or control characters, no underscore first.`,
  });
}

/** Checks one column by itself. */
export function checkColumn(def: { name: string }, column: ColumnDef): void {
  checkName(column.name, `column of '${def.name}'`);
  const { type } = column;
  const kinds = ['double', 'int64', 'decimal', 'text', 'json', 'boolean', 'timestamp'];
  if (!type || !kinds.includes(type.kind)) {
    throw invalid(def, `column '${column.name}' has no known type; the types are ${kinds.join(', ')}`);
  }
  if (type.kind === 'timestamp' && (!['us', 'ns'].includes(type.unit) || typeof type.zone !== 'boolean')) {
    throw invalid(def, `column '${column.name}': a timestamp needs unit 'us' or 'ns' and zone true or false`);
  }
  checkRole(def, column);
  if (type.kind === 'decimal') checkDecimal(def, column.name, type.precision, type.scale);
}

/** Throws `INVALID_SCHEMA` where a role is unknown or the column holds no numbers. */
export function checkRole(def: { name: string }, { name, type, role }: ColumnDef): void {
  if (role === undefined) return;
  if (role !== 'price' && role !== 'size')
    throw invalid(def, `column '${name}': role '${String(role)}' is neither price nor size`);
  if (type.kind !== 'double' && type.kind !== 'int64' && type.kind !== 'decimal')
    throw invalid(def, `column '${name}' of type ${type.kind} cannot be a ${role}`);
}

function checkDecimal(def: { name: string }, column: string, precision?: number, scale?: number): void {
  if (precision === undefined && scale === undefined) return;
  const isFit =
    Number.isInteger(precision) &&
    Number.isInteger(scale) &&
    (precision ?? 0) >= 1 &&
    (precision ?? 0) <= 38 &&
    (scale ?? -1) >= 0 &&
    (scale ?? 0) <= (precision ?? 0);
  if (!isFit) {
    throw invalid(
      def,
      `column '${column}': a decimal needs 1 ≤ precision ≤ 38 and 0 ≤ scale ≤ precision, or neither`,
    );
  }
}

function checkTime(def: TableDef): void {
  if (def.kind === 'plain') {
    if (def.timeColumn !== undefined) throw invalid(def, 'a plain table has no timeColumn');
    return;
  }
  if (!['ticks', 'bars', 'state'].includes(def.kind)) {
    throw invalid(def, `kind '${String(def.kind)}' is none of ticks, bars, state, plain`);
  }
  if (def.timeColumn === undefined) {
    if (def.kind === 'state') return;
    throw invalid(def, `a ${def.kind} table needs a timeColumn`);
  }
  const column = def.columns.find(({ name }) => name === def.timeColumn);
  if (column?.type.kind !== 'timestamp') {
    throw invalid(def, `timeColumn '${def.timeColumn}' is not one of its timestamp columns`);
  }
}

function checkKey(def: TableDef): void {
  if (!Array.isArray(def.seriesKey)) throw invalid(def, 'seriesKey is not a list of column names');
  for (const name of def.seriesKey) {
    const column = def.columns.find((candidate) => candidate.name === name);
    if (!column) throw invalid(def, `seriesKey column '${name}' is not declared`);
    if (def.kind !== 'plain' && column.type.kind !== 'text' && column.type.kind !== 'int64') {
      throw invalid(def, `seriesKey column '${name}' is neither text nor int64`);
    }
    if (name === def.timeColumn)
      throw invalid(def, `'${name}' cannot be both the time column and part of the series key`);
  }
  if (new Set(def.seriesKey).size !== def.seriesKey.length)
    throw invalid(def, 'seriesKey names a column twice');
}

function checkDedup(def: TableDef): void {
  const { dedup } = def;
  if (dedup === undefined) return;
  if (def.kind !== 'ticks')
    throw invalid(def, `dedup is for ticks tables; in ${def.kind} tables later rows overwrite`);
  if (dedup.keep !== 'first' && dedup.keep !== 'last')
    throw invalid(def, `dedup.keep '${String(dedup.keep)}' is neither first nor last`);
  if (dedup.by === 'row') return;
  if (!Array.isArray(dedup.by)) throw invalid(def, `dedup.by is neither a list of column names nor 'row'`);
  const unknown = dedup.by.find((name) => !def.columns.some((column) => column.name === name));
  if (unknown !== undefined) throw invalid(def, `dedup.by column '${unknown}' is not declared`);
}

function invalid(def: { name: string }, what: string): CandelaError {
  return new CandelaError('INVALID_SCHEMA', `table '${def.name}': ${what}`);
}
