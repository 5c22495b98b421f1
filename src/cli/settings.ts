/** The bridge between commander and the settings table: flags for commands, and their values resolved. */
import { existsSync, readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { resolveConfig } from '../server/config.ts';
import { kindReaders } from '../server/option-kinds.ts';
import { type OptionDef, type OptionName, optionTable, type ServerConfig } from '../server/options.ts';

/** Adds the flags of these settings to a command. */
export function addSettings(command: Command, names: readonly OptionName[]): void {
  for (const name of names) {
    const option: OptionDef = optionTable[name];
    if (option.flag === null) continue;
    const flag = new Option(option.flag, describe(option));
    command.addOption(flag.required ? flag.argParser((text) => checked(option, text)) : flag);
  }
}

/** All settings, from the flags this command was given, the environment and the configuration file. */
export function configOf(command: Command): Promise<ServerConfig> {
  return resolveConfig({
    flags: Object.fromEntries(
      Object.keys(optionTable)
        // Commander gives `--no-x` a default of its own; only what a person wrote counts here.
        .filter((name) => wasGiven(command, name))
        .map((name) => [name, command.getOptionValue(name)]),
    ),
    env: process.env,
    readText: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  });
}

/** Was this flag written on the command line? */
export function wasGiven(command: Command, name: string): boolean {
  return command.getOptionValueSource(name) === 'cli';
}

/** A bad value is a mistake on the command line, and told as commander tells all of them. */
function checked({ kind }: OptionDef, text: string): string {
  try {
    kindReaders[kind].fromText(text, 'it');
  } catch (error) {
    throw new InvalidArgumentError(
      error instanceof Error ? error.message.replace(/^it: /, '') : String(error),
    );
  }
  return text;
}

function describe(option: OptionDef): string {
  const isSwitch = option.flag?.startsWith('--no-');
  const notes = [
    ...(option.default === null || isSwitch ? [] : [`default: ${option.default}`]),
    ...(option.env === null ? [] : [`env: ${option.env}`]),
  ];
  return notes.length === 0 ? option.help : `${option.help} (${notes.join(', ')})`;
}
