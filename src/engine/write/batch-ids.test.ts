import { expect, it } from 'vitest';
import type { StorageOp } from '../../storage/storage.ts';
import { BatchIds, batchIdsMax } from './batch-ids.ts';

const answer = (rowCount: number) => ({ lsn: rowCount, rowCount, duplicates: 0, corrected: 0 });

/** Documents as a store keeps them. */
function keep(documents: Map<string, string>, ops: readonly StorageOp[]): void {
  for (const op of ops) {
    if (op.op === 'put-doc') documents.set(op.key, op.value);
    if (op.op === 'delete-doc') documents.delete(op.key);
  }
}

it('the newest are known, also after any number of flushes and restarts; the oldest are forgotten', () => {
  const documents = new Map<string, string>();
  let ids = BatchIds.from(documents);
  const count = batchIdsMax * 2 + 123;
  for (let i = 0; i < count; i++) {
    ids.of(3).add(`b${i}`, answer(i));
    if (i % 977 === 0) {
      const { ops, stored } = ids.changes();
      keep(documents, ops);
      stored();
    }
    if (i % 6_000 === 5_999) {
      keep(documents, ids.changes().ops);
      ids = BatchIds.from(documents);
    }
  }
  keep(documents, ids.changes().ops);
  for (const known of [ids, BatchIds.from(documents)]) {
    for (let i = count - batchIdsMax + 250; i < count; i++)
      expect(known.of(3).get(`b${i}`)).toEqual(answer(i));
    expect(known.of(3).get(`b${count - batchIdsMax - 1}`)).toBeUndefined();
    expect(known.of(4).get('b1')).toBeUndefined();
  }
  keep(documents, ids.of(3).dropOps());
  expect(documents.size).toBe(0);
});

it('only what changed is stored, and what comes beside a commit with the next', () => {
  const ids = BatchIds.from(new Map());
  for (let i = 0; i < 600; i++) ids.of(1).add(`b${i}`, answer(i));
  const first = ids.changes();
  ids.of(1).add('beside', answer(1));
  expect(first.ops).toHaveLength(3);
  first.stored();
  expect(ids.changes().ops).toHaveLength(1);
  ids.changes().stored();
  expect(ids.changes().ops).toEqual([]);
});
