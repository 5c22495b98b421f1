/**
 * The log's writer: group commit, and what happens when the disk refuses.
 *
 * Frames are encoded and numbered when they are appended and wait in a queue. One job at a time works on the disk;
 * whatever was appended while it ran goes together in the next vectored write with one sync.
 *
 * ```
 *  append 5, 6, 7 ──► queue [5 6 7]          write+sync [5 6 7] ──► durable 5, 6, 7
 *            append 8, 9 ──► queue [8 9] ───────── waits ──────────► write+sync [8 9] …
 * ```
 *
 * When a write or a sync fails, every frame that was not yet acknowledged fails with `WRITES_STOPPED`: those of
 * the group, whose bytes may be in the file, and those in the queue, whose numbers follow. In this order:
 *
 * 1. The file is cut back to the last acknowledged byte and synced (mendSegment); it is written no more: the next
 *    frame goes to a new segment.
 * 2. Numbers are taken back, `onFailed` is called, the promises reject; all in one step, so that no append in
 *    between gets a number while its forerunners' fate is open.
 * 3. The next append is tried as if nothing had happened.
 *
 * If the cut itself fails, the frames of the group are in doubt: a crash now could leave them whole in the file. Their
 * error says so, nothing is written after them, and every append first tries the cut again and fails if that does.
 * So a frame whose writer was told plainly that it failed is never replayed.
 *
 * At the levels `interval` and `none` a frame is acknowledged when it is written. A failed sync then has no frame to
 * fail; writes stop until the unsynced frames have been written and synced again.
 */
import type { Clock } from '../../core/clock.ts';
import { CandelaError } from '../../core/errors.ts';
import type { FileSystem } from '../../core/file-system.ts';
import type { Logger } from '../../core/log.ts';
import { createSerial } from '../../core/serial.ts';
import { type ActiveSegment, createSegment, hasFrames, mendSegment, syncSegment } from './active-segment.ts';
import { type ClosedSegment, deleteClosedSegments, findClosedSegments } from './closed-segments.ts';
import { encodeFrame, joinSmallChunks, stampHeader, type WalFrame } from './frame.ts';

/** A write failed: LSNs after `durableLsn` are taken back, their frames rejected with `error`. */
export interface WalFailure {
  durableLsn: number;
  error: CandelaError;
}

/** How to open a log for writing. */
export interface WalOptions {
  directory: string;
  fileSystem: FileSystem;
  /**
   * When `durable` resolves: after fdatasync (`always`), or after the write, synced within `intervalMs` or at
   * the latest on rotation and close.
   */
  durability: 'always' | 'interval' | 'none';
  /** Default 1000. */
  intervalMs?: number;
  /** A segment is closed before a frame that would take it beyond this. Default 64 MiB. */
  segmentBytesMax?: number;
  clock: Clock;
  log: Logger;
  /** LSN of the first frame: one after the last that is replayed or in the store. */
  startLsn: number;
  /** Called before the promises of failed frames reject and before any later append gets an LSN. */
  onFailed?: (failure: WalFailure) => void;
}

/** An open log. */
export interface WalWriter {
  /**
   * Assigns the LSN now; `durable` resolves when the frame is as durable as the level asks, in the order of the
   * LSNs, or
   * rejects with `WRITES_STOPPED`. The batch's arrays must not change until then. Throws `LIMIT_EXCEEDED`
   * for a frame too large and `STOPPING` after `close`; no LSN is used up then.
   */
  append(frame: Omit<WalFrame, 'lsn'>): { lsn: number; durable: Promise<void> };
  /** Says that the store holds everything up to `lsn`: deletes the segments that hold nothing later. */
  truncate(lsn: number): Promise<void>;
  /** Bytes in all live segments. */
  readonly bytes: number;
  /** Bytes appended and not yet acknowledged: for the writers' back-pressure. */
  readonly pendingBytes: number;
  /** Why the last write or sync failed, until one succeeds. Appends are tried all the same. */
  readonly stopped: CandelaError | null;
  /** Everything appended so far is on the disk, or has failed, when this resolves. Throws `WRITES_STOPPED`. */
  sync(): Promise<void>;
  /** Writes and syncs what was appended, then closes. */
  close(): Promise<void>;
}

interface PendingFrame {
  lsn: number;
  chunks: Uint8Array[];
  byteLength: number;
  resolve(): void;
  reject(error: CandelaError): void;
}

const slowWriteMs = 1000;
const mendFailedMessage = 'the write-ahead log could not be cut back; nothing is written until it is';

/**
 * Opens the log in `directory`, which is made if need be. Replay it first: a torn tail must have been cut. The first
 * segment is created by the first append, so a full disk does not stand in the way of opening.
 * Throws `CORRUPT_WAL` if there are frames at or after `startLsn`.
 */
export async function openWal(options: WalOptions): Promise<WalWriter> {
  const { fileSystem, directory, startLsn } = options;
  await fileSystem.makeDirectory(directory);
  return new LogWriter(options, await findClosedSegments(fileSystem, directory, startLsn));
}

class LogWriter implements WalWriter {
  readonly #options: WalOptions;
  readonly #segmentBytesMax: number;
  /** Older segments, oldest first. */
  readonly #closed: ClosedSegment[];
  #active: ActiveSegment | null = null;
  /**
   * The active segment may hold bytes of failed frames, or its unsynced bytes may be lost: mend it before
   * anything else.
   */
  #isMendDue = false;
  #queue: PendingFrame[] = [];
  #nextLsn: number;
  /** The last frame acknowledged. */
  #keptLsn: number;
  #syncedLsn: number;
  #pendingBytes = 0;
  #stopped: CandelaError | null = null;
  /** Whatever touches the disk. */
  readonly #jobs = createSerial();
  #isWriteDue = false;
  #syncTimer: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: WalOptions, closed: ClosedSegment[]) {
    this.#options = options;
    this.#segmentBytesMax = options.segmentBytesMax ?? 64 * 1024 * 1024;
    this.#closed = closed;
    this.#nextLsn = options.startLsn;
    this.#keptLsn = options.startLsn - 1;
    this.#syncedLsn = options.startLsn - 1;
  }

  get bytes(): number {
    return this.#closed.reduce((sum, segment) => sum + segment.bytes, this.#active?.end ?? 0);
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get stopped(): CandelaError | null {
    return this.#stopped;
  }

  append(frame: Omit<WalFrame, 'lsn'>): { lsn: number; durable: Promise<void> } {
    if (this.#closing) throw new CandelaError('STOPPING', 'the write-ahead log is closed');
    const lsn = this.#nextLsn;
    const chunks = encodeFrame(frame, lsn);
    const byteLength = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    this.#nextLsn++;
    this.#pendingBytes += byteLength;
    const durable = new Promise<void>((resolve, reject) => {
      this.#queue.push({ lsn, chunks, byteLength, resolve, reject });
    });
    // The caller may have other things to await first; a failure until then must not count as unhandled.
    durable.catch(() => undefined);
    this.#scheduleWrite();
    return { lsn, durable };
  }

  truncate(lsn: number): Promise<void> {
    return this.#jobs.run(() => this.#deleteUpTo(lsn));
  }

  sync(): Promise<void> {
    const lsn = this.#nextLsn - 1;
    return this.#jobs.run(async () => {
      while (this.#queue.length > 0 && this.#queue[0].lsn <= lsn) await this.#writeGroup();
      await this.#syncNow();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#jobs.run(async () => {
      if (this.#syncTimer) clearTimeout(this.#syncTimer);
      while (this.#queue.length > 0) await this.#writeGroup();
      try {
        await this.#syncNow();
      } finally {
        await this.#active?.file.close();
        this.#active = null;
      }
    });
    return this.#closing;
  }

  /** One group a job, so that syncs and truncations get their turn under a constant stream of appends. */
  #scheduleWrite(): void {
    if (this.#isWriteDue || this.#queue.length === 0) return;
    this.#isWriteDue = true;
    void this.#jobs.run(async () => {
      this.#isWriteDue = false;
      if (this.#queue.length > 0) await this.#writeGroup();
      this.#scheduleWrite();
    });
  }

  async #writeGroup(): Promise<void> {
    const startMs = this.#options.clock.monotonicMs();
    let group: PendingFrame[] = [];
    try {
      await this.#mend();
      const segment = await this.#segmentWithRoom(this.#queue[0].byteLength);
      group = this.#takeGroup(this.#segmentBytesMax - segment.end);
      await this.#writeFrames(segment, group);
    } catch (cause) {
      await this.#failFrames(group, cause);
      return;
    }
    this.#resume();
    const tookMs = this.#options.clock.monotonicMs() - startMs;
    if (tookMs > slowWriteMs) this.#options.log.warn({ tookMs }, 'the write-ahead log is slow to write');
    for (const frame of group) {
      this.#pendingBytes -= frame.byteLength;
      frame.resolve();
    }
  }

  /** The longest front part of the queue that fits, but at least one frame. */
  #takeGroup(bytesMax: number): PendingFrame[] {
    let byteLength = this.#queue[0].byteLength;
    let count = 1;
    while (count < this.#queue.length && byteLength + this.#queue[count].byteLength <= bytesMax) {
      byteLength += this.#queue[count++].byteLength;
    }
    return this.#queue.splice(0, count);
  }

  async #writeFrames(segment: ActiveSegment, group: readonly PendingFrame[]): Promise<void> {
    for (const frame of group) stampHeader(frame.chunks[0], this.#syncedLsn, segment.salt);
    await segment.file.write(joinSmallChunks(group.flatMap((frame) => frame.chunks)), segment.end);
    const end = group.reduce((sum, frame) => sum + frame.byteLength, segment.end);
    const lastLsn = group[group.length - 1].lsn;
    if (this.#options.durability === 'always') {
      await syncSegment(segment);
      segment.syncedEnd = end;
      this.#syncedLsn = lastLsn;
    }
    segment.end = end;
    this.#keptLsn = lastLsn;
    this.#armSyncTimer();
  }

  async #segmentWithRoom(byteLength: number): Promise<ActiveSegment> {
    const active = this.#active;
    if (active && hasFrames(active) && active.end + byteLength > this.#segmentBytesMax) {
      await this.#syncActive();
      await this.#retire();
    }
    const { fileSystem, directory } = this.#options;
    this.#active ??= await createSegment(fileSystem, directory, this.#keptLsn + 1);
    return this.#active;
  }

  async #syncActive(): Promise<void> {
    const segment = this.#active;
    if (segment === null || segment.syncedEnd === segment.end) return;
    await syncSegment(segment);
    this.#syncedLsn = this.#keptLsn;
  }

  /** Closes the active segment, which must be synced. */
  async #retire(): Promise<void> {
    const segment = this.#active;
    if (segment === null) return;
    this.#active = null;
    // Without frames its name is the next segment's too, which will take its place.
    const { path, end: bytes } = segment;
    if (hasFrames(segment)) this.#closed.push({ path, lastLsn: this.#keptLsn, bytes });
    try {
      await segment.file.close();
    } catch (error) {
      this.#options.log.warn(
        { err: error, file: path },
        'a segment could not be closed; its frames are on the disk',
      );
    }
  }

  async #mend(): Promise<void> {
    if (!this.#isMendDue) return;
    if (this.#active) {
      await mendSegment(this.#active);
      this.#syncedLsn = this.#keptLsn;
      await this.#retire();
    }
    this.#isMendDue = false;
  }

  /** Brings the disk up to date, and mends it first if need be. Throws `WRITES_STOPPED`. */
  async #syncNow(): Promise<void> {
    try {
      await this.#mend();
      await this.#syncActive();
      if (this.#options.durability !== 'always') this.#resume();
    } catch (cause) {
      this.#isMendDue = true;
      throw this.#stop(cause);
    }
  }

  /** See the head of this file. */
  async #failFrames(group: readonly PendingFrame[], cause: unknown): Promise<void> {
    const error = this.#stop(cause);
    this.#isMendDue = true;
    let groupError = error;
    try {
      await this.#mend();
    } catch (mendCause) {
      const doubt = `${error.message}; nor could it be cut back, so this write may be found after a restart`;
      groupError = new CandelaError('WRITES_STOPPED', doubt, { cause });
      const durableLsn = this.#keptLsn;
      this.#options.log.error({ err: mendCause, durableLsn, frames: group.length }, mendFailedMessage);
    }
    const waiting = this.#queue;
    this.#queue = [];
    this.#pendingBytes = 0;
    this.#nextLsn = this.#keptLsn + 1;
    this.#options.onFailed?.({ durableLsn: this.#keptLsn, error });
    for (const frame of group) frame.reject(groupError);
    for (const frame of waiting) frame.reject(error);
  }

  #stop(cause: unknown): CandelaError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the write-ahead log in ${this.#options.directory} cannot be written: ${reason}`;
    const error = new CandelaError('WRITES_STOPPED', message, { cause });
    if (this.#stopped === null) {
      this.#options.log.error(
        { err: cause, durableLsn: this.#keptLsn },
        'the write-ahead log cannot be written; writes fail until it can',
      );
    }
    this.#stopped = error;
    return error;
  }

  #resume(): void {
    if (this.#stopped === null) return;
    this.#stopped = null;
    this.#options.log.info({ durableLsn: this.#keptLsn }, 'the write-ahead log can be written again');
  }

  #armSyncTimer(): void {
    if (this.#options.durability !== 'interval' || this.#syncTimer !== null || this.#closing) return;
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = null;
      // Already logged and kept in `stopped`; there is nobody else to tell.
      void this.#jobs.run(() => this.#syncNow()).catch(() => this.#armSyncTimer());
    }, this.#options.intervalMs ?? 1000);
  }

  async #deleteUpTo(lsn: number): Promise<void> {
    await deleteClosedSegments(this.#options.fileSystem, this.#closed, lsn);
    if (this.#active === null || !hasFrames(this.#active) || this.#keptLsn > lsn) return;
    await this.#syncNow();
    await this.#retire();
    await deleteClosedSegments(this.#options.fileSystem, this.#closed, lsn);
  }
}
