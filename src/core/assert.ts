/** Stops at a broken invariant: a programmer's error, never a user's. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`BUG: ${message}`);
}

/** The value, which by the caller's invariant is neither null nor undefined. */
export function must<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`BUG: ${what} is missing`);
  return value;
}
