/** How many random events, and from which seed: one case after the other until there were enough. */

/** Events in all: 20,000 with `npm test`, 100,000 under CI, or CANDELA_EVENTS. */
export const eventsWanted = Number(
  process.env.CANDELA_EVENTS ?? (process.env.CI === 'true' ? 100_000 : 20_000),
);

/** Seed of the first case. A failure names the seed of its own: CANDELA_SEED=… CANDELA_EVENTS=1 runs that one again. */
export const firstSeed = Number(process.env.CANDELA_SEED ?? Date.now() % 2 ** 31);

/** Runs cases with consecutive seeds; `run` says how many events a case had. */
export async function runCases(events: number, run: (seed: number) => Promise<number>): Promise<void> {
  for (let seed = firstSeed, done = 0; done < events; seed++) done += await run(seed);
}

/** Time limit for so many events, generous enough for a busy machine. */
export function limitMs(events: number): number {
  return 60_000 + events * 20;
}
