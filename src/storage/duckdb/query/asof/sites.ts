/** Finds the as-of joins of a statement that `rewrite.ts` may take on. */
import { isNode, type Node, walk } from './nodes.ts';

/** An as-of join, and what its left side's rows come from. */
export interface AsOfSite {
  /** The SELECT in whose FROM it stands. */
  select: Node;
  join: Node;
  /** The leftmost table of that FROM: every row of the join's left side comes from one of its rows. */
  base: Node;
  /** CTEs that can be seen there, outermost first. */
  ctes: Node[];
}

/**
 * The joins on the left edge of a FROM, where all joins up to it keep or drop rows of the left side and make none
 * without it: inner and left ones. A statement with a recursive CTE has none.
 */
export function findAsOfJoins(statement: Node): AsOfSite[] {
  let isRecursive = false;
  walk(statement, (node) => {
    isRecursive ||= node.type === 'RECURSIVE_CTE_NODE';
    return !isRecursive;
  });
  const sites: AsOfSite[] = [];
  if (!isRecursive) visit(statement, [], sites);
  return sites;
}

function visit(value: unknown, ctes: Node[], sites: AsOfSite[]): void {
  if (Array.isArray(value)) {
    for (const child of value) visit(child, ctes, sites);
    return;
  }
  if (!isNode(value)) return;
  let inner = ctes;
  for (const cte of (value.cte_map as { map: Node[] } | undefined)?.map ?? []) {
    visit(cte.value, inner, sites);
    inner = [...inner, cte];
  }
  if (value.type === 'SELECT_NODE') sites.push(...edgeOf(value, inner));
  for (const [name, child] of Object.entries(value)) if (name !== 'cte_map') visit(child, inner, sites);
}

function edgeOf(select: Node, ctes: Node[]): AsOfSite[] {
  const joins: Node[] = [];
  let base = select.from_table as Node;
  while (base.type === 'JOIN' && (base.join_type === 'INNER' || base.join_type === 'LEFT')) {
    if (base.ref_type === 'ASOF') joins.push(base);
    base = base.left as Node;
  }
  if (base.type === 'JOIN') return [];
  return joins.map((join) => ({ select, join, base, ctes }));
}

/** Functions that give the same result each time within a query. Operators are functions too. */
const steadyFunctions = new Set(
  (
    '+ - * / // % abs round floor ceil lower upper trim concat || substr substring coalesce greatest least ' +
    'time_bucket date_trunc date_part to_seconds to_minutes to_hours to_days to_milliseconds to_microseconds ' +
    'epoch_us epoch_ns epoch_ms make_timestamp make_timestamptz make_timestamp_ns now current_timestamp ' +
    'get_current_timestamp timezone ~~ !~~ ~~* starts_with count count_star min max'
  ).split(' '),
);

/** Parts of a statement whose result may hang on the order in which rows happen to come. */
const unsteadyTypes = new Set([
  'TABLE_FUNCTION',
  'LIMIT_MODIFIER',
  'LIMIT_PERCENT_MODIFIER',
  'DISTINCT_MODIFIER',
]);
const unsteadyClasses = new Set(['WINDOW', 'LAMBDA']);

/** Does evaluating it twice in one transaction give the same rows? Only what surely does is answered with true. */
export function isRepeatable(value: unknown): boolean {
  let isSteady = true;
  walk(value, (node) => {
    if (unsteadyTypes.has(String(node.type)) || unsteadyClasses.has(String(node.class))) isSteady = false;
    if (isNode(node.sample)) isSteady = false;
    if (node.class === 'FUNCTION') isSteady &&= steadyFunctions.has(String(node.function_name).toLowerCase());
    return isSteady;
  });
  return isSteady;
}
