import { describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { type Logger, silentLogger } from '../../core/log.ts';
import { createPrng } from '../../core/prng.ts';
import { createSimDisk, type SimDisk } from '../../testing/sim-disk.ts';
import { replayAll, taggedFrame } from '../../testing/wal-frames.ts';
import { replayWal } from './reader.ts';
import { segmentHeaderBytes, segmentPath } from './segment.ts';
import { openWal } from './writer.ts';

const directory = '/wal';

interface Written {
  disk: SimDisk;
  path: string;
  bytes: Uint8Array;
  /** Where each frame ends; the first element is where the first begins. */
  ends: number[];
}

/** A log of one segment; each element is a group of frames synced together. */
async function written(groups: readonly string[][]): Promise<Written> {
  const disk = createSimDisk(createPrng(1));
  const { fileSystem } = disk;
  const wal = await openWal({
    directory,
    fileSystem,
    durability: 'always',
    clock: systemClock,
    log: silentLogger,
    startLsn: 1,
  });
  const path = segmentPath(directory, 1);
  const ends = [segmentHeaderBytes];
  for (const group of groups) {
    const before = ends[ends.length - 1];
    await Promise.all(group.map((tag) => wal.append(taggedFrame(tag)).durable));
    // Tags have equal lengths, so frames do.
    const step = (disk.contents(path).length - before) / group.length;
    for (let i = 1; i <= group.length; i++) ends.push(before + i * step);
  }
  await wal.close();
  return { disk, path, bytes: disk.contents(path), ends };
}

/** Replays with other bytes in the segment's file: what came out before the end or the error. */
async function replayOf(path: string, bytes: Uint8Array) {
  const disk = createSimDisk(createPrng(2));
  disk.put(path, bytes);
  const tags: string[] = [];
  const warnings: object[] = [];
  const log: Logger = { ...silentLogger, warn: (fields) => void warnings.push(fields) };
  let error: unknown = null;
  try {
    const frames = replayWal({ directory, fileSystem: disk.fileSystem, afterLsn: 0, log });
    for await (const frame of frames) tags.push(frame.batchId);
  } catch (thrown) {
    error = thrown;
  }
  return { tags, error, warnings, left: disk.restart().contents(path) };
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] ^= 1 << (at % 8);
  return copy;
}

const corruptAt = (path: string, offset: number) =>
  expect.objectContaining({
    code: 'CORRUPT_WAL',
    message: expect.stringContaining(`${path}, byte ${offset}:`),
  });

describe('a log cut at any byte', () => {
  it('gives the whole frames before the cut, and is itself cut after them', async () => {
    const { path, bytes, ends } = await written([['a'], ['b'], ['c', 'd']]);
    for (let length = 0; length <= bytes.length; length++) {
      const whole = Math.max(0, ends.filter((end) => end <= length).length - 1);
      const { tags, error, warnings, left } = await replayOf(path, bytes.subarray(0, length));
      expect({ length, error, tags }).toEqual({
        length,
        error: null,
        tags: ['a', 'b', 'c', 'd'].slice(0, whole),
      });
      if (length < segmentHeaderBytes) continue;
      expect(left).toEqual(bytes.slice(0, ends[whole]));
      expect(warnings).toEqual(
        length === ends[whole]
          ? []
          : [{ file: path, offset: ends[whole], bytesCut: length - ends[whole], lastLsn: whole }],
      );
    }
  });
});

describe('a flip of any byte', () => {
  it('of a frame that a later frame knows to be synced stops the replay, naming file and offset', async () => {
    const { path, bytes, ends } = await written([['a'], ['b', 'c'], ['d']]);
    for (let at = 0; at < ends[3]; at++) {
      const frame = ends.filter((end) => end <= at).length - 1;
      const { tags, error } = await replayOf(path, flipped(bytes, at));
      expect({ at, error }).toEqual({ at, error: corruptAt(path, frame < 0 ? 0 : ends[frame]) });
      expect(tags).toEqual(['a', 'b', 'c'].slice(0, Math.max(0, frame)));
    }
  });

  it('of the last group, which may never have been synced, cuts it off', async () => {
    const { path, bytes, ends } = await written([['a'], ['b', 'c']]);
    for (let at = ends[1]; at < bytes.length; at++) {
      const { tags, error, left } = await replayOf(path, flipped(bytes, at));
      const whole = at < ends[2] ? 1 : 2;
      expect({ at, error, tags }).toEqual({ at, error: null, tags: ['a', 'b'].slice(0, whole) });
      expect(left.length).toBe(ends[whole]);
    }
  });

  it('of a segment that is not the last stops the replay, even in its last group', async () => {
    const { path, bytes, ends, disk } = await written([['a'], ['b', 'c']]);
    disk.put(path, flipped(bytes, ends[2] + 70));
    const { fileSystem } = disk;
    const next = await openWal({
      directory,
      fileSystem,
      durability: 'always',
      clock: systemClock,
      log: silentLogger,
      startLsn: 4,
    });
    await next.append(taggedFrame('d')).durable;
    await expect(replayAll(fileSystem, directory)).rejects.toThrow(corruptAt(path, ends[2]));
    // Frames that are in the store already need not even be readable.
    expect((await replayAll(fileSystem, directory, 3)).map((frame) => frame.batchId)).toEqual(['d']);
  });
});

describe('a torn tail', () => {
  it('is cut although whole frames follow, as long as none of them knows it synced', async () => {
    const { path, bytes, ends } = await written([['a'], ['b', 'c', 'd']]);
    const hole = bytes.slice();
    hole.fill(0, ends[1], ends[2]);
    const { tags, error, warnings, left } = await replayOf(path, hole);
    expect({ tags, error }).toEqual({ tags: ['a'], error: null });
    expect(warnings).toEqual([{ file: path, offset: ends[1], bytesCut: bytes.length - ends[1], lastLsn: 1 }]);
    expect(left).toEqual(bytes.slice(0, ends[1]));
  });

  it('cannot be made to look like corruption by a client who writes frames into a text', async () => {
    const genuine = await written([['a'], ['b']]);
    const stolen = Buffer.from(genuine.bytes.subarray(genuine.ends[1])).toString('latin1');
    const { path, bytes, ends } = await written([['a'], [stolen]]);
    const { tags, error } = await replayOf(path, bytes.subarray(0, bytes.length - 8));
    expect({ tags, error }).toEqual({ tags: ['a'], error: null });
    expect(ends).toHaveLength(3);
  });
});

describe('a chain of segments', () => {
  it('with one missing or misnamed stops the replay', async () => {
    const disk = createSimDisk(createPrng(1));
    const { fileSystem } = disk;
    const options = { directory, fileSystem, clock: systemClock, log: silentLogger, startLsn: 1 } as const;
    const wal = await openWal({ ...options, durability: 'always', segmentBytesMax: 300 });
    for (const tag of ['a', 'b', 'c', 'd']) await wal.append(taggedFrame(tag)).durable;
    await wal.close();
    const [first, second] = disk.paths();
    expect((await replayAll(fileSystem, directory)).map((frame) => frame.batchId)).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);

    const secondBytes = disk.contents(second);
    await fileSystem.remove(second);
    const missing = corruptAt(first, disk.contents(first).length);
    await expect(replayAll(fileSystem, directory)).rejects.toThrow(missing);
    disk.put(second, disk.contents(first));
    await expect(replayAll(fileSystem, directory)).rejects.toThrow(corruptAt(second, 0));
    disk.put(second, secondBytes);
    await fileSystem.remove(first);
    await expect(replayAll(fileSystem, directory)).rejects.toThrow(corruptAt(second, 0));
    expect((await replayAll(fileSystem, directory, 1)).map((frame) => frame.batchId)).toEqual([
      'b',
      'c',
      'd',
    ]);
  });

  it('ends each segment where the next begins, whatever a failed write left there', async () => {
    const { path, bytes, disk } = await written([['a'], ['b']]);
    const { fileSystem } = disk;
    const options = {
      directory,
      fileSystem,
      durability: 'always',
      clock: systemClock,
      log: silentLogger,
    } as const;
    const next = await openWal({ ...options, startLsn: 3 });
    await next.append(taggedFrame('c')).durable;
    const other = await written([['a'], ['b'], ['x'], ['y']]);
    disk.put(path, other.bytes);
    expect((await replayAll(fileSystem, directory)).map((frame) => frame.batchId)).toEqual(['a', 'b', 'c']);
    disk.put(path, new Uint8Array([...bytes, 1, 2, 3]));
    expect((await replayAll(fileSystem, directory)).map((frame) => frame.batchId)).toEqual(['a', 'b', 'c']);
  });

  it('is empty where there is no directory', async () => {
    expect(await replayAll(createSimDisk(createPrng(1)).fileSystem, '/nowhere')).toEqual([]);
  });
});
