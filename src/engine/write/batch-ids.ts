/**
 * Ids that clients gave to batches, so that a batch sent twice is written once: of each table the newest, with what was
 * answered, in memory and in documents of the store.
 *
 * An id is known from the moment its batch is applied; until then it is *in flight*, and who sends it again waits for
 * the first. The ids of a table lie in `batches/<table>/<segment>`, a ring of segments, so that a flush writes only
 * those that changed.
 */
import { must } from '../../core/assert.ts';
import type { StorageOp } from '../../storage/storage.ts';
import type { BatchAnswer } from '../wal/frame.ts';

/** Ids kept of each table. */
export const batchIdsMax = 10_000;

const segmentIds = 250;
const segmentCount = batchIdsMax / segmentIds;
const keyPrefix = 'batches/';

/** What a batch with an id was answered. */
export interface KnownBatch extends BatchAnswer {
  lsn: number;
}

interface Segment {
  /** Counts the segments of the table: the ring keeps the newest. */
  number: number;
  batches: Map<string, KnownBatch>;
  isChanged: boolean;
}

/** As it is stored. */
interface SegmentDocument {
  number: number;
  batches: [id: string, answer: KnownBatch][];
}

/** The ids of one table. */
export class TableBatchIds {
  readonly #table: number;
  readonly #segments: Segment[] = [];
  /** Ids whose batch is being written: resolves, never rejects, when that has ended either way. */
  readonly inFlight = new Map<string, Promise<void>>();

  constructor(table: number) {
    this.#table = table;
  }

  /** What the batch was answered, or undefined if it is not known. */
  get(id: string): KnownBatch | undefined {
    return this.#segments.find(({ batches }) => batches.has(id))?.batches.get(id);
  }

  /** The batch has been written; beyond the bound the oldest ids are forgotten. */
  add(id: string, answer: KnownBatch): void {
    let last = this.#segments.at(-1);
    if (!last || last.batches.size >= segmentIds) {
      last = { number: (last?.number ?? -1) + 1, batches: new Map(), isChanged: true };
      this.#segments.push(last);
      if (this.#segments.length > segmentCount) this.#segments.shift();
    }
    last.batches.set(id, answer);
    last.isChanged = true;
  }

  /** For tables without a log: the step that stores the id with the rows, and `add` for when it is committed. */
  planned(id: string, answer: KnownBatch): { op: StorageOp; add(): void } {
    const last = this.#segments.at(-1);
    const isFull = !last || last.batches.size >= segmentIds;
    const number = isFull ? (last?.number ?? -1) + 1 : last.number;
    const batches = new Map(isFull ? [] : last.batches).set(id, answer);
    const op = this.opOf({ number, batches, isChanged: false });
    const add = (): void => {
      this.add(id, answer);
      must(this.#segments.at(-1), 'segment').isChanged = false;
    };
    return { op, add };
  }

  /** At recovery: a segment as it was stored. */
  restore(text: string): void {
    const { number, batches } = JSON.parse(text) as SegmentDocument;
    this.#segments.push({ number, batches: new Map(batches), isChanged: false });
    this.#segments.sort((a, b) => a.number - b.number);
  }

  /** Segments that the store does not have as they are. */
  changed(): Segment[] {
    return this.#segments.filter(({ isChanged }) => isChanged);
  }

  /** The step that stores a segment. */
  opOf({ number, batches }: Segment): StorageOp {
    const document: SegmentDocument = { number, batches: [...batches] };
    return { op: 'put-doc', key: this.#key(number), value: JSON.stringify(document) };
  }

  /** Steps that remove all documents. */
  dropOps(): StorageOp[] {
    return this.#segments.map(({ number }) => ({ op: 'delete-doc', key: this.#key(number) }));
  }

  #key(number: number): string {
    return `${keyPrefix}${this.#table}/${number % segmentCount}`;
  }
}

/** The ids of all tables, by table id. */
export class BatchIds {
  readonly #tables = new Map<number, TableBatchIds>();

  of(table: number): TableBatchIds {
    const ids = this.#tables.get(table) ?? new TableBatchIds(table);
    this.#tables.set(table, ids);
    return ids;
  }

  /** Steps that bring the store up to date; call `stored` once they are committed. */
  changes(): { ops: StorageOp[]; stored(): void } {
    const taken = [...this.#tables.values()].flatMap((ids) =>
      ids.changed().map((segment) => ({ segment, size: segment.batches.size, op: ids.opOf(segment) })),
    );
    return {
      ops: taken.map(({ op }) => op),
      stored: () => {
        // Ids that came meanwhile are not stored yet.
        for (const { segment, size } of taken) segment.isChanged = segment.batches.size > size;
      },
    };
  }

  /** The table is gone. */
  forget(table: number): void {
    this.#tables.delete(table);
  }

  /** At recovery: from the store's documents. */
  static from(documents: ReadonlyMap<string, string>): BatchIds {
    const ids = new BatchIds();
    for (const [key, text] of documents) {
      if (key.startsWith(keyPrefix)) ids.of(Number(key.slice(keyPrefix.length).split('/')[0])).restore(text);
    }
    return ids;
  }
}
