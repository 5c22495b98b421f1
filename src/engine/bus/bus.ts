/**
 * The bus: who wants to hear of which rows, and what waits for them.
 *
 * Policy for slow consumers, per subscription:
 * - *Live bars* are never queued. A subscription remembers which bars have changed; their present state is read
 *   when the
 *   consumer takes it. A slow consumer sees fewer states of a bar, always the newest, and costs no memory.
 * - *Ticks, closed bars and corrections* are queued, up to `queueRowsMax` rows. When a consumer falls further
 *   behind, the
 *   oldest events are dropped and the next thing it gets is `lagged` with the number of rows left out, so that
 * it can read
 *   the range again. Nothing is left out without being told.
 * - Writers never wait for a consumer.
 *
 * Order: events of one subscription come in log order; within one `take`, closed bars come before live ones.
 */
import type { ColumnSet } from '../../market/columns.ts';
import type { BusEvent, SeriesFilter, Subscription } from '../database.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import type { SeriesIndex } from '../series/series-index.ts';

/** Rows queued for a consumer that does not keep up, unless it asks otherwise. */
export const queueRowsDefault = 65_536;

/** What a subscription is about. */
export interface Topic {
  /** Name of the table or rollup, for the events. */
  table: string;
  index: SeriesIndex;
  filter: SeriesFilter | undefined;
  /** The rollup whose bars are wanted; null for ticks. */
  node: RollupNode | null;
  live: boolean;
  closed: boolean;
  throttleMs: number;
  queueRowsMax: number;
}

/** What the bus needs from the engine: time, and the state of live bars. */
export interface BusHost {
  monotonicMs(): number;
  lsn(): number;
  /** The present bars of the groups, as the rollup's visible columns. */
  liveRows(node: RollupNode, groups: Int32Array): ColumnSet;
}

/** One running subscription; made by `Bus.subscribe`. */
export class BusSubscription implements Subscription {
  readonly topic: Topic;
  readonly #host: BusHost;
  readonly #onClose: () => void;
  #queue: BusEvent[] = [];
  #queuedRows = 0;
  #dropped = 0;
  /** Groups whose live bar changed since it was last taken. */
  #dirty: number[] = [];
  #isDirty = new Uint8Array(64);
  #liveDueMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #callback: (() => void) | undefined;
  #isSignalled = false;
  #isClosed = false;
  /** Series known to match (1) or not (2); 0 is not looked at yet. */
  #matched = new Uint8Array(64);
  /** Until the snapshot is in place nothing is signalled. */
  #isHeld = true;

  constructor(topic: Topic, host: BusHost, onClose: () => void) {
    this.topic = topic;
    this.#host = host;
    this.#onClose = onClose;
  }

  /** Does the subscription want this series? */
  wants(series: number): boolean {
    if (this.topic.filter === undefined) return true;
    if (series >= this.#matched.length) this.#matched = grown(this.#matched, series);
    if (this.#matched[series] === 0)
      this.#matched[series] = this.topic.index.matches(this.topic.filter, series) ? 1 : 2;
    return this.#matched[series] === 1;
  }

  /** Begins delivery, the snapshot first. */
  release(snapshot: BusEvent | null): void {
    if (snapshot) this.#queue.unshift(snapshot);
    this.#isHeld = false;
    this.#signal();
  }

  /** Queues rows; drops the oldest queued rows beyond the bound. */
  push(event: Exclude<BusEvent, { type: 'lagged' }>): void {
    if (this.#isClosed) return;
    this.#queue.push(event);
    this.#queuedRows += event.rows.rowCount;
    while (this.#queuedRows > this.topic.queueRowsMax && this.#queue.length > 1) this.#dropOldest();
    this.#signal();
  }

  #dropOldest(): void {
    const index = this.#queue[0].type === 'snapshot' ? 1 : 0;
    const [event] = this.#queue.splice(index, 1);
    if (!event || event.type === 'lagged') return;
    this.#queuedRows -= event.rows.rowCount;
    this.#dropped += event.rows.rowCount;
  }

  /** Remembers that the live bars of these groups changed. */
  touch(groups: Int32Array, count: number): void {
    if (this.#isClosed) return;
    for (let i = 0; i < count; i++) {
      const group = groups[i];
      if (group >= this.#isDirty.length) this.#isDirty = grown(this.#isDirty, group);
      if (this.#isDirty[group] === 1 || !this.wants(group)) continue;
      this.#isDirty[group] = 1;
      this.#dirty.push(group);
    }
    if (this.#dirty.length > 0) this.#signal();
  }

  take(): BusEvent[] {
    this.#isSignalled = false;
    const events: BusEvent[] = [];
    // What was dropped came after the snapshot.
    if (this.#queue[0]?.type === 'snapshot') events.push(...this.#queue.splice(0, 1));
    if (this.#dropped > 0) {
      events.push({ type: 'lagged', table: this.topic.table, dropped: this.#dropped });
      this.#dropped = 0;
    }
    events.push(...this.#queue);
    this.#queue = [];
    this.#queuedRows = 0;
    this.#takeLive(events);
    return events;
  }

  #takeLive(events: BusEvent[]): void {
    const { node, table, throttleMs } = this.topic;
    if (!node || this.#dirty.length === 0) return;
    const nowMs = this.#host.monotonicMs();
    if (nowMs < this.#liveDueMs) {
      this.#signal();
      return;
    }
    const groups = Int32Array.from(this.#dirty);
    for (const group of groups) this.#isDirty[group] = 0;
    this.#dirty = [];
    this.#liveDueMs = nowMs + throttleMs;
    const rows = this.#host.liveRows(node, groups);
    if (rows.rowCount > 0) events.push({ type: 'live', table, lsn: this.#host.lsn(), rows });
  }

  onReady(callback: () => void): void {
    this.#callback = callback;
    this.#signal();
  }

  /** Tells the consumer, once, that something waits: at once, or when the throttle allows a live state. */
  #signal(): void {
    if (this.#isHeld || this.#isSignalled || this.#isClosed || !this.#callback) return;
    const waitMs =
      this.#queue.length > 0 || this.#dropped > 0 ? 0 : this.#liveDueMs - this.#host.monotonicMs();
    if (waitMs <= 0) {
      if (this.#queue.length > 0 || this.#dropped > 0 || this.#dirty.length > 0) this.#call();
      return;
    }
    if (this.#dirty.length === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#signal();
    }, waitMs);
  }

  // In a microtask, so that batches applied together are taken together.
  #call(): void {
    this.#isSignalled = true;
    queueMicrotask(() => {
      if (!this.#isClosed) this.#callback?.();
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#queue = [];
    this.#dirty = [];
    this.#onClose();
    this.#callback?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<BusEvent> {
    try {
      while (!this.#isClosed) {
        const events = this.take();
        if (events.length > 0) yield* events;
        else await new Promise<void>((resolve) => this.onReady(resolve));
      }
    } finally {
      this.close();
    }
  }
}

/** All subscriptions of a database. */
export class Bus {
  readonly #host: BusHost;
  readonly #byTicks = new Map<string, Set<BusSubscription>>();
  readonly #byNode = new Map<RollupNode, Set<BusSubscription>>();
  count = 0;

  constructor(host: BusHost) {
    this.#host = host;
  }

  /** A subscription that gathers events from now on and delivers once released. */
  subscribe(topic: Topic): BusSubscription {
    const set = this.#setOf(topic);
    const subscription = new BusSubscription(topic, this.#host, () => {
      set.delete(subscription);
      this.count--;
    });
    set.add(subscription);
    this.count++;
    return subscription;
  }

  #setOf(topic: Topic): Set<BusSubscription> {
    const known = topic.node ? this.#byNode.get(topic.node) : this.#byTicks.get(topic.table);
    if (known) return known;
    const set = new Set<BusSubscription>();
    if (topic.node) this.#byNode.set(topic.node, set);
    else this.#byTicks.set(topic.table, set);
    return set;
  }

  /** Those who want a table's ticks. */
  forTicks(table: string): ReadonlySet<BusSubscription> {
    return this.#byTicks.get(table) ?? none;
  }

  /** Those who want a rollup's bars. */
  forNode(node: RollupNode): ReadonlySet<BusSubscription> {
    return this.#byNode.get(node) ?? none;
  }

  /** Ends every subscription: all of them, or those of one table or rollup that is going away. */
  closeAll(table?: string): void {
    for (const set of [...this.#byTicks.values(), ...this.#byNode.values()]) {
      for (const subscription of [...set]) {
        if (table === undefined || subscription.topic.table === table) subscription.close();
      }
    }
  }
}

const none: ReadonlySet<BusSubscription> = new Set();

function grown(bytes: Uint8Array, index: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array((index + 1) * 2);
  larger.set(bytes);
  return larger;
}
