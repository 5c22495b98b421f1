/** The kinds of value a setting can have, and how each is read from text and from a configuration file. */
import { resolve } from 'node:path';
import type { LogLevel } from '../core/log.ts';
import type { Durability } from '../engine/database.ts';
import type { FeedSetting } from '../feeds/manager.ts';
import type { UserConfig } from '../net/auth.ts';
import {
  badSetting,
  entriesOf,
  itemsOf,
  refuseSetting,
  requiredText,
  type Setting,
  textOf,
} from './setting.ts';

/** What a value of each kind is once read. */
export interface OptionKinds {
  text: string;
  path: string;
  port: number;
  count: number;
  /** Bytes. */
  memory: number;
  boolean: boolean;
  texts: string[];
  origins: string[];
  durability: Durability;
  logLevel: LogLevel;
  users: UserConfig[];
  feeds: FeedSetting[];
}

/** Name of a kind. */
export type OptionKind = keyof OptionKinds;

/** How a kind is read. `source` names the flag or variable in errors. Both throw `INVALID_CONFIG`. */
interface KindReader<T> {
  fromText(text: string, source: string): T;
  fromSetting(setting: Setting): T;
}

/** A kind whose values are single words: a file's scalar is read as the same text a flag would be. */
function scalar<T>(fromText: (text: string, source: string) => T): KindReader<T> {
  return {
    fromText,
    fromSetting: (setting) => fromText(textOf(setting), `${setting.where}: '${setting.path}'`),
  };
}

function choice<T extends string>(...values: T[]): KindReader<T> {
  return scalar((text, source) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw badSetting(source, `'${text}' is none of ${values.join(', ')}`);
    return found;
  });
}

function structured<T>(fromSetting: (setting: Setting) => T): KindReader<T> {
  return {
    fromText: (_text, source) => {
      throw badSetting(source, 'can only be given in the configuration file');
    },
    fromSetting,
  };
}

/** The reader of each kind. */
export const kindReaders: { [K in OptionKind]: KindReader<OptionKinds[K]> } = {
  text: scalar((text) => text),
  // A path in a file counts from that file, so that a configuration can be moved with what it names.
  path: {
    fromText: (text) => text,
    fromSetting: (setting) => resolve(setting.directory, textOf(setting)),
  },
  port: scalar((text, source) => wholeNumber(text, source, 65_535)),
  count: scalar((text, source) => wholeNumber(text, source, Number.MAX_SAFE_INTEGER)),
  memory: scalar(parseMemory),
  boolean: scalar((text, source) => {
    if (/^(true|yes|on|1)$/i.test(text)) return true;
    if (/^(false|no|off|0)$/i.test(text)) return false;
    throw badSetting(source, `'${text}' is neither true nor false`);
  }),
  texts: {
    fromText: splitTexts,
    fromSetting: (setting) => (setting.items ? setting.items.map(textOf) : splitTexts(textOf(setting))),
  },
  origins: {
    fromText: (text, source) => splitTexts(text).map((origin) => checkOrigin(origin, source)),
    fromSetting: (setting) =>
      (setting.items ? setting.items.map(textOf) : splitTexts(textOf(setting))).map((origin) =>
        checkOrigin(origin, `${setting.where}: '${setting.path}'`),
      ),
  },
  durability: choice('always', 'interval', 'none'),
  logLevel: choice('debug', 'info', 'warn', 'error', 'silent'),
  users: structured((setting) => itemsOf(setting).map(userOf)),
  feeds: structured((setting) => distinctNames(setting, itemsOf(setting).map(feedOf))),
};

function wholeNumber(text: string, source: string, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text.trim()) && value <= max) return value;
  throw badSetting(source, `'${text}' is not a whole number from 0 to ${max}`);
}

const byteUnits: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** With less, every batch of usual size would wait for a flush of its own. */
const memoryBytesMin = 16 * byteUnits.mib;

function parseMemory(text: string, source: string): number {
  const bytes = parseBytes(text, source);
  if (bytes >= memoryBytesMin) return bytes;
  throw badSetting(source, `'${text}' is too little: at least 16MiB are needed`);
}

function parseBytes(text: string, source: string): number {
  const parts = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text);
  const unit = parts ? byteUnits[parts[2].toLowerCase()] : undefined;
  if (!parts || unit === undefined) {
    throw badSetting(source, `'${text}' is not a size such as 268435456, 256MiB or 1GB`);
  }
  return Math.round(Number(parts[1]) * unit);
}

function splitTexts(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function checkOrigin(text: string, source: string): string {
  if (/^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text) return text;
  throw badSetting(
    source,
    `'${text}' is not an origin such as https://charts.example.com or http://localhost:8080`,
  );
}

function userOf(setting: Setting): UserConfig {
  const entries = entriesOf(setting, ['name', 'passwordHash', 'role', 'tokens']);
  const passwordHash = entries.get('passwordHash');
  const tokens = entries.get('tokens');
  if (!passwordHash && !tokens) throw refuseSetting(setting, "needs 'passwordHash' or 'tokens'");
  const role = entries.get('role');
  if (!role) throw refuseSetting(setting, "needs 'role'");
  return {
    name: requiredText(setting, entries, 'name'),
    role: choice('read', 'write', 'admin').fromSetting(role),
    ...(passwordHash ? { passwordHash: textOf(passwordHash) } : {}),
    ...(tokens ? { tokens: itemsOf(tokens).map(textOf) } : {}),
  };
}

function feedOf(setting: Setting): FeedSetting {
  const entries = entriesOf(setting, ['name', 'kind', 'module', 'options']);
  const kind = entries.get('kind');
  const module = entries.get('module');
  if (!kind === !module) throw refuseSetting(setting, "needs either 'kind' or 'module'");
  const options = entries.get('options');
  if (options && !options.entries) throw refuseSetting(options, 'must be a mapping of names to values');
  return {
    name: requiredText(setting, entries, 'name'),
    options: (options?.raw ?? {}) as Record<string, unknown>,
    ...(kind ? { kind: textOf(kind) } : {}),
    ...(module ? { module: modulePath(module) } : {}),
  };
}

/** A relative module counts from the file; anything else is a package for Node to find. */
function modulePath(setting: Setting): string {
  const text = textOf(setting);
  return text.startsWith('.') ? resolve(setting.directory, text) : text;
}

function distinctNames(setting: Setting, feeds: FeedSetting[]): FeedSetting[] {
  const seen = new Set<string>();
  for (const feed of feeds) {
    if (seen.has(feed.name)) throw refuseSetting(setting, `names two feeds '${feed.name}'`);
    seen.add(feed.name);
  }
  return feeds;
}
