/**
 * Crash simulation: a writer under random load on a disk that fails at random, while a pretended store takes over
 * frames and has the log truncated, until the power goes or the process is killed at a random operation. Then the log
 * is recovered, sometimes with failures and crashes in the middle of that, and written on, several times over.
 *
 * What must hold, whatever the seed:
 * - every frame that was acknowledged and is not in the store is replayed (at the levels below `always`: unless the
 *   power went),
 * - no frame whose writer was told plainly that it failed is replayed,
 * - frames come in the order of their LSNs without a gap, each with the content that was appended under that LSN,
 * - a frame that was replayed once is replayed again,
 * - recovery never takes what a crash does for corruption.
 */
import { expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { createPrng, type Prng } from '../../core/prng.ts';
import { createSimDisk, type SimDisk } from '../../testing/sim-disk.ts';
import { replayAll, taggedFrame } from '../../testing/wal-frames.ts';
import { openWal, type WalOptions, type WalWriter } from './writer.ts';

const directory = '/wal';

/** What became of the frames, as far as anyone was told, and what is in the store. */
interface Ledger {
  /** Frames that must be there, by LSN: replayed before, or acknowledged. */
  kept: Map<number, string>;
  failed: Set<string>;
  flushedLsn: number;
}

/** Makes operations fail at random and stops the world at one of them; the promise resolves when that happens. */
function unleash(disk: SimDisk, prng: Prng): Promise<void> {
  let left = 3 + prng.below(80);
  const failureRate = [0, 0, 0.05, 0.3][prng.below(4)];
  return new Promise((resolve) => {
    disk.beforeOperation = (operation) => {
      if (--left === 0) {
        disk.powerOff();
        resolve();
      } else if (operation !== 'read' && prng.next() < failureRate) {
        throw new Error(`EIO: simulated, ${operation}`);
      }
    };
  });
}

function open(disk: SimDisk, durability: WalOptions['durability'], startLsn: number): Promise<WalWriter> {
  const { fileSystem } = disk;
  const segmentBytesMax = 1500;
  const base = { directory, fileSystem, clock: systemClock, log: silentLogger };
  return openWal({ ...base, durability, startLsn, segmentBytesMax });
}

async function writeUntilCrash(disk: SimDisk, prng: Prng, wal: WalWriter, ledger: Ledger, run: number) {
  let isOver = false;
  const over = unleash(disk, prng).then(() => {
    isOver = true;
  });
  let ackedLsn = ledger.flushedLsn;
  for (let i = 0; !isOver; i++) {
    if (i > 5000) throw new Error('the simulated power never went');
    const tag = `${run}-${i}`;
    const { lsn, durable } = wal.append(taggedFrame(tag, prng.below(12)));
    const settled = durable.then(
      () => {
        ledger.kept.set(lsn, tag);
        ackedLsn = lsn;
      },
      (error) => {
        if (!error.message.includes('may be found after a restart')) ledger.failed.add(tag);
      },
    );
    // Sometimes wait, so that groups of all sizes occur; the power may go meanwhile.
    if (prng.below(3) === 0) await Promise.race([settled, over]);
    if (prng.below(20) === 0) void wal.sync().catch(() => undefined);
    if (prng.below(20) === 0 && ackedLsn > ledger.flushedLsn) {
      ledger.flushedLsn += 1 + prng.below(ackedLsn - ledger.flushedLsn);
      void wal.truncate(ledger.flushedLsn).catch(() => undefined);
    }
  }
}

/** Recovery on a failing disk, perhaps with another crash on the way. */
async function recoverBadly(disk: SimDisk, prng: Prng, ledger: Ledger): Promise<void> {
  const over = unleash(disk, prng);
  const attempt = async () => {
    const frames = await replayAll(disk.fileSystem, directory, ledger.flushedLsn);
    await open(disk, 'always', ledger.flushedLsn + frames.length + 1);
  };
  await Promise.race([attempt().catch(() => undefined), over]);
}

async function oneLife(seed: number): Promise<number> {
  const prng = createPrng(seed);
  const durability = (['always', 'always', 'interval', 'none'] as const)[prng.below(4)];
  const ledger: Ledger = { kept: new Map(), failed: new Set(), flushedLsn: 0 };
  let disk = createSimDisk(prng);
  let nextLsn = 1;
  for (let run = 0; run < 4; run++) {
    const wal = await open(disk, durability, nextLsn);
    await writeUntilCrash(disk, prng, wal, ledger, run);
    let isPowerLoss = false;
    const comeBack = () => {
      const isKill = prng.below(3) === 0;
      if (!isKill) isPowerLoss = true;
      disk = isKill ? disk.reopen() : disk.restart();
    };
    comeBack();
    for (let tries = prng.below(3); tries > 0; tries--) {
      await recoverBadly(disk, prng, ledger);
      comeBack();
    }
    const frames = await replayAll(disk.fileSystem, directory, ledger.flushedLsn);
    nextLsn = ledger.flushedLsn + 1;
    const found = new Map<number, string>();
    for (const frame of frames) {
      expect(frame.lsn).toBe(nextLsn++);
      expect(ledger.failed).not.toContain(frame.batchId);
      found.set(frame.lsn, frame.batchId);
    }
    for (const [lsn, tag] of ledger.kept) {
      if (lsn <= ledger.flushedLsn) continue;
      const mayBeLost = durability !== 'always' && isPowerLoss && lsn >= nextLsn;
      if (!mayBeLost) expect(`${lsn} ${found.get(lsn)}`).toBe(`${lsn} ${tag}`);
    }
    ledger.kept = found;
  }
  return nextLsn - 1;
}

const lives = Number(process.env.CANDELA_WAL_SEEDS ?? 200);

it('keeps its promises through random failures and crashes', { timeout: 30_000 + lives * 100 }, async () => {
  const first = Number(process.env.CANDELA_WAL_SEED ?? 1);
  let frames = 0;
  for (let seed = first; seed < first + lives; seed++) {
    try {
      frames += await oneLife(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    }
  }
  expect(frames).toBeGreaterThan(lives);
});
