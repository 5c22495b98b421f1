/** Brings the four sources of settings together: flag > environment > file > default. */
import { resolve } from 'node:path';
import { CandelaError } from '../core/errors.ts';
import { kindReaders } from './option-kinds.ts';
import { type OptionDef, type OptionName, optionRows, type ServerConfig } from './options.ts';
import { entriesOf, type Setting } from './setting.ts';

/** Read without being asked for, where it exists. */
export const defaultConfigFile = 'candela.yml';

/** Where settings come from. */
export interface ConfigSources {
  /** Values of the flags that were given, by setting name; booleans for switches. */
  flags: Partial<Record<OptionName, string | boolean>>;
  /** The environment; an empty variable counts as unset. */
  env: Readonly<Record<string, string | undefined>>;
  /** The text of a file, or undefined if there is none of that name. */
  readText(path: string): string | undefined;
}

/** Every setting, resolved. Throws `INVALID_CONFIG` naming the flag, variable or line, and `FILE_NOT_FOUND`. */
export async function resolveConfig(sources: ConfigSources): Promise<ServerConfig> {
  const file = await configFileOf(sources);
  const settings = file ? settingsByKey(file) : new Map<string, Setting>();
  const config = optionRows().map(([name, option]) => [name, resolveOption(name, option, sources, settings)]);
  return Object.fromEntries(config) as ServerConfig;
}

function resolveOption(
  name: OptionName,
  option: OptionDef,
  sources: ConfigSources,
  settings: Map<string, Setting>,
): unknown {
  const reader = kindReaders[option.kind];
  const flag = sources.flags[name];
  if (flag !== undefined) return reader.fromText(String(flag), flagName(option));
  const variable = option.env === null ? undefined : sources.env[option.env];
  if (variable) return reader.fromText(variable, option.env ?? '');
  const setting = option.key === null ? undefined : settings.get(option.key);
  // `key:` with nothing after it is how a file leaves a setting alone.
  if (setting && setting.raw !== null) return reader.fromSetting(setting);
  return option.default === null ? null : reader.fromText(option.default, name);
}

/** The flag without its placeholder: `--http-port`. */
function flagName(option: OptionDef): string {
  return option.flag?.split(' ')[0] ?? '';
}

async function configFileOf({ flags, env, readText }: ConfigSources): Promise<Setting | null> {
  const asked = flags.config ?? (env.CANDELA_CONFIG || undefined);
  const path = resolve(String(asked ?? defaultConfigFile));
  const text = readText(path);
  if (text === undefined) {
    if (asked === undefined) return null;
    throw new CandelaError('FILE_NOT_FOUND', `there is no configuration file ${path}`);
  }
  // The YAML parser loads only where there is something to parse: it is a tenth of the start-up time.
  const { parseConfigFile } = await import('./config-file.ts');
  return parseConfigFile(path, text);
}

/** The file's settings by the keys of the table, which are one or two names deep. */
function settingsByKey(file: Setting): Map<string, Setting> {
  const keys = optionRows().flatMap(([, option]) => (option.key === null ? [] : [option.key]));
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const [group, member] = key.split('.');
    groups.set(group, [...(groups.get(group) ?? []), ...(member ? [member] : [])]);
  }
  const found = new Map<string, Setting>();
  for (const [group, setting] of entriesOf(file, [...groups.keys()])) {
    const members = groups.get(group) ?? [];
    if (members.length === 0 || setting.raw === null) found.set(group, setting);
    else for (const [member, value] of entriesOf(setting, members)) found.set(`${group}.${member}`, value);
  }
  return found;
}
