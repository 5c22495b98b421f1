/**
 * One random stream of ticks with subscribers that come and go, some too slow.
 *
 * - Who follows bars keeps one row per bar: snapshot, then closed, live and corrected bars, each in place of what was
 *   there, and deleted bars are dropped. When all is quiet that is what a read gives.
 * - Who follows ticks counts: after the snapshot every tick comes once, in the order of arrival, or a `lagged` says how
 *   many are missing at that place.
 */
import type { Prng } from '../../src/core/prng.ts';
import { createPrng } from '../../src/core/prng.ts';
import type { BusEvent, Database, SubscribeRequest, Subscription } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import type { Scalar } from '../../src/market/columns.ts';
import { scalarText } from '../../src/testing/naive-bars.ts';
import { compareRows, rowsOf, sorted } from './compare-rows.ts';
import { describe, randomFilter } from './engine-checks.ts';
import type { ModelTable } from './engine-model.ts';
import { addRows, deleteFrom, expectedBars, isPicked } from './engine-model.ts';
import { chance, pick } from './random-columns.ts';
import { batchWithRepeats, randomDedup } from './random-repeats.ts';
import type { ModelRollup } from './random-rollups.ts';
import { randomRollup } from './random-rollups.ts';
import { randomTable } from './random-table.ts';
import { batchOf, randomRows, type TickSource } from './random-ticks.ts';

/** Runs one case of about so many ticks. Throws at the first wrong state, naming the seed. */
export async function runSubscriptionCase(seed: number, events: number): Promise<void> {
  const prng = createPrng(seed);
  const { table, source } = randomTable(prng, 'ticks', 'exact');
  const database = await open({ directory: null, memoryBytesMax: pick(prng, [1, 2 ** 28]) });
  try {
    // With repeats the order of arrival says nothing of who was told what: only bars are followed then.
    if (chance(prng, 0.5)) table.def.dedup = randomDedup(prng, table.def);
    await database.createTable(table.def);
    await new Stream(prng, database, table, source).run(events);
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
  } finally {
    await database.close();
  }
}

class Stream {
  readonly #prng: Prng;
  readonly #database: Database;
  readonly #table: ModelTable;
  readonly #source: TickSource;
  #consumers: Consumer[] = [];

  constructor(prng: Prng, database: Database, table: ModelTable, source: TickSource) {
    this.#prng = prng;
    this.#database = database;
    this.#table = table;
    this.#source = source;
  }

  async run(events: number): Promise<void> {
    const prng = this.#prng;
    for (let i = 0; i < 4; i++) await this.#createRollup();
    while (this.#table.arrivals < events) {
      const dice = prng.next();
      if (dice < 0.67) await this.#writeSome();
      else if (dice < 0.7 && this.#table.def.dedup) await this.#delete();
      else if (dice < 0.8) await this.#database.flush();
      else if (dice < 0.82) await this.#createRollup();
      else if (dice < 0.9) await this.#subscribe();
      else if (dice < 0.93 && this.#consumers.length > 6) await this.#finish(this.#consumers.shift());
      for (const consumer of this.#consumers) if (chance(prng, consumer.attention)) await consumer.takeAll();
    }
    for (const consumer of this.#consumers) await this.#finish(consumer);
  }

  async #createRollup(): Promise<void> {
    const { rollups, def } = this.#table;
    const rollup = randomRollup(this.#prng, def, rollups, `roll${rollups.length}`);
    await this.#database.createRollup(rollup.def);
    rollups.push(rollup);
  }

  /** A few batches at once; a subscription may begin among them. */
  async #writeSome(): Promise<void> {
    const prng = this.#prng;
    const { dedup } = this.#table.def;
    // What is a correction depends on the order of the batches.
    const batches = Array.from({ length: dedup ? 1 : 1 + prng.below(3) }, () => {
      const rows = randomRows(this.#source, 1 + prng.below(pick(prng, [3, 100])));
      return dedup ? batchWithRepeats(prng, this.#table, rows) : rows;
    });
    const writes = batches.map((rows) =>
      this.#database
        .write('ticks', batchOf(this.#table.def, rows, prng))
        .then(() => addRows(this.#table, rows)),
    );
    const subscribing = chance(prng, 0.1) ? this.#subscribe() : undefined;
    await Promise.all([...writes, subscribing]);
  }

  /** Of some ticks all that are equal in some column. */
  async #delete(): Promise<void> {
    const { def, ticks } = this.#table;
    if (ticks.length === 0) return;
    const { name } = pick(
      this.#prng,
      def.columns.filter((column) => column.name !== def.timeColumn),
    );
    const where = { [name]: pick(this.#prng, ticks).values[name] };
    await this.#database.deleteRows('ticks', { where });
    deleteFrom(this.#table, { where });
  }

  async #subscribe(): Promise<void> {
    const prng = this.#prng;
    const rollup = this.#table.def.dedup || chance(prng, 0.7) ? pick(prng, this.#table.rollups) : undefined;
    const filter = randomFilter(prng, this.#table, rollup?.groupBy ?? this.#table.def.seriesKey);
    const request: SubscribeRequest = {
      table: rollup?.def.name ?? 'ticks',
      snapshot: 1_000_000,
      ...(filter ? { series: filter } : {}),
      ...(chance(prng, 0.3) ? { queueRowsMax: 1 + prng.below(50) } : {}),
      ...(chance(prng, 0.2) ? { throttleMs: 1 + prng.below(5) } : {}),
    };
    const subscription = await this.#database.subscribe(request);
    const attention = pick(prng, [0.05, 0.3, 1]);
    const base = { database: this.#database, table: this.#table, request, subscription, attention };
    this.#consumers.push(rollup ? new BarsConsumer(base, rollup) : new TicksConsumer(base));
  }

  async #finish(consumer: Consumer | undefined): Promise<void> {
    await consumer?.finish();
    consumer?.close();
  }
}

interface ConsumerBase {
  database: Database;
  table: ModelTable;
  request: SubscribeRequest;
  subscription: Subscription;
  /** How likely it looks for events after each step. */
  attention: number;
}

abstract class Consumer {
  protected readonly base: ConsumerBase;
  #lsn = 0;
  readonly attention: number;

  constructor(base: ConsumerBase) {
    this.base = base;
    this.attention = base.attention;
  }

  async takeAll(): Promise<void> {
    for (const event of this.base.subscription.take()) {
      if (event.type === 'lagged') {
        if (this.base.request.queueRowsMax === undefined) throw this.wrong('lagged without a bound');
      } else {
        if (event.lsn < this.#lsn) throw this.wrong(`an event of ${event.lsn} after one of ${this.#lsn}`);
        this.#lsn = event.lsn;
      }
      await this.apply(event);
    }
  }

  /** Follows until the state is right: corrections and throttled states come a little later. */
  async finish(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await this.takeAll();
      try {
        this.check();
        return;
      } catch (error) {
        if (attempt === 40) throw this.wrong((error as Error).message);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  close(): void {
    this.base.subscription.close();
  }

  protected wrong(what: string): Error {
    return new Error(`${describe(this.base.request)}: ${what}`);
  }

  protected abstract apply(event: BusEvent): Promise<void>;
  protected abstract check(): void;
}

class BarsConsumer extends Consumer {
  readonly #rollup: ModelRollup;
  readonly #bars = new Map<string, Scalar[]>();

  constructor(base: ConsumerBase, rollup: ModelRollup) {
    super(base);
    this.#rollup = rollup;
  }

  protected async apply(event: BusEvent): Promise<void> {
    if (event.type === 'deleted') return this.#remove(rowsOf(event.rows));
    if (event.type !== 'lagged') return this.#put(rowsOf(event.rows));
    const { table, series } = this.base.request;
    this.#bars.clear();
    this.#put(rowsOf(await this.base.database.read({ table, ...(series ? { series } : {}) })));
  }

  #remove(keys: Scalar[][]): void {
    for (const key of keys) this.#bars.delete(scalarText(key));
  }

  #put(rows: Scalar[][]): void {
    for (const row of rows) this.#bars.set(scalarText(row.slice(0, 1 + this.#rollup.groupBy.length)), row);
  }

  protected check(): void {
    const { table, request } = this.base;
    const expected = expectedBars(table, this.#rollup, request.series ? { series: request.series } : {});
    compareRows(sorted([...this.#bars.values()]), sorted(expected.map(({ row }) => row)), 0);
  }
}

class TicksConsumer extends Consumer {
  #snapshot: Scalar[][] = [];
  /** What came after the snapshot: a row, or null for one left out. */
  readonly #rows: (Scalar[] | null)[] = [];

  protected async apply(event: BusEvent): Promise<void> {
    if (event.type === 'lagged') for (let i = 0; i < event.dropped; i++) this.#rows.push(null);
    else if (event.type === 'snapshot') this.#snapshot = rowsOf(event.rows);
    else this.#rows.push(...rowsOf(event.rows));
  }

  protected check(): void {
    const { table, request } = this.base;
    const all = table.ticks
      .filter((tick) => isPicked(request.series, tick.values))
      .map((tick) => table.def.columns.map(({ name }) => tick.values[name]));
    const after = all.slice(this.#snapshot.length);
    compareRows(
      this.#rows.map((row, i) => row ?? after[i] ?? []),
      after,
      0,
    );
    compareRows(sorted(this.#snapshot), sorted(all.slice(0, this.#snapshot.length)), 0);
  }
}
