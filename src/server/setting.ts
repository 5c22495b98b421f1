/** A configuration file as a tree that knows where each of its values stands, so that errors can say so. */
import { CandelaError } from '../core/errors.ts';

/** One value of a configuration file. */
export interface Setting {
  /** File and line, e.g. `candela.yml:12`. */
  where: string;
  /** Directory of the file: what relative paths in it count from. */
  directory: string;
  /** Place in the file, e.g. `users[0].name`; empty for the whole. */
  path: string;
  /** As plain JavaScript data. */
  raw: unknown;
  /** Members of a list. */
  items?: Setting[];
  /** Members of a mapping. */
  entries?: Map<string, Setting>;
}

/** The error for a value that cannot be used: says where it came from and what is wrong with it. */
export function badSetting(source: string, reason: string): CandelaError {
  return new CandelaError('INVALID_CONFIG', `${source}: ${reason}`);
}

/** As {@link badSetting}, for a value of a file. */
export function refuseSetting(setting: Setting, reason: string): CandelaError {
  const what = setting.path === '' ? '' : `'${setting.path}' `;
  return badSetting(setting.where, `${what}${reason}`);
}

/** The members of a mapping, none of which may be outside `allowed`. */
export function entriesOf(setting: Setting, allowed: readonly string[]): Map<string, Setting> {
  if (!setting.entries) throw refuseSetting(setting, 'must be a mapping of names to values');
  for (const [name, entry] of setting.entries) {
    if (allowed.includes(name)) continue;
    throw new CandelaError('INVALID_CONFIG', `${entry.where}: unknown setting '${entry.path}'`, {
      help: `Known here: ${allowed.join(', ')}. See docs/config.md.`,
    });
  }
  return setting.entries;
}

/** The members of a list. */
export function itemsOf(setting: Setting): Setting[] {
  if (!setting.items) throw refuseSetting(setting, 'must be a list');
  return setting.items;
}

/** A single value as text. */
export function textOf(setting: Setting): string {
  const { raw } = setting;
  if (typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean') return String(raw);
  throw refuseSetting(setting, 'must be a single value');
}

/** The member of that name as text. */
export function requiredText(parent: Setting, entries: Map<string, Setting>, name: string): string {
  const entry = entries.get(name);
  if (!entry) throw refuseSetting(parent, `needs '${name}'`);
  return textOf(entry);
}
