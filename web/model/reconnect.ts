/** How long to wait before the next attempt: 0.5 s, doubling to 10 s, between half and all of it by chance. */

const delayMsMin = 500;
const delayMsMax = 10_000;

/**
 * Delay before attempt number `attempt` (0 is the first after a loss). `chance` in [0, 1) spreads the clients of a
 * restarted server over time.
 */
export function reconnectDelayMs(attempt: number, chance: number): number {
  // 2^5 · 0.5 s is past the ceiling already; the bound keeps the power finite.
  const ceiling = Math.min(delayMsMax, delayMsMin * 2 ** Math.min(attempt, 5));
  return Math.round(ceiling / 2 + (chance * ceiling) / 2);
}
