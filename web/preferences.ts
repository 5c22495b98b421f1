/**
 * What is kept in this browser: choices for good, the token one has signed in with until the tab closes. Where
 * storage is refused (private windows), both last as long as the page.
 */

const prefix = 'candela.';
const held = new Map<string, string>();

/** The choice made, or null. */
export function readPreference(name: string): string | null {
  return read(() => localStorage, name);
}

/** Keeps a choice; null forgets it. */
export function writePreference(name: string, value: string | null): void {
  write(() => localStorage, name, value);
}

/** The token one has signed in with, or null. */
export function readToken(): string | null {
  return read(() => sessionStorage, 'token');
}

/** Keeps the token; null forgets it. */
export function writeToken(token: string | null): void {
  write(() => sessionStorage, 'token', token);
}

/** The storage is asked for inside: where it is refused, already naming it throws. */
function read(storage: () => Storage, name: string): string | null {
  try {
    return storage().getItem(prefix + name) ?? held.get(name) ?? null;
  } catch {
    return held.get(name) ?? null;
  }
}

function write(storage: () => Storage, name: string, value: string | null): void {
  if (value === null) held.delete(name);
  else held.set(name, value);
  try {
    if (value === null) storage().removeItem(prefix + name);
    else storage().setItem(prefix + name, value);
  } catch {
    // Refused or full: `held` has it.
  }
}
