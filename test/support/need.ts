/** What a suite needs of the machine. In CI a suite that cannot run fails; elsewhere it is left out, and says so. */
export function isMissing(what: string, isThere: boolean): boolean {
  if (!isThere && process.env.CI === 'true') throw new Error(`${what} is missing: the suite cannot run`);
  return !isThere;
}
