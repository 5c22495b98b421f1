/** Reads an as-of join off the tree: which series, which comparison of times; or finds that it is of another kind. */
import { columnNames, conjuncts, isNode, type Node, walk } from './nodes.ts';
import type { SeriesView } from './series-view.ts';
import { type AsOfSite, isRepeatable } from './sites.ts';

/** How the left time compares with the right one. */
export type TimeOperator = '>=' | '>' | '<=' | '<';

/** An as-of join of something with the rows of a view. */
export interface AsOfJoin extends AsOfSite {
  alias: string;
  /** What is equal to each key column, in the order of `SeriesView.keys`. */
  keys: Node[];
  /** The time on the left. */
  time: Node;
  operator: TimeOperator;
  /** Columns that `USING` names: outside the join they are the left side's, unless qualified. In lower case. */
  using: string[];
  /** Conditions that leave out rows of `base` and can be tested on it alone. */
  filters: Node[];
}

/** A view by name, alone or as `(SELECT * FROM name WHERE condition)`. */
export interface RightSource {
  /** In lower case. */
  name: string;
  /** What the view is called in the condition, in lower case. */
  innerAlias: string;
  condition: Node | null;
}

/** What the right side is; undefined if it is anything else. */
export function rightSource({ join, ctes }: AsOfSite): RightSource | undefined {
  const right = join.right as Node;
  if (right.type !== 'SUBQUERY') return namedSource(right, null, ctes);
  const { node } = right.subquery as { node: Node };
  const isPlain =
    right.alias !== '' &&
    !isNode(right.sample) &&
    (right.column_name_alias as string[]).length === 0 &&
    isPlainSelect(node);
  if (!isPlain) return undefined;
  return namedSource(node.from_table as Node, node.where_clause as Node | null, ctes);
}

function namedSource(table: Node, condition: Node | null, ctes: Node[]): RightSource | undefined {
  if (table.type !== 'BASE_TABLE' || isNode(table.sample) || isNode(table.at_clause)) return undefined;
  if (table.catalog_name !== '' || (table.column_name_alias as string[]).length > 0) return undefined;
  const name = String(table.table_name).toLowerCase();
  const schema = String(table.schema_name).toLowerCase();
  const isCte = schema === '' && ctes.some(({ key }) => String(key).toLowerCase() === name);
  if (isCte || (schema !== '' && schema !== 'main')) return undefined;
  return { name, innerAlias: table.alias === '' ? name : String(table.alias).toLowerCase(), condition };
}

/** `SELECT * FROM … WHERE …` and nothing else. */
function isPlainSelect(node: Node): boolean {
  const lists = ['modifiers', 'group_expressions', 'group_sets'].map((name) => node[name] as unknown[]);
  const { map } = node.cte_map as { map: unknown[] };
  const [star, ...others] = node.select_list as Node[];
  const changes = ['exclude_list', 'replace_list', 'qualified_exclude_list', 'rename_list'];
  return (
    node.type === 'SELECT_NODE' &&
    [...lists, map, others, ...changes.map((name) => (star[name] ?? []) as unknown[])].every(
      (list) => list.length === 0,
    ) &&
    star.class === 'STAR' &&
    star.columns !== true &&
    !isNode(node.having) &&
    !isNode(node.qualify) &&
    !isNode(node.sample)
  );
}

/** Can the condition be tested on rows of the view alone, at any time? */
export function isOwnCondition({ condition, innerAlias }: RightSource, { columns }: SeriesView): boolean {
  let hasParameters = false;
  walk(condition, (node) => {
    hasParameters ||= node.class === 'PARAMETER';
    return true;
  });
  const isOwn = (names: string[]): boolean =>
    names.length === 1
      ? columns.has(names[0])
      : names.length === 2 && names[0] === innerAlias && columns.has(names[1]);
  return !hasParameters && isRepeatable(condition) && everyColumn(condition, isOwn);
}

/** Undefined for a join that is not of the kind, or of which that is not certain. */
export function recogniseJoin(site: AsOfSite, right: SeriesView): AsOfJoin | undefined {
  const { join, select, base, ctes } = site;
  const { alias: given, table_name: name } = join.right as Node;
  const alias = String(given === '' ? name : given);
  const using = (join.using_columns as string[]).map((column) => column.toLowerCase());
  // The condition speaks of the columns by their names, which `USING` changes here.
  if (using.length > 0 && right.filter !== null) return undefined;
  const match =
    using.length > 0 ? matchUsing(using, right) : matchOn(join.condition, alias.toLowerCase(), right);
  if (!match || !isRepeatable([base, ctes, match.keys, match.time])) return undefined;
  if (mentionsRow(select, alias.toLowerCase())) return undefined;
  return { ...site, ...match, alias, using, filters: filtersOf(site, using, right) };
}

type Match = Pick<AsOfJoin, 'keys' | 'time' | 'operator'>;

/** The last column of `USING` is compared with `>=`. */
function matchUsing(using: string[], right: SeriesView): Match | undefined {
  const equal = using.slice(0, -1);
  if (using.at(-1) !== right.time.toLowerCase() || equal.length !== right.keys.length) return undefined;
  const keys = right.keys.map((key) => equal.find((name) => name === key.toLowerCase()));
  if (keys.length === 0 || keys.includes(undefined)) return undefined;
  return { keys: keys.map((name) => reference(String(name))), time: reference(right.time), operator: '>=' };
}

function reference(name: string): Node {
  return { class: 'COLUMN_REF', type: 'COLUMN_REF', alias: '', query_location: 0, column_names: [name] };
}

const operators: Record<string, { asWritten: TimeOperator; turned: TimeOperator }> = {
  COMPARE_GREATERTHANOREQUALTO: { asWritten: '>=', turned: '<=' },
  COMPARE_GREATERTHAN: { asWritten: '>', turned: '<' },
  COMPARE_LESSTHANOREQUALTO: { asWritten: '<=', turned: '>=' },
  COMPARE_LESSTHAN: { asWritten: '<', turned: '>' },
};

function matchOn(condition: unknown, alias: string, right: SeriesView): Match | undefined {
  const keys = new Map<string, Node>();
  let time: Pick<Match, 'time' | 'operator'> | undefined;
  for (const part of conjuncts(condition)) {
    const sides = sidesOf(part, alias, right);
    if (!sides) return undefined;
    const { left, column, isTurned } = sides;
    if (part.type === 'COMPARE_EQUAL' && !keys.has(column)) {
      keys.set(column, left);
      continue;
    }
    const operator = operators[String(part.type)];
    if (!operator || time || column !== right.time.toLowerCase()) return undefined;
    time = { time: left, operator: isTurned ? operator.turned : operator.asWritten };
  }
  const found = right.keys.map((key) => keys.get(key.toLowerCase()));
  if (!time || found.length === 0 || keys.size !== found.length || found.includes(undefined))
    return undefined;
  return { ...time, keys: found as Node[] };
}

/** One side must be a column of the right, the other must not speak of the right at all. */
function sidesOf(
  part: Node,
  alias: string,
  right: SeriesView,
): { left: Node; column: string; isTurned: boolean } | undefined {
  if (part.class !== 'COMPARISON') return undefined;
  for (const [one, other, isTurned] of [
    [part.right, part.left, false],
    [part.left, part.right, true],
  ] as const) {
    const names = columnNames(one);
    if (names?.length !== 2 || names[0] !== alias || !isNode(other)) continue;
    const isFree = everyColumn(other, (names) =>
      names.length === 1 ? !right.columns.has(names[0]) && names[0] !== alias : names[0] !== alias,
    );
    if (isFree) return { left: other, column: names[1], isTurned };
  }
  return undefined;
}

function everyColumn(expression: unknown, holds: (names: string[]) => boolean): boolean {
  let all = true;
  walk(expression, (node) => {
    const names = columnNames(node);
    // A query within an expression has names of its own.
    if (node.class === 'SUBQUERY' || (names && !holds(names))) all = false;
    return all;
  });
  return all;
}

/** Is the right side's whole row used as one value, or its columns by a pattern? Then more columns would show. */
function mentionsRow(select: Node, alias: string): boolean {
  let found = false;
  walk(select, (node) => {
    const names = columnNames(node);
    if (names?.length === 1 && names[0] === alias) found = true;
    // ORDER BY ALL is such a pattern too, but goes by what is shown.
    if (node.type === 'ORDER_MODIFIER') return false;
    if (node.class === 'STAR' && node.columns === true) found = true;
    return !found;
  });
  return found;
}

/** Conditions of WHERE that speak of the base alone. */
function filtersOf({ select, join, base }: AsOfSite, using: string[], right: SeriesView): Node[] {
  const name = String(
    base.alias === '' || base.alias === undefined ? base.table_name : base.alias,
  ).toLowerCase();
  const isOnlyJoin = select.from_table === join && join.left === base;
  const isOfBase = (names: string[]): boolean =>
    names.length > 1
      ? names.length === 2 && names[0] === name
      : isOnlyJoin && (using.includes(names[0]) || !right.columns.has(names[0]));
  return conjuncts(select.where_clause).filter((part) => everyColumn(part, isOfBase) && isRepeatable(part));
}
