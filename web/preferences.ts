/** Choices kept in this browser. Where storage is refused (private windows), they last as long as the page. */

const prefix = 'candela.';
const held = new Map<string, string>();

/** The choice made, or null. */
export function readPreference(name: string): string | null {
  try {
    return localStorage.getItem(prefix + name) ?? held.get(name) ?? null;
  } catch {
    return held.get(name) ?? null;
  }
}

/** Keeps a choice; null forgets it. */
export function writePreference(name: string, value: string | null): void {
  if (value === null) held.delete(name);
  else held.set(name, value);
  try {
    if (value === null) localStorage.removeItem(prefix + name);
    else localStorage.setItem(prefix + name, value);
  } catch {
    // Storage is refused or full: `held` has the choice.
  }
}
