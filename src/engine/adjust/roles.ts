/** Which columns are prices, and which sizes: what is divided and what is multiplied by a split. */
import { CandelaError } from '../../core/errors.ts';
import type { ColumnRole } from '../../market/schema.ts';
import type { RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import type { SlotSpec } from '../rollup/slots.ts';

/** The role of a table's columns that have one, by index. */
export type Roles = ReadonlyMap<number, ColumnRole>;

/** How a value is scaled: price factor ^ `price` × size factor ^ `size`. */
export interface Scaling {
  price: number;
  size: number;
}

/** As the columns declare, or else the candles made over the table. Throws `UNSUPPORTED` where nothing is known. */
export function rolesOf({ def }: RowsEntry, rollups: readonly RollupEntry[]): Roles {
  const roles = new Map<number, ColumnRole>();
  for (const [index, { name, role }] of def.columns.entries()) {
    const known = role ?? rollups.find((rollup) => rollup.def.roles?.[name])?.def.roles?.[name];
    if (known) roles.set(index, known);
  }
  if (roles.size > 0) return roles;
  throw new CandelaError(
    'UNSUPPORTED',
    `'${def.name}' does not say which of its columns are prices and sizes`,
    {
      help: "Declare role: 'price' or 'size' on its columns, or make its bars with createCandles.",
    },
  );
}

/** How a slot's values are scaled; null for those that are not. */
export function slotScaling(roles: Roles, { fn, column, weight }: SlotSpec): Scaling | null {
  const counted =
    fn === 'count' ? [] : fn === 'weight' ? [weight] : fn === 'product' ? [column, weight] : [column];
  const found = counted.map((index) => roles.get(index));
  const scaling = {
    price: found.filter((role) => role === 'price').length,
    size: found.filter((role) => role === 'size').length,
  };
  return scaling.price + scaling.size === 0 ? null : scaling;
}
