/**
 * Amendments: ticks that are taken away or changed after they were written.
 *
 * Late ticks merge into bars of any age; a value that is taken back does not. So an amendment recomputes: of the level
 * that takes the ticks only the touched buckets, from their ticks; of each level above the bucket around them, from the
 * bars below. It is a barrier: no writer is inside, and
 *
 * 1. everything before it goes to the store,
 * 2. what it comes to is worked out, with nothing changed yet (`plan-amendment.ts`),
 * 3. it is logged,
 * 4. one commit of the store takes ticks, bars of all levels, open bars and the log position,
 * 5. memory is put right (`put-right.ts`) and subscribers are told.
 *
 * A crash before 3 leaves nothing of it, one after 3 all of it: replay runs the same steps from the frame. When the
 * store refuses the commit, the amendment is in the log already and is tried again until it goes in or the database
 * closes.
 */
import { assert, must } from '../../core/assert.ts';
import { CandelaError } from '../../core/errors.ts';
import type { StorageOp } from '../../storage/storage.ts';
import type { RowsEntry } from '../catalog/catalog.ts';
import type { EngineState } from '../engine-state.ts';
import { type Flusher, positionOp } from '../flush/flusher.ts';
import type { BatchAnswer, WalFrame } from '../wal/frame.ts';
import { type Amendment, amendmentOf, frameOfAmendment } from './amendment.ts';
import { levelOps, rowOps } from './amendment-ops.ts';
import { type AmendmentPlan, planAmendment } from './plan-amendment.ts';
import { putRight } from './put-right.ts';

/** Pause before the store is tried again. */
const retryMs = 1_000;

/** An amendment that was made. */
export interface Amended {
  lsn: number;
  plan: AmendmentPlan;
}

/** Makes an amendment. No writer may be inside. Tell subscribers of the plan that comes back. */
export async function amend(
  state: EngineState,
  flusher: Flusher,
  entry: RowsEntry,
  asked: Amendment,
  batch: { batchId: string; answer: BatchAnswer | null } = { batchId: '', answer: null },
): Promise<Amended> {
  const made = await flusher.flush([], async () => {
    const plan = await planAmendment(state, entry, asked);
    const frame = frameOfAmendment(entry, plan.amendment, batch);
    let lsn = state.appliedLsn + 1;
    if (state.wal) {
      const logged = state.wal.append(frame);
      lsn = logged.lsn;
      await logged.durable;
    }
    assert(
      lsn === state.appliedLsn + 1,
      `amendment ${lsn} of '${entry.def.name}' follows ${state.appliedLsn}`,
    );
    await store(state, plan, { ...frame, lsn });
    return { lsn, plan };
  });
  return must(made, 'amendment');
}

/** At recovery: an amendment found in the log beyond what the store holds. */
export async function replayAmendment(
  state: EngineState,
  flusher: Flusher,
  entry: RowsEntry,
  frame: WalFrame,
): Promise<void> {
  await flusher.flush([], async () => {
    const plan = await planAmendment(state, entry, amendmentOf(entry, frame));
    await store(state, plan, frame);
  });
}

async function store(state: EngineState, plan: AmendmentPlan, frame: WalFrame): Promise<void> {
  const { lsn, batchId, answer } = frame;
  if (answer) state.batchIds.of(plan.entry.id).add(batchId, { ...answer, lsn });
  const batches = state.batchIds.changes();
  const rowCount = plan.amendment.series.length;
  state.log.debug({ step: 'amend', table: plan.entry.id, lsn, rowCount }, 'storing an amendment');
  await commitAtLast(state, [
    ...rowOps(plan.entry, plan.amendment),
    ...plan.levels.flatMap((level) => levelOps(level, lsn)),
    ...batches.ops,
    positionOp(state.catalog, lsn),
  ]);
  batches.stored();
  putRight(plan);
  state.appliedLsn = lsn;
  state.flushedLsn = lsn;
  await state.wal?.truncate(lsn);
}

async function commitAtLast(state: EngineState, ops: StorageOp[]): Promise<void> {
  for (;;) {
    try {
      await state.storage.commit(ops);
      state.writesStopped = null;
      return;
    } catch (error) {
      state.writesStopped = error instanceof Error ? error.message : String(error);
      state.log.error({ err: error }, 'the store refused an amendment that is in the log: it is tried again');
      if (state.isClosed || !state.wal) {
        const message = `the store cannot take the amendment at present: ${state.writesStopped}`;
        throw new CandelaError('WRITES_STOPPED', message, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}
