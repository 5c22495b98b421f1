import type { Database } from '../../src/engine/database.ts';
import type { SealLimits } from '../../src/engine/seal/seal-state.ts';

/** Seals everything as soon as it is stored. */
export const sealAtOnce: Partial<SealLimits> = { intervalMs: 100, idleMs: 0, rowsMin: 1 };

const waitMsMax = 3_000_000;

/** Waits until `rows` rows of a table, and all that is stored of the others, are sealed. */
export async function sealed(database: Database, rows: number): Promise<void> {
  await database.flush();
  const deadlineMs = performance.now() + waitMsMax;
  while (performance.now() < deadlineMs) {
    const { columns } = await database.sql("SELECT value FROM candela.documents WHERE key LIKE 'seal/%'");
    const [column] = columns;
    const texts = column.kind === 'text' ? [...column.codes].map((code) => column.dictionary[code]) : [];
    const states = texts.map((text) => JSON.parse(text) as { countedBelow: number; unsealed: unknown[] });
    // Rollups count log positions, and each table is counted before it is sealed.
    const isCounted =
      states.length === database.tables().length && states.some(({ countedBelow }) => countedBelow === rows);
    if (isCounted && states.every(({ unsealed }) => unsealed.length === 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not everything was sealed within ${waitMsMax} ms`);
}
