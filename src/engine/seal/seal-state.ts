/**
 * Which parts of a table are worth sealing: pure bookkeeping over counts of rows by chunk (a slice of time).
 *
 * A chunk's `unsealed` counts rows stored since it was last sealed. Chunks that are closed are taken together with
 * their neighbours into a *run* of at most `rowsMax` rows, which is worth sealing when enough of its rows are unsealed:
 * at least `rowsMin`, and an eighth of the run, so that a row is rewritten a few times in its life at most. A table
 * with too many rows in a chunk gets narrower chunks. The counts only say when to seal: a wrong one costs time, never
 * rows.
 */

/** Bounds of sealing. */
export interface SealLimits {
  /** Between two looks at what there is to seal. */
  intervalMs: number;
  /** Unsealed rows that are worth a step; a few of the store's row groups. */
  rowsMin: number;
  /** Rows sorted in one step. */
  rowsMax: number;
  /** A chunk that no row came to for so long is closed, wherever the watermark is. */
  idleMs: number;
}

/** What is known of a slice of time. */
export interface Chunk {
  /** Rows stored since it was last sealed. */
  unsealed: number;
  /** How many of them came between the last two looks. */
  arrived: number;
  /** Monotonic time at which rows were last seen to come. */
  touchedMs: number;
}

/** What is known of a table. Chunk number i is [i × widthNs, (i + 1) × widthNs). */
export interface SealState {
  widthNs: number;
  /** Rows below this version are counted. */
  countedBelow: number;
  /** Chunks with unsealed rows, by number. */
  chunks: Map<number, Chunk>;
}

/** Chunks `from` … `to`, both inclusive, and the rows in them. */
export interface ChunkRun {
  from: number;
  to: number;
  rowCount: number;
}

/** Rows by chunk number, ascending. */
export type ChunkRows = ReadonlyMap<number, number>;

const secondNs = 1_000_000_000;

/** Chunk widths, each a multiple of the next: a day, and down to a second. */
const widthsNs = [86_400, 14_400, 3_600, 600, 60, 10, 1].map((seconds) => seconds * secondNs);

/** A closed chunk's end lies this part of a chunk behind the watermark: late rows mostly came by then. */
const gracePart = 1 / 24;

/** A chunk to which this part of its unsealed rows came since the last look is still being filled. */
const busyPart = 0.1;

/** A table of which nothing is counted yet. */
export function newSealState(): SealState {
  return { widthNs: widthsNs[0], countedBelow: 0, chunks: new Map() };
}

/** The state as it is kept in a document. */
export function formatSealState({ widthNs, countedBelow, chunks }: SealState): string {
  const unsealed = [...chunks].map(([number, chunk]) => [number, chunk.unsealed]);
  return JSON.stringify({ widthNs, countedBelow, unsealed });
}

/** A state from its document. */
export function parseSealState(text: string, nowMs: number): SealState {
  const { widthNs, countedBelow, unsealed } = JSON.parse(text) as {
    widthNs: number;
    countedBelow: number;
    unsealed: [number, number][];
  };
  const chunks = unsealed.map(([number, rows]): [number, Chunk] => [
    number,
    { unsealed: rows, arrived: 0, touchedMs: nowMs },
  ]);
  return { widthNs, countedBelow, chunks: new Map(chunks) };
}

/** Adds rows that were stored since the last look. */
export function addArrivals(state: SealState, arrivals: ChunkRows, nowMs: number): void {
  for (const chunk of state.chunks.values()) chunk.arrived = 0;
  for (const [number, rows] of arrivals) {
    const unsealed = (state.chunks.get(number)?.unsealed ?? 0) + rows;
    state.chunks.set(number, { unsealed, arrived: rows, touchedMs: nowMs });
  }
}

/** The next narrower width, or undefined at the narrowest. */
export function narrowerNs({ widthNs }: SealState): number | undefined {
  return widthsNs[widthsNs.indexOf(widthNs) + 1];
}

/** Is there a chunk of more rows than one step takes? */
export function isTooWide({ chunks }: SealState, { rowsMax }: SealLimits): boolean {
  return [...chunks.values()].some(({ unsealed }) => unsealed > rowsMax);
}

/** Narrows the chunks; `totals` are all rows by number of the narrower chunks and say where the unsealed ones lie. */
export function narrow(state: SealState, widthNs: number, totals: ChunkRows): void {
  const parts = state.widthNs / widthNs;
  const chunks = new Map<number, Chunk>();
  for (const [number, { unsealed, arrived, touchedMs }] of state.chunks) {
    const numbers = Array.from({ length: parts }, (_, part) => number * parts + part);
    const rows = numbers.reduce((sum, one) => sum + (totals.get(one) ?? 0), 0);
    for (const one of numbers) {
      const share = (totals.get(one) ?? 0) / Math.max(rows, 1);
      if (share === 0) continue;
      chunks.set(one, {
        unsealed: Math.ceil(unsealed * share),
        arrived: Math.ceil(arrived * share),
        touchedMs,
      });
    }
  }
  state.widthNs = widthNs;
  state.chunks = chunks;
}

/** Numbers of the chunks with unsealed rows that are closed and at rest, ascending. */
export function closedChunks(
  { widthNs, chunks }: SealState,
  watermarkNs: number,
  nowMs: number,
  { idleMs }: SealLimits,
): number[] {
  const closed = [...chunks].filter(([number, { unsealed, arrived, touchedMs }]) => {
    if (nowMs - touchedMs >= idleMs) return true;
    return (number + 1 + gracePart) * widthNs <= watermarkNs && arrived <= unsealed * busyPart;
  });
  return closed.map(([number]) => number).sort((a, b) => a - b);
}

/** Unsealed rows of the chunks. */
export function unsealedRows({ chunks }: SealState, numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + (chunks.get(number)?.unsealed ?? 0), 0);
}

/**
 * The first run worth sealing, or undefined. `totals` are the rows that really are in the chunks, ascending, those
 * between the closed ones too: a run that spans them seals them again. It has more than `rowsMax` rows only if it is
 * a single chunk.
 */
export function planRun(
  { chunks }: SealState,
  closed: readonly number[],
  totals: ChunkRows,
  limits: SealLimits,
): ChunkRun | undefined {
  const wanted = new Set(closed);
  const isWorthIt = (run: Candidate): boolean =>
    run.unsealed >= limits.rowsMin && run.unsealed * 8 >= run.rowCount;
  let run: Candidate | undefined;
  let between = 0;
  for (const [number, rowCount] of totals) {
    if (!wanted.has(number)) {
      between += rowCount;
      continue;
    }
    if (run && run.rowCount + between + rowCount > limits.rowsMax) {
      if (isWorthIt(run)) return run;
      run = undefined;
    }
    const unsealed = Math.min(rowCount, chunks.get(number)?.unsealed ?? 0);
    run = run
      ? { ...run, to: number, rowCount: run.rowCount + between + rowCount, unsealed: run.unsealed + unsealed }
      : { from: number, to: number, rowCount, unsealed };
    between = 0;
  }
  return run && isWorthIt(run) ? run : undefined;
}

interface Candidate extends ChunkRun {
  unsealed: number;
}

/** Forgets the unsealed rows of a run that was sealed. */
export function markSealed({ chunks }: SealState, { from, to }: ChunkRun): void {
  for (const number of [...chunks.keys()]) if (number >= from && number <= to) chunks.delete(number);
}
