/** SQL over the store, brought up to date first: a query sees every acknowledged write and the live bars. */
import type { QueryResult } from '../storage/storage.ts';
import type { RollupEntry } from './catalog/catalog.ts';
import type { SqlOptions, SqlResult } from './database.ts';
import type { EngineState } from './engine-state.ts';
import type { Flusher } from './flush/flusher.ts';

const rowsMaxDefault = 1_000_000;
const timeoutMsDefault = 60_000;

/** See `Database.sql`. */
export async function runSql(
  state: EngineState,
  flusher: Flusher,
  text: string,
  options: SqlOptions,
): Promise<SqlResult> {
  const live = await rollupsIn(state, text);
  // It may have to wait for other queries to end, and commits must not wait with it.
  const snapshot = await state.storage.snapshot();
  try {
    // Before another commit can come in between, so closed and live bars are of one moment.
    await flusher.flush(live, () => snapshot.renew());
    const limits = {
      rowsMax: options.rowsMax ?? rowsMaxDefault,
      timeoutMs: options.timeoutMs ?? timeoutMsDefault,
      bytesMax: state.limits.storeBytesMax,
    };
    const result: QueryResult = await snapshot.query(text, options.parameters ?? [], limits);
    return result;
  } finally {
    await snapshot.close();
  }
}

async function rollupsIn(state: EngineState, text: string): Promise<RollupEntry[]> {
  const names = new Set(await state.storage.tablesOf(text));
  return state.catalog.rollups().filter(({ def }) => names.has(def.name.toLowerCase()));
}
