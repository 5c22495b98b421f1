/** One random life of a database: tables, rollups, batches, flushes, restarts, and questions in between. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CandelaError } from '../../src/core/errors.ts';
import type { Prng } from '../../src/core/prng.ts';
import { createPrng } from '../../src/core/prng.ts';
import type { Database, WriteResult } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import type { ColumnSet, Scalar } from '../../src/market/columns.ts';
import { compareRows, rowsOf, sorted } from './compare-rows.ts';
import type { Checked } from './engine-checks.ts';
import {
  checkBars,
  checkDerivedBars,
  checkLatest,
  checkRows,
  checkSql,
  randomRange,
  describe as text,
} from './engine-checks.ts';
import type { ModelTable } from './engine-model.ts';
import { addRows, deleteFrom, expectedBars, expectedRows } from './engine-model.ts';
import type { Doubles, RandomColumn } from './random-columns.ts';
import { chance, pick } from './random-columns.ts';
import { batchWithRepeats, randomDedup } from './random-repeats.ts';
import type { ModelRollup } from './random-rollups.ts';
import { randomRollup } from './random-rollups.ts';
import { randomTable } from './random-table.ts';
import type { Row, TickSource } from './random-ticks.ts';
import { batchOf, randomRows } from './random-ticks.ts';

/** What kind of life. */
export interface CaseOptions {
  seed: number;
  backend: 'duckdb' | 'memory';
  /** Ticks to write. */
  events: number;
  doubles: Doubles;
}

/** Runs one case. Throws at the first wrong answer, naming the seed and what was done last. */
export async function runCase(options: CaseOptions): Promise<void> {
  const life = await Life.begin(options);
  try {
    await life.live();
  } catch (error) {
    const told = life.log.slice(-12).join('\n  ');
    throw new Error(`${describe(options)}: ${(error as Error).message}\n  ${told}`, { cause: error });
  } finally {
    await life.end();
  }
}

function describe({ seed, backend, doubles }: CaseOptions): string {
  return `seed ${seed} on ${backend}, ${doubles} doubles`;
}

class Life {
  readonly log: string[] = [];
  readonly #options: CaseOptions;
  readonly #prng: Prng;
  readonly #source: TickSource;
  readonly #table: ModelTable;
  readonly #spare: RandomColumn[];
  readonly #memoryBytesMax: number;
  readonly #largestBatch: number;
  #directories: string[] = [];
  #database!: Database;
  #written = 0;
  #made = 0;
  /** Batches that were written with an id. */
  readonly #known = new Map<string, WriteResult>();

  private constructor(options: CaseOptions) {
    this.#options = options;
    const prng = createPrng(options.seed);
    this.#prng = prng;
    const kind = pick(prng, ['ticks', 'ticks', 'ticks', 'ticks', 'ticks', 'ticks', 'bars', 'state'] as const);
    const { table, source, spare } = randomTable(prng, kind, options.doubles);
    if (kind === 'ticks' && chance(prng, 0.5)) table.def.dedup = randomDedup(prng, table.def);
    this.#table = table;
    this.#source = source;
    this.#spare = spare;
    // A store on disk takes its time for each step: let the steps be fewer.
    const isQuick = options.backend === 'memory';
    this.#memoryBytesMax = pick(prng, isQuick ? [1, 20_000, 200_000, 2 ** 28] : [20_000, 2 ** 28]);
    this.#largestBatch = pick(prng, isQuick ? [10, 60, 400, 3000] : [60, 400, 3000]);
  }

  static async begin(options: CaseOptions): Promise<Life> {
    const life = new Life(options);
    await life.#open(options.backend === 'memory' ? null : await life.#newDirectory());
    await life.#database.createTable(life.#table.def);
    return life;
  }

  async #newDirectory(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'candela-property-'));
    this.#directories.push(directory);
    return directory;
  }

  async #open(directory: string | null): Promise<void> {
    this.#database = await open({
      directory,
      memoryBytesMax: this.#memoryBytesMax,
      flushIntervalMs: 3_600_000,
      // Each page is a commit, and takes its time on disk.
      backfillRows: pick(this.#prng, [directory === null ? 1 : 50, 20, 500, 131_072]),
      ...(this.#isQuiet ? {} : { sealing: { intervalMs: 20, rowsMin: 30, rowsMax: 1000, idleMs: 0 } }),
      durability: pick(this.#prng, ['always', 'none'] as const),
    });
  }

  async end(): Promise<void> {
    await this.#database.close();
    for (const directory of this.#directories) await rm(directory, { recursive: true });
  }

  async live(): Promise<void> {
    while (this.#written < this.#options.events) {
      await this.#step();
      if (chance(this.#prng, this.#largestBatch > 10 ? 0.7 : 0.2)) await this.#ask();
    }
    for (let i = 0; i < 12; i++) await this.#ask();
  }

  #note(what: string): void {
    this.log.push(what);
  }

  async #step(): Promise<void> {
    const prng = this.#prng;
    const dice = prng.next();
    if (dice < 0.7) await this.#write();
    else if (dice < 0.73) await this.#delete();
    else if (dice < 0.735) await this.#refresh();
    else if (dice < 0.74) await this.#changeDedup();
    else if (dice < 0.745) await this.#tier();
    else if (dice < 0.76) await this.#repeat();
    else if (dice < 0.87) await this.#flush();
    else if (dice < 0.9) await this.#createRollup();
    else if (dice < 0.92) await this.#addColumn();
    else if (dice < 0.925) await this.#dropRollup();
    else if (dice < 0.95) await this.#restart();
    else await this.#storm();
  }

  #rows(): Row[] {
    const prng = this.#prng;
    const count = chance(prng, 0.03) ? 0 : 1 + prng.below(chance(prng, 0.3) ? 3 : this.#largestBatch);
    const rows = randomRows(this.#source, count);
    return this.#table.def.dedup ? batchWithRepeats(prng, this.#table, rows) : rows;
  }

  async #write(): Promise<void> {
    const rows = this.#rows();
    this.#note(`write ${rows.length}`);
    const batchId = chance(this.#prng, 0.2) ? `batch ${this.#known.size}` : undefined;
    const options = batchId === undefined ? {} : { batchId };
    const result = await this.#database.write('ticks', batchOf(this.#table.def, rows, this.#prng), options);
    if (batchId !== undefined) this.#known.set(batchId, result);
    this.#take(rows, result);
  }

  #take(rows: Row[], result: WriteResult): void {
    const { rowCount, duplicates, corrected } = result;
    const expected = addRows(this.#table, rows);
    // Bars and states that are overwritten count as written.
    if (text({ rowCount, duplicates, corrected }) !== text(expected))
      throw new Error(`${text(result)} for ${rows.length} rows, should be ${text(expected)}`);
    this.#written += rows.length;
  }

  /** A batch with an id that is known is not written, whatever is in it. */
  async #repeat(): Promise<void> {
    if (this.#known.size === 0) return;
    const batchId = pick(this.#prng, [...this.#known.keys()]);
    this.#note(`repeat ${batchId}`);
    const batch = batchOf(this.#table.def, randomRows(this.#source, 2), this.#prng);
    const { lsn, rowCount, duplicates, corrected, repeated } = await this.#database.write('ticks', batch, {
      batchId,
    });
    const first = this.#known.get(batchId) as WriteResult;
    const answer = {
      lsn: first.lsn,
      rowCount: first.rowCount,
      duplicates: first.duplicates,
      corrected: first.corrected,
    };
    if (!repeated || text({ lsn, rowCount, duplicates, corrected }) !== text(answer))
      throw new Error(
        `${text({ lsn, rowCount, duplicates, corrected, repeated })}, should be ${text(answer)} again`,
      );
  }

  async #delete(): Promise<void> {
    const { order: _, limit: __, ...range } = randomRange(this.#checked);
    const { def, ticks } = this.#table;
    const where: Row = {};
    if (ticks.length > 0 && (chance(this.#prng, 0.7) || Object.keys(range).length === 0)) {
      const { name } = pick(
        this.#prng,
        def.columns.filter((column) => column.name !== def.timeColumn),
      );
      where[name] = pick(this.#prng, ticks).values[name];
    }
    const request = { ...range, where };
    this.#note(`delete ${text(request)}`);
    const { rowCount } = await this.#database.deleteRows('ticks', request);
    const expected = deleteFrom(this.#table, request);
    if (rowCount !== expected) throw new Error(`${rowCount} rows deleted, should be ${expected}`);
  }

  /** Nothing is ever wrong, so nothing changes. */
  async #refresh(): Promise<void> {
    if (this.#table.def.kind !== 'ticks') return;
    const { fromNs, toNs } = randomRange(this.#checked);
    const range = { ...(fromNs === undefined ? {} : { fromNs }), ...(toNs === undefined ? {} : { toNs }) };
    this.#note(`refresh ${text(range)}`);
    const { changed, skipped } = await this.#database.refresh({ table: 'ticks', ...range });
    if (changed > 0 || skipped > 0) throw new Error(`${changed} bars refreshed, ${skipped} skipped`);
  }

  /** Moves all days but today's, and those to come, to cold files. */
  async #tier(): Promise<void> {
    if (this.#table.def.kind !== 'ticks') return;
    this.#note('tier');
    await this.#database.alterTable('ticks', { coldAfter: '1s' });
    await this.#database.applyRetention();
  }

  async #changeDedup(): Promise<void> {
    const { def } = this.#table;
    if (def.kind !== 'ticks') return;
    const dedup = chance(this.#prng, 0.3) ? null : randomDedup(this.#prng, def);
    this.#note(`dedup ${text(dedup)}`);
    await this.#database.alterTable('ticks', { dedup });
    if (dedup) def.dedup = dedup;
    else delete def.dedup;
  }

  async #flush(): Promise<void> {
    this.#note('flush');
    await this.#database.flush();
  }

  async #createRollup(): Promise<void> {
    if (this.#table.def.kind !== 'ticks' || this.#table.rollups.length >= 8) return;
    const rollup = randomRollup(this.#prng, this.#table.def, this.#table.rollups, `roll${this.#made++}`);
    this.#note(`create ${JSON.stringify(rollup.def)}`);
    const creating = this.#database.createRollup(rollup.def).catch((error: CandelaError) => error.code);
    const isRestarted = this.#options.backend === 'duckdb' && chance(this.#prng, 0.3);
    for (let steps = this.#prng.below(5); steps > 0; steps--) await this.#beside();
    if (isRestarted) await this.#reopen();
    const outcome = await creating;
    if (typeof outcome === 'string' && !(isRestarted && outcome === 'STOPPING')) throw new Error(outcome);
    while (this.#database.table(rollup.def.name)?.backfill)
      await new Promise((resolve) => setTimeout(resolve, 1));
    if (this.#database.table(rollup.def.name)) this.#table.rollups.push(rollup);
  }

  /** What happens while a rollup is filled. */
  async #beside(): Promise<void> {
    const dice = this.#prng.next();
    if (dice < 0.5) await this.#write();
    else if (dice < 0.6) await this.#delete();
    else if (dice < 0.65) await this.#tier();
    else if (dice < 0.8) await this.#flush();
    else await new Promise((resolve) => setTimeout(resolve, this.#prng.below(4)));
  }

  async #dropRollup(): Promise<void> {
    const { rollups } = this.#table;
    const leaf = rollups.find(({ def }) => !rollups.some((other) => other.def.source === def.name));
    if (!leaf) return;
    this.#note(`drop ${leaf.def.name}`);
    await this.#database.dropTable(leaf.def.name);
    rollups.splice(rollups.indexOf(leaf), 1);
  }

  async #addColumn(): Promise<void> {
    const column = this.#spare.pop();
    if (!column) return;
    this.#note(`add ${column.name}`);
    const { name, type } = column;
    await this.#database.alterTable('ticks', { addColumn: { name, type } });
    const { def } = this.#table;
    def.columns = [...def.columns, { name, type, nullable: true }];
    this.#source.columns = [...this.#source.columns, column];
    for (const tick of this.#table.ticks) tick.values[name] = null;
  }

  /** Is nothing stored but when asked for? Else a copy of the directory would be no image of one moment. */
  get #isQuiet(): boolean {
    return this.#memoryBytesMax === 2 ** 28;
  }

  /** Closes and opens, or opens a copy of the directory, which is what a crash leaves. */
  async #restart(): Promise<void> {
    if (this.#options.backend === 'memory') return;
    const present = this.#directories[this.#directories.length - 1];
    if (this.#isQuiet && chance(this.#prng, 0.6)) {
      this.#note('crash');
      const directory = await this.#newDirectory();
      await cp(present, directory, { recursive: true });
      await this.#database.close();
      await this.#open(directory);
    } else {
      await this.#reopen();
    }
  }

  async #reopen(): Promise<void> {
    this.#note('reopen');
    await this.#database.close();
    await this.#open(this.#directories[this.#directories.length - 1]);
  }

  /** Writes, reads and flushes all at once; each read must show one moment between its beginning and its end. */
  async #storm(): Promise<void> {
    this.#note('storm');
    const prng = this.#prng;
    const reads: Glimpse[] = [];
    const writes = Array.from({ length: 2 + prng.below(5) }, () => {
      const rows = this.#rows();
      const writing = this.#database.write('ticks', batchOf(this.#table.def, rows, prng));
      if (chance(prng, 0.6)) reads.push(this.#glimpse());
      return writing.then((result) => ({ lsn: result.lsn, result, rows }));
    });
    const flushing = this.#database.flush();
    for (let i = 0; i < 2; i++) reads.push(this.#glimpse());
    const written = (await Promise.all(writes)).filter(({ rows }) => rows.length > 0);
    await flushing;
    const seen = await Promise.all(
      reads.map(async (read) => ({ ...read, rows: rowsOf(await read.reading) })),
    );
    const moments = [{ lsn: 0, table: copyOf(this.#table) }];
    // A batch of duplicates only has the position of the one before it.
    const isNothing = ({ result }: { result: WriteResult }): number =>
      result.rowCount + result.corrected > 0 ? 0 : 1;
    for (const { lsn, rows, result } of written.sort(
      (a, b) => a.lsn - b.lsn || isNothing(a) - isNothing(b),
    )) {
      this.#take(rows, result);
      moments.push({ lsn, table: copyOf(this.#table) });
    }
    // Corrections come a moment after the new rows of their batch.
    if (this.#table.def.dedup) return;
    for (const glimpse of seen) checkGlimpse(glimpse, moments, this.#tolerance);
  }

  /** Begins a read of everything: of the rows, or of the bars of some rollup. */
  #glimpse(): Glimpse {
    const { rollups } = this.#table;
    const rollup = chance(this.#prng, 0.7) && rollups.length > 0 ? pick(this.#prng, rollups) : undefined;
    // A column that counts from the bar before may see that one as of a later moment.
    const counts = rollup?.aggregates.some(({ fn }) => fn === 'increase');
    const lsn = this.#database.status().lsn;
    if (!rollup || counts)
      return { lsn, rollup: undefined, reading: this.#database.read({ table: 'ticks' }) };
    return { lsn, rollup, reading: this.#database.read({ table: rollup.def.name }) };
  }

  get #tolerance(): number {
    return this.#options.doubles === 'exact' ? 0 : 1e-12;
  }

  get #checked(): Checked {
    return {
      prng: this.#prng,
      database: this.#database,
      table: this.#table,
      tolerance: this.#tolerance,
      note: (what) => this.#note(what),
    };
  }

  async #ask(): Promise<void> {
    const checked = this.#checked;
    const dice = this.#prng.next();
    if (dice < 0.3) await checkRows(checked);
    else if (dice < 0.65) await checkBars(checked);
    else if (dice < 0.8) await checkDerivedBars(checked);
    else if (dice < 0.93 || this.#options.backend === 'memory') checkLatest(checked);
    else await checkSql(checked);
  }
}

/** A read that was begun at a position of the log, while others wrote. */
interface Glimpse {
  lsn: number;
  rollup: ModelRollup | undefined;
  reading: Promise<ColumnSet>;
}

/** The model as of a position of the log. */
interface Moment {
  lsn: number;
  table: ModelTable;
}

function copyOf(table: ModelTable): ModelTable {
  return { ...table, ticks: [...table.ticks] };
}

/** Ticks are those of the moment the read began; bars, which take the place of others, of that or a later one. */
function checkGlimpse(
  { lsn, rollup, rows }: Omit<Glimpse, 'reading'> & { rows: Scalar[][] },
  moments: readonly Moment[],
  tolerance: number,
): void {
  const first = moments.findLastIndex((moment) => moment.lsn <= lsn);
  const isLater = rollup !== undefined || moments[0].table.def.kind === 'bars';
  const possible = isLater ? moments.slice(first) : [moments[first]];
  const wrong: string[] = [];
  for (const { table } of possible) {
    const expected = rollup ? expectedBars(table, rollup, {}).map(({ row }) => row) : expectedRows(table, {});
    try {
      compareRows(sorted(rows), sorted(expected), tolerance);
      return;
    } catch (error) {
      wrong.push((error as Error).message);
    }
  }
  throw new Error(
    `a read of ${rollup?.def.name ?? 'ticks'} beside writes shows no moment: ${wrong.join('; ')}`,
  );
}
