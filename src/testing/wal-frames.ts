import type { FileSystem } from '../core/file-system.ts';
import { silentLogger } from '../core/log.ts';
import type { WalFrame } from '../engine/wal/frame.ts';
import { replayWal } from '../engine/wal/reader.ts';

/** A frame of `rowCount` rows that carries `tag` as its batch id, so that it can be told from any other. */
export function taggedFrame(tag: string, rowCount = 2): Omit<WalFrame, 'lsn'> {
  return {
    kind: 'rows',
    table: 7,
    rowCount,
    firstSeries: 3,
    newSeries: [{ kind: 'text', dictionary: [tag], codes: Int32Array.of(0) }],
    series: new Int32Array(rowCount).fill(3),
    columns: [
      { id: 1, data: { kind: 'timestamp', values: new BigInt64Array(rowCount).fill(1_700_000_000n) } },
      {
        id: 4,
        data: { kind: 'double', values: Float64Array.from({ length: rowCount }, (_, row) => row + 0.5) },
      },
    ],
    batchId: tag,
    answer: null,
  };
}

/** Everything a replay yields. */
export async function replayAll(
  fileSystem: FileSystem,
  directory: string,
  afterLsn = 0,
): Promise<WalFrame[]> {
  const frames: WalFrame[] = [];
  for await (const frame of replayWal({ directory, fileSystem, afterLsn, log: silentLogger }))
    frames.push(frame);
  return frames;
}
