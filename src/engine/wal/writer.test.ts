import { describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { createPrng } from '../../core/prng.ts';
import { createSimDisk, type SimDisk, type SimOperation } from '../../testing/sim-disk.ts';
import { replayAll, taggedFrame } from '../../testing/wal-frames.ts';
import { openWal, type WalFailure, type WalOptions, type WalWriter } from './writer.ts';

const directory = '/wal';

function open(disk: SimDisk, options: Partial<WalOptions> = {}): Promise<WalWriter> {
  const { fileSystem } = disk;
  return openWal({
    directory,
    fileSystem,
    durability: 'always',
    clock: systemClock,
    log: silentLogger,
    startLsn: 1,
    ...options,
  });
}

/** Appends one frame a tag, all at once. */
function appendAll(wal: WalWriter, tags: readonly string[]): { lsn: number; durable: Promise<void> }[] {
  return tags.map((tag) => wal.append(taggedFrame(tag)));
}

async function replayedTags(disk: SimDisk, afterLsn = 0): Promise<string[]> {
  const frames = await replayAll(disk.fileSystem, directory, afterLsn);
  expect(frames.map((frame) => frame.lsn)).toEqual(frames.map((_, index) => afterLsn + 1 + index));
  return frames.map((frame) => frame.batchId);
}

/** Fails the next `times` operations of that kind; returns a function that tells how many did. */
function failNext(disk: SimDisk, operation: SimOperation, times: number, code = 'EIO'): () => number {
  let failed = 0;
  const before = disk.beforeOperation;
  disk.beforeOperation = (done, path) => {
    if (done === operation && failed < times) {
      failed++;
      throw Object.assign(new Error(`${code}: simulated, ${operation}`), { code });
    }
    return before(done, path);
  };
  return () => failed;
}

const names = (count: number, prefix = 'f') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const stoppedError = expect.objectContaining({ code: 'WRITES_STOPPED' });

describe('the log', () => {
  it('replays what was appended, in order, after a restart, and goes on from there', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk);
    await Promise.all(appendAll(wal, ['a', 'b']).map((append) => append.durable));
    await wal.close();
    const again = await open(disk, { startLsn: 3 });
    const { lsn, durable } = again.append(taggedFrame('c'));
    expect(lsn).toBe(3);
    await durable;
    await again.close();
    expect(await replayedTags(disk)).toEqual(['a', 'b', 'c']);
    expect(await replayedTags(disk, 2)).toEqual(['c']);
  });

  it('writes many appends with few syncs, and acknowledges in order', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk);
    const order: number[] = [];
    const appends = appendAll(wal, names(500, 'first'));
    await expect.poll(() => disk.counts.sync, { interval: 1 }).toBe(2);
    appends.push(...appendAll(wal, names(500, 'second')));
    await Promise.all(appends.map(({ lsn, durable }) => durable.then(() => order.push(lsn))));
    expect(order).toEqual(appends.map((append) => append.lsn));
    // One for the new segment's header, one for each of the two groups.
    expect(disk.counts.sync).toBe(3);
    expect(wal.pendingBytes).toBe(0);
    await wal.close();
    expect(await replayedTags(disk)).toHaveLength(1000);
  });

  it('acknowledges a frame only after its sync', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk);
    await wal.append(taggedFrame('a')).durable;
    let release = () => {};
    disk.beforeOperation = (operation) =>
      operation === 'sync' ? new Promise<void>((resolve) => (release = resolve)) : undefined;
    let isDurable = false;
    const { durable } = wal.append(taggedFrame('b'));
    void durable.then(() => (isDurable = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(disk.counts.write).toBe(3);
    expect(isDurable).toBe(false);
    expect(wal.pendingBytes).toBeGreaterThan(0);
    release();
    await durable;
  });

  it('starts a new segment when the old one is full, and deletes only those fully covered', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk, { segmentBytesMax: 1000 });
    for (const tag of names(20)) await wal.append(taggedFrame(tag)).durable;
    const before = disk.paths();
    expect(before.length).toBeGreaterThan(3);
    const bytes = before.map((path) => disk.contents(path).length);
    expect(Math.max(...bytes)).toBeLessThanOrEqual(1000);
    expect(wal.bytes).toBe(bytes.reduce((a, b) => a + b));

    const secondFirst = Number(before[2].slice(-20, -4));
    await wal.truncate(secondFirst - 2);
    expect(disk.paths()).toEqual(before.slice(1));
    await wal.truncate(secondFirst - 1);
    expect(disk.paths()).toEqual(before.slice(2));
    expect(await replayedTags(disk, secondFirst - 1)).toEqual(names(20).slice(secondFirst - 1));

    await wal.truncate(20);
    expect(disk.paths()).toEqual([]);
    expect(wal.bytes).toBe(0);
    await wal.append(taggedFrame('next')).durable;
    expect(await replayedTags(disk, 20)).toEqual(['next']);
  });

  it('gives a frame larger than a segment one of its own', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk, { segmentBytesMax: 500 });
    await Promise.all(
      [taggedFrame('a'), taggedFrame('big', 1000), taggedFrame('c')].map((f) => wal.append(f).durable),
    );
    await wal.close();
    expect(disk.paths()).toHaveLength(3);
    expect(await replayedTags(disk)).toEqual(['a', 'big', 'c']);
  });

  it('refuses appends after close, and to open over frames that were not replayed', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk, { startLsn: 5 });
    const { durable } = wal.append(taggedFrame('a'));
    await wal.close();
    await durable;
    expect(() => wal.append(taggedFrame('b'))).toThrow(expect.objectContaining({ code: 'STOPPING' }));
    await expect(open(disk, { startLsn: 5 })).rejects.toThrow('wal-0000000000000005.log');
    await expect(open(disk, { startLsn: 3 })).rejects.toThrow(
      expect.objectContaining({ code: 'CORRUPT_WAL' }),
    );
  });

  it('does not use up a number for a frame it refuses', async () => {
    const wal = await open(createSimDisk(createPrng(1)));
    const frame = taggedFrame('big');
    const values = new Float64Array(9_000_000);
    const columns = [{ id: 1, data: { kind: 'double' as const, values } }];
    const big = { ...frame, rowCount: values.length, series: new Int32Array(values.length), columns };
    expect(() => wal.append(big)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    expect(wal.append(frame).lsn).toBe(1);
  });
});

describe('durability levels', () => {
  it('interval: acknowledges after the write and syncs within the interval', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk, { durability: 'interval', intervalMs: 30 });
    for (const tag of names(5)) await wal.append(taggedFrame(tag)).durable;
    expect(disk.counts.sync).toBe(1);
    await expect.poll(() => disk.counts.sync, { timeout: 2000 }).toBe(2);
    expect(await replayedTags(disk.restart())).toEqual(names(5));
  });

  it('none: syncs only when asked, on rotation and on close', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk, { durability: 'none', segmentBytesMax: 1000 });
    await wal.append(taggedFrame('a')).durable;
    expect(disk.counts.sync).toBe(1);
    await wal.sync();
    expect(disk.counts.sync).toBe(2);
    await Promise.all(appendAll(wal, names(6)).map((append) => append.durable));
    expect(disk.paths().length).toBeGreaterThan(1);
    await wal.close();
    expect(await replayedTags(disk.restart())).toEqual(['a', ...names(6)]);
  });

  it('frames replayed after a kill are on the disk, although their sync had failed before', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const disk = createSimDisk(createPrng(seed));
      const wal = await open(disk, { durability: 'none' });
      for (const tag of names(3)) await wal.append(taggedFrame(tag)).durable;
      failNext(disk, 'sync', 1);
      await expect(wal.sync()).rejects.toThrow(stoppedError);
      const killed = disk.reopen();
      expect(await replayedTags(killed)).toEqual(names(3));
      expect(await replayedTags(killed.restart())).toEqual(names(3));
    }
  });

  it('interval: tries a failed sync again by itself', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk, { durability: 'interval', intervalMs: 10 });
    await wal.append(taggedFrame('a')).durable;
    const failed = failNext(disk, 'sync', 3);
    await expect.poll(failed, { timeout: 2000 }).toBe(3);
    await expect.poll(() => wal.stopped, { timeout: 2000 }).toBeNull();
    expect(await replayedTags(disk.restart())).toEqual(['a']);
  });

  it('sync covers what was appended before it, at every level', async () => {
    for (const durability of ['always', 'interval', 'none'] as const) {
      const disk = createSimDisk(createPrng(1));
      const wal = await open(disk, { durability, segmentBytesMax: 1000 });
      const appends = appendAll(wal, names(10));
      await wal.sync();
      expect(await replayedTags(disk.restart())).toEqual(names(10));
      await Promise.all(appends.map((append) => append.durable));
    }
  });

  it.each(['interval', 'none'] as const)(
    '%s: a failed sync stops writes until the frames are on the disk after all',
    async (durability) => {
      const disk = createSimDisk(createPrng(3));
      const wal = await open(disk, { durability, intervalMs: 1_000_000 });
      for (const tag of names(5)) await wal.append(taggedFrame(tag)).durable;
      failNext(disk, 'sync', 2);
      await expect(wal.sync()).rejects.toThrow(stoppedError);
      expect(wal.stopped).not.toBeNull();
      await expect(wal.append(taggedFrame('lost')).durable).rejects.toThrow(stoppedError);
      const { lsn, durable } = wal.append(taggedFrame('later'));
      expect(lsn).toBe(6);
      await durable;
      expect(wal.stopped).toBeNull();
      await wal.sync();
      expect(await replayedTags(disk.restart())).toEqual([...names(5), 'later']);
    },
  );
});

describe('when the disk refuses', () => {
  it.each<[SimOperation, string]>([
    ['write', 'ENOSPC'],
    ['sync', 'EIO'],
    ['open', 'EMFILE'],
    ['syncDirectory', 'EIO'],
  ])(
    'a failing %s fails what was not acknowledged, takes the numbers back, and the next append works',
    async (operation, code) => {
      for (let seed = 0; seed < 30; seed++) {
        const disk = createSimDisk(createPrng(seed));
        const failures: WalFailure[] = [];
        const wal = await open(disk, { onFailed: (failure) => failures.push(failure) });
        const isInCreation = operation === 'open' || operation === 'syncDirectory';
        if (!isInCreation) await wal.append(taggedFrame('kept')).durable;
        const kept = isInCreation ? [] : ['kept'];
        failNext(disk, operation, 1, code);
        const failed = await Promise.allSettled(
          appendAll(wal, ['failed-x', 'failed-y', 'failed-z']).map((append) => append.durable),
        );
        for (const result of failed) {
          expect(result).toMatchObject({
            status: 'rejected',
            reason: { code: 'WRITES_STOPPED', cause: { code } },
          });
        }
        expect(failures).toEqual([{ durableLsn: kept.length, error: stoppedError }]);
        expect(wal.pendingBytes).toBe(0);
        const copy = disk.paths().map((path) => disk.contents(path));
        expect(copy.some((bytes) => Buffer.from(bytes).includes('failed-'))).toBe(false);

        const next = wal.append(taggedFrame('next'));
        expect(next.lsn).toBe(kept.length + 1);
        await next.durable;
        expect(await replayedTags(disk.restart())).toEqual([...kept, 'next']);
      }
    },
  );

  it('fails frames appended while the write was failing as well, since their numbers follow', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk);
    await wal.append(taggedFrame('kept')).durable;
    let late: { lsn: number; durable: Promise<void> } | undefined;
    disk.beforeOperation = (operation) => {
      if (operation !== 'sync' || late) return;
      late = wal.append(taggedFrame('late'));
      throw new Error('EIO');
    };
    await expect(wal.append(taggedFrame('x')).durable).rejects.toThrow(stoppedError);
    await expect(late?.durable).rejects.toThrow(stoppedError);
    expect(late?.lsn).toBe(3);
    expect(wal.append(taggedFrame('next')).lsn).toBe(2);
  });

  it('resumes when a full disk has room again', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk);
    await wal.append(taggedFrame('a')).durable;
    disk.capacityBytes = wal.bytes + 100;
    for (let i = 0; i < 3; i++) {
      await expect(wal.append(taggedFrame('no room')).durable).rejects.toThrow('ENOSPC');
      expect(wal.stopped?.message).toContain('ENOSPC');
    }
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    await wal.append(taggedFrame('b')).durable;
    expect(wal.stopped).toBeNull();
    await wal.close();
    expect(await replayedTags(disk)).toEqual(['a', 'b']);
  });

  it('writes nothing while the log cannot be cut back, calls the frame in doubt, and cuts later', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk);
    await wal.append(taggedFrame('kept')).durable;
    failNext(disk, 'sync', 1);
    const cutsFailed = failNext(disk, 'truncate', 2);
    await expect(wal.append(taggedFrame('doubt')).durable).rejects.toThrow('may be found after a restart');
    const writes = disk.counts.write;
    const second = wal.append(taggedFrame('second'));
    expect(second.lsn).toBe(2);
    const plain = await second.durable.catch((error) => error.message);
    expect(cutsFailed()).toBe(2);
    expect(disk.counts.write).toBe(writes);
    expect(plain).not.toContain('may be found');
    await wal.append(taggedFrame('next')).durable;
    expect(await replayedTags(disk.restart())).toEqual(['kept', 'next']);
  });

  it('tells of taken back numbers before any promise rejects and before another append', async () => {
    const disk = createSimDisk(createPrng(1));
    const events: string[] = [];
    const onFailed = ({ durableLsn }: WalFailure) => {
      events.push(`back to ${durableLsn}`);
      events.push(`next ${wal.append(taggedFrame('next')).lsn}`);
    };
    const wal = await open(disk, { onFailed });
    failNext(disk, 'write', 1);
    const appends = appendAll(wal, ['x', 'y']);
    await Promise.all(appends.map(({ lsn, durable }) => durable.catch(() => events.push(`failed ${lsn}`))));
    expect(events).toEqual(['back to 0', 'next 1', 'failed 1', 'failed 2']);
    await wal.close();
    expect(await replayedTags(disk)).toEqual(['next']);
  });

  it('close says so if the log could not be put in order, and still lets go of it', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk);
    await wal.append(taggedFrame('kept')).durable;
    failNext(disk, 'sync', 1);
    failNext(disk, 'truncate', 1000);
    const doubt = wal.append(taggedFrame('doubt')).durable;
    await expect(wal.close()).rejects.toThrow(stoppedError);
    await expect(doubt).rejects.toThrow('may be found after a restart');
    expect((await replayedTags(disk.reopen()))[0]).toBe('kept');
  });

  it('deletes covered segments even while the active one cannot be mended', async () => {
    const disk = createSimDisk(createPrng(1));
    const wal = await open(disk, { segmentBytesMax: 800 });
    for (const tag of names(5)) await wal.append(taggedFrame(tag)).durable;
    const before = disk.paths().length;
    failNext(disk, 'sync', 1);
    failNext(disk, 'truncate', 2);
    await expect(wal.append(taggedFrame('doubt')).durable).rejects.toThrow(stoppedError);
    await expect(wal.truncate(5)).rejects.toThrow(stoppedError);
    expect(disk.paths().length).toBeLessThan(before);
    await wal.truncate(5);
    expect(disk.paths()).toEqual([]);
  });
});
