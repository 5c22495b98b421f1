/** Names that a rewritten join has and its user does not see. */
import { columnNames, isNode, type Node, walk } from './nodes.ts';
import type { AsOfJoin } from './recognise.ts';
import type { SeriesView } from './series-view.ts';

/** Columns that the new join has more than the old, and names that stand in for the user's parts. */
export interface HiddenNames {
  /** Stand-ins, replaced before anything is run. */
  base: string;
  leftKeys: string[];
  leftTime: string;
  filter: string;
  /** Columns of the dictionary on the left: series number and key. */
  series: string;
  keys: string[];
  /** Columns of the right side. */
  rightSeries: string;
  order: string;
  /** A right side's column that `USING` names. */
  using(column: string): string;
}

/** Names for the `index`-th join of a statement. */
export function hiddenNames(index: number, { keys }: SeriesView): HiddenNames {
  const name = (what: string): string => `candela$${what}${index}`;
  return {
    base: name('base'),
    leftKeys: keys.map((_, i) => name(`left_key${i}_`)),
    leftTime: name('left_time'),
    filter: name('filter'),
    series: name('series'),
    keys: keys.map((_, i) => name(`key${i}_`)),
    rightSeries: name('right_series'),
    order: name('order'),
    using: (column) => name(`using_${column.toLowerCase()}_`),
  };
}

/** Keeps them out of `*`, and gives the columns of `USING` their names back where the query asks for them. */
export function hideColumns(
  { select, alias, using }: AsOfJoin,
  { view }: SeriesView,
  hidden: HiddenNames,
): void {
  const ofRight = [hidden.rightSeries, hidden.order, ...using.map((column) => hidden.using(column))];
  const all = [hidden.series, ...hidden.keys, ...ofRight];
  const right = alias.toLowerCase();
  for (const item of select.select_list as Node[]) {
    const names = columnNames(item);
    if (names?.length === 2 && names[0] === right && using.includes(names[1]) && item.alias === '') {
      item.alias = view.columns.find(({ name }) => name.toLowerCase() === names[1])?.name;
    }
  }
  walk(select, (node) => {
    if (node.class === 'STAR' && node.columns !== true) {
      const relation = String(node.relation_name).toLowerCase();
      const names = relation === '' ? all : relation === right ? ofRight : [];
      node.exclude_list = [...(node.exclude_list as string[]), ...names];
    }
    const names = columnNames(node);
    if (names?.length === 2 && names[0] === right && using.includes(names[1])) {
      node.column_names = [alias, hidden.using(names[1])];
    }
    // Names mean other things in a SELECT within this one.
    return !isNode(node.node) && node !== select.from_table;
  });
}
