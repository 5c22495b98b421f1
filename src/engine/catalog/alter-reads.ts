/** Changes of definitions that only reads notice: nothing that is stored changes. */
import { CandelaError } from '../../core/errors.ts';
import type { ColumnRole, GapMode, RollupDef, TableDef } from '../../market/schema.ts';
import { checkGaps } from '../read/gaps/gap-mode.ts';
import type { Entry } from './catalog.ts';
import { checkTable } from './check-table.ts';

/** The table with these roles of columns, null for none. Throws `COLUMN_NOT_FOUND`, `INVALID_SCHEMA`. */
export function withRoles(entry: Entry, roles: Readonly<Record<string, ColumnRole | null>>): TableDef {
  const { def } = entry;
  if (entry.kind === 'rollup' || !('kind' in def))
    throw new CandelaError(
      'UNSUPPORTED',
      `'${def.name}' is a rollup: roles are of its ticks table's columns`,
    );
  const unknown = Object.keys(roles).find((name) => !def.columns.some((column) => column.name === name));
  if (unknown !== undefined)
    throw new CandelaError('COLUMN_NOT_FOUND', `'${def.name}' has no column '${unknown}'`);
  const columns = def.columns.map((column) => {
    const role = roles[column.name];
    if (role === undefined) return column;
    const { role: _, ...others } = column;
    return role === null ? others : { ...others, role };
  });
  return checkTable({ ...def, columns });
}

/** The rollup with another policy for empty buckets. Throws `INVALID_ARGUMENT`, `UNSUPPORTED` for what is no rollup. */
export function withGaps(entry: Entry, gaps: GapMode): RollupDef {
  checkGaps(gaps, `'${entry.def.name}'`);
  if (entry.kind === 'rollup') return { ...entry.def, gaps };
  throw new CandelaError('UNSUPPORTED', `'${entry.def.name}' is not a rollup: gaps are of bars`);
}
