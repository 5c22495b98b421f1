/**
 * As-of joins with a view of ticks or bars, rewritten so that DuckDB has less to sort.
 *
 * DuckDB sorts the whole right side of an as-of join, by text. Of a join that `recognise.ts` knows,
 *
 *     trades t ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time
 *
 * this makes one with the rows of the quotes table between the first and the last time of `t`, and of each series the
 * last ones before (for `<=` and `<` the first ones after). It goes by series number instead of text, and by one
 * integer made of time and version instead of the time: of quotes with equal times the last to arrive is met
 * (for `<=` and `<` the first), which DuckDB leaves to chance.
 *
 *     trades t LEFT JOIN (dictionary of quotes) d ON t.symbol = d.symbol
 *     ASOF JOIN (rows between ∪ rows before) q ON d.series = q.series AND order(t.time) >= q.order
 *
 * Besides ties the result is the same. Whatever is not recognised is left as it is, and so is everything if the new
 * statement does not have the columns of the old. See docs/adr/0016-as-of-joins.md.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Scalar } from '../../../../market/columns.ts';
import type { StoredView } from '../../../storage.ts';
import { quoteName } from '../../sql-text.ts';
import { bindScalars } from '../parameters.ts';
import {
  dictionarySql,
  type Extent,
  findNeighbours,
  type LeftSide,
  type Neighbours,
  numbersSql,
  readExtent,
  viewRows,
  whereSql,
} from './bounds.ts';
import { type HiddenNames, hiddenNames, hideColumns } from './hidden.ts';
import {
  allOf,
  deserialize,
  fill,
  type Node,
  parseTree,
  printTree,
  serialize,
  walk,
  withoutLocations,
} from './nodes.ts';
import { type AsOfJoin, isOwnCondition, type RightSource, recogniseJoin, rightSource } from './recognise.ts';
import { readSeriesView, roleSql, type SeriesView } from './series-view.ts';
import { findAsOfJoins } from './sites.ts';

/** A statement that holds an as-of join. */
export interface AsOfStatement {
  /** Its tree, as DuckDB serializes it. */
  json: string;
  parameters: readonly Scalar[];
}

/** The statement's new text, or undefined where nothing was rewritten. Runs in the connection's transaction. */
export async function rewriteAsOfJoins(
  connection: DuckDBConnection,
  { json, parameters }: AsOfStatement,
): Promise<string | undefined> {
  const tree = parseTree(json);
  let isChanged = false;
  for (const [index, site] of findAsOfJoins(tree).reverse().entries()) {
    const source = rightSource(site);
    const right = source && (await rightOf(connection, source));
    const join = right && recogniseJoin(site, right);
    if (!right || !join) continue;
    if (!isChanged && !(await isWrittenBack(connection, json))) return undefined;
    isChanged =
      (await rewriteJoin(connection, join, right, hiddenNames(index, right), parameters)) || isChanged;
  }
  return isChanged ? deserialize(connection, printTree(tree)) : undefined;
}

/** The view, with the condition as text. */
async function rightOf(connection: DuckDBConnection, source: RightSource): Promise<SeriesView | undefined> {
  const right = await readSeriesView(connection, source.name);
  if (!right || source.condition === null) return right;
  if (!isOwnCondition(source, right)) return undefined;
  const node = fill(
    await statementNode(connection, 'SELECT candela$condition'),
    new Map([['candela$condition', source.condition]]),
  );
  const text = await deserialize(connection, printTree(statementOf(node)));
  return { ...right, filter: `AS ${quoteName(source.innerAlias)} WHERE ${text.slice('SELECT '.length)}` };
}

/** Does the statement survive being made text of again? */
async function isWrittenBack(connection: DuckDBConnection, json: string): Promise<boolean> {
  const again = await serialize(connection, await deserialize(connection, json));
  return withoutLocations(again) === withoutLocations(json);
}

async function rewriteJoin(
  connection: DuckDBConnection,
  join: AsOfJoin,
  right: SeriesView,
  hidden: HiddenNames,
  parameters: readonly Scalar[],
): Promise<boolean> {
  const extent = await readExtent(connection, right);
  const left = extent && (await measureLeft(connection, join, right, hidden, parameters));
  if (!left) return false;
  const side = join.operator.startsWith('>') ? 'before' : 'after';
  const neighbours = await findNeighbours(connection, right, left, extent, side);
  const sql = joinSql(join, right, hidden, { left, neighbours, extent });
  const standIns = new Map([[hidden.base, join.join.left as Node], ...leftStandIns(join, hidden)]);
  const filled = fill(await statementNode(connection, sql), standIns);
  hideColumns(join, right, hidden);
  Object.assign(join.join, filled.from_table);
  return true;
}

async function statementNode(connection: DuckDBConnection, sql: string): Promise<Node> {
  const tree = parseTree(await serialize(connection, sql)) as { statements: { node: Node }[] };
  return tree.statements[0].node;
}

function statementOf(node: Node): Node {
  return { error: false, statements: [{ node, named_param_map: [] }] };
}

function leftStandIns({ keys, time }: AsOfJoin, hidden: HiddenNames): [string, Node][] {
  return [...keys.map((key, i): [string, Node] => [hidden.leftKeys[i], key]), [hidden.leftTime, time]];
}

/** Series and times of the left side. Undefined if its time is of another type than the right's, or not finite. */
async function measureLeft(
  connection: DuckDBConnection,
  join: AsOfJoin,
  right: SeriesView,
  hidden: HiddenNames,
  parameters: readonly Scalar[],
): Promise<LeftSide | undefined> {
  const { toInteger, sqlType } = right.unit;
  const time = quoteName(hidden.leftTime);
  const filter = join.filters.length > 0 ? `WHERE ${quoteName(hidden.filter)}` : '';
  const node = await statementNode(
    connection,
    `SELECT ${quoteName(hidden.series)}, ${toInteger}(min(${time})), ${toInteger}(max(${time})), ` +
      `min(typeof(${time})), bool_and(isfinite(${time})) FROM ${quoteName(hidden.base)} ` +
      `JOIN (${dictionarySql(right, [hidden.series, ...hidden.keys])}) ON ${keysEqual(hidden)} ${filter} GROUP BY 1`,
  );
  fill(
    node,
    new Map([[hidden.base, join.base], ...leftStandIns(join, hidden), [hidden.filter, allOf(join.filters)]]),
  );
  (node.cte_map as { map: Node[] }).map = structuredClone(join.ctes);
  const used = renumberParameters(node, parameters);
  const text = await deserialize(connection, printTree(statementOf(node)));
  const left: LeftSide = { series: [], from: 0n, to: 0n };
  for (const [series, from, to, type, finite] of await readRows(connection, text, used)) {
    if (from === null) continue;
    if (type !== sqlType || finite !== true) return undefined;
    const isFirst = left.series.push(Number(series)) === 1;
    if (isFirst || (from as bigint) < left.from) left.from = from as bigint;
    if (isFirst || (to as bigint) > left.to) left.to = to as bigint;
  }
  left.series.sort((a, b) => a - b);
  return left;
}

/** Numbers the parameters that a part of a statement uses from 1 on, and returns their values in that order. */
function renumberParameters(node: Node, parameters: readonly Scalar[]): Scalar[] {
  const used: string[] = [];
  walk(node, (inner) => {
    if (inner.class !== 'PARAMETER') return true;
    const name = String(inner.identifier);
    if (!used.includes(name)) used.push(name);
    inner.identifier = String(used.indexOf(name) + 1);
    return false;
  });
  return used.map((name) => parameters[Number(name) - 1]);
}

async function readRows(connection: DuckDBConnection, text: string, values: Scalar[]): Promise<unknown[][]> {
  const statement = await connection.prepare(text);
  try {
    bindScalars(statement, values);
    return await (await statement.run()).getRows();
  } finally {
    statement.destroySync();
  }
}

interface Bounds {
  left: LeftSide;
  neighbours: Neighbours;
  extent: Extent;
}

/** The new join as the FROM of a statement, with stand-ins for what is the user's. */
function joinSql(join: AsOfJoin, right: SeriesView, hidden: HiddenNames, bounds: Bounds): string {
  const { left, neighbours, extent } = bounds;
  const { toInteger, fromInteger } = right.unit;
  const perTime = extent.versionMax + 1n;
  const span = left.to - left.from + 1n;
  // Neighbours are among themselves: of each series those of one time. Time plays no part in their order.
  const isNarrow = (span + 2n) * perTime < 2n ** 62n;
  const type = isNarrow ? 'BIGINT' : 'HUGEINT';
  const orderOf = (time: string): string => `(${toInteger}(${time}) - ${left.from})::${type} * ${perTime}`;
  const version = roleSql(right, 'version');
  const time = quoteName(hidden.leftTime);
  const isBackward = join.operator.startsWith('>');
  const beyond = isBackward ? -perTime : span * perTime;
  const within = `${orderOf(roleSql(right, 'time'))} + ${version}`;
  const around = `${version}::${type} + ${beyond}`;
  const rows = [
    ...viewRows(
      right,
      shapeOf(right, join, hidden),
      hiddenColumns(right, hidden, within),
      whereSql(right, left),
    ),
    ...viewRows(
      right,
      shapeOf(right, join, hidden),
      hiddenColumns(right, hidden, around),
      neighbourSql(right, neighbours),
    ),
  ].join(' UNION ALL ');
  // To the order of a time belongs that of the last version (`>=`, `<`) or of the first (`>`, `<=`).
  const last = join.operator === '>=' || join.operator === '<' ? perTime - 1n : 0n;
  const isInside = `${time} BETWEEN ${fromInteger}(${left.from}) AND ${fromInteger}(${left.to})`;
  const leftOrder = `CASE WHEN ${isInside} THEN ${orderOf(time)} + ${last} END`;
  return (
    `SELECT * FROM ${quoteName(hidden.base)} ` +
    `LEFT JOIN (${dictionarySql(right, [hidden.series, ...hidden.keys])}) ON ${keysEqual(hidden)} ` +
    `ASOF ${join.join.join_type === 'LEFT' ? 'LEFT ' : ''}JOIN (${rows}) AS ${quoteName(join.alias)} ` +
    `ON ${quoteName(hidden.series)} = ${quoteName(join.alias)}.${quoteName(hidden.rightSeries)} ` +
    `AND ${leftOrder} ${join.operator} ${quoteName(join.alias)}.${quoteName(hidden.order)}`
  );
}

/** The view, with the columns of `USING` under names of ours. */
function shapeOf({ view }: SeriesView, { using }: AsOfJoin, hidden: HiddenNames): StoredView {
  const columns = view.columns.map(({ name, source }) => ({
    name: using.includes(name.toLowerCase()) ? hidden.using(name) : name,
    source,
  }));
  return { ...view, columns };
}

function hiddenColumns(right: SeriesView, hidden: HiddenNames, order: string): string[] {
  const number = roleSql(right, 'series');
  return [`${number} AS ${quoteName(hidden.rightSeries)}`, `${order} AS ${quoteName(hidden.order)}`];
}

function neighbourSql(right: SeriesView, { series, times }: Neighbours): string {
  if (series.length === 0) return 'WHERE false';
  const { fromInteger } = right.unit;
  const pairs = `SELECT ${numbersSql(series, 'INTEGER')} AS s, ${fromInteger}(${numbersSql(times, 'BIGINT')}) AS t`;
  const least = times.reduce((a, b) => (b < a ? b : a));
  const greatest = times.reduce((a, b) => (b > a ? b : a));
  const time = roleSql(right, 'time');
  return (
    `JOIN (${pairs}) p ON ${roleSql(right, 'series')} = p.s AND ${time} = p.t ` +
    `WHERE ${time} BETWEEN ${fromInteger}(${least}) AND ${fromInteger}(${greatest})`
  );
}

function keysEqual({ leftKeys, keys }: HiddenNames): string {
  return keys.map((key, i) => `${quoteName(leftKeys[i])} = ${quoteName(key)}`).join(' AND ');
}
