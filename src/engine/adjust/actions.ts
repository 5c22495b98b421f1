/** The rows of `corporate_actions`, checked and by symbol, read again only when the table has changed. */
import { CandelaError } from '../../core/errors.ts';
import { columnNamed, type Scalar, valueAt } from '../../market/columns.ts';
import type { PlainEntry } from '../catalog/catalog.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { EngineState } from '../engine-state.ts';
import { corporateActionsTable } from './actions-table.ts';

/** What happens to a symbol on a date. */
export interface Action {
  /** Days since 1970-01-01. */
  exDate: number;
  /** New shares for each old one; 1 without a split. */
  ratio: number;
  /** Cash for each share held before; 0 without a dividend. */
  amount: number;
}

/** Actions by symbol, ascending by date, one a date. */
export type Actions = ReadonlyMap<string, readonly Action[]>;

const none: Actions = new Map();
const nsPerDay = 86_400_000_000_000n;
const needed = ['symbol', 'ex_date', 'kind', 'ratio', 'amount'];

interface Known {
  version: number;
  writes: number;
  actions: Promise<Actions>;
}
const knownOf = new WeakMap<PlainEntry, Known>();

/** All actions; none where there is no such table. Throws `INVALID_ARGUMENT` naming a row that makes no sense. */
export function readActions(state: EngineState): Promise<Actions> {
  const entry = state.catalog.get(corporateActionsTable.name);
  if (entry?.kind !== 'plain') return Promise.resolve(none);
  const { version, writes } = entry;
  const known = knownOf.get(entry);
  if (known?.version === version && known.writes === writes) return known.actions;
  const actions = load(state, entry);
  knownOf.set(entry, { version, writes, actions });
  // A failure is told to whoever asked, and not kept.
  actions.catch(() => knownOf.delete(entry));
  return actions;
}

async function load({ storage }: EngineState, { id, def }: PlainEntry): Promise<Actions> {
  const missing = needed.find((name) => !def.columns.some((column) => column.name === name));
  if (missing !== undefined) throw wrong(`it has no column '${missing}'`);
  const rows = await storage.readAll(physicalId(id, tableRole.rows), needed);
  const bySymbol = new Map<string, Map<number, Action>>();
  for (let row = 0; row < rows.rowCount; row++) {
    const value = (name: string): Scalar => {
      const column = columnNamed(rows, name);
      return column ? valueAt(column, row) : null;
    };
    const symbol = String(value('symbol'));
    const exDate = dateOf(value('ex_date'), symbol);
    const byDate = bySymbol.get(symbol) ?? new Map<number, Action>();
    bySymbol.set(symbol, byDate);
    const action = byDate.get(exDate) ?? { exDate, ratio: 1, amount: 0 };
    byDate.set(exDate, action);
    add(action, value, `'${symbol}', ${dateText(exDate)}`);
  }
  const inOrder = (byDate: Map<number, Action>): Action[] =>
    [...byDate.values()].sort((a, b) => a.exDate - b.exDate);
  return new Map([...bySymbol].map(([symbol, byDate]) => [symbol, inOrder(byDate)]));
}

function add(action: Action, value: (name: string) => Scalar, place: string): void {
  const kind = value('kind');
  if (kind === 'split') action.ratio *= positive(value('ratio'), `${place}: a split needs a ratio above 0`);
  else if (kind === 'dividend')
    action.amount += positive(value('amount'), `${place}: a dividend needs an amount above 0`);
  else throw wrong(`${place}: kind '${String(kind)}' is neither split nor dividend`);
}

function positive(value: Scalar, problem: string): number {
  const isDecimal = typeof value === 'object' && value !== null;
  const number = isDecimal ? Number(value.coefficient) / 10 ** value.scale : Number(value ?? Number.NaN);
  if (number > 0 && Number.isFinite(number)) return number;
  throw wrong(problem);
}

function dateOf(value: Scalar, symbol: string): number {
  if (typeof value !== 'bigint') throw wrong(`'${symbol}': ex_date is not a date`);
  return Number((value - (((value % nsPerDay) + nsPerDay) % nsPerDay)) / nsPerDay);
}

/** A day since 1970-01-01 as `2024-05-17`. */
export function dateText(date: number): string {
  return new Date(date * 86_400_000).toISOString().slice(0, 10);
}

function wrong(problem: string): CandelaError {
  return new CandelaError('INVALID_ARGUMENT', `table '${corporateActionsTable.name}': ${problem}`, {
    help: 'docs/corporate-actions.md describes its columns.',
  });
}
