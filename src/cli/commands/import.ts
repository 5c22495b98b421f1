import { type Command, Option } from 'commander';
import { systemClock } from '../../core/clock.ts';
import type { ColumnType, DedupDef } from '../../market/schema.ts';
import { type ImportFormat, importFormats } from '../import/import-format.ts';
import { parseColumnTypes, parseList, parsePairs } from '../parse-options.ts';
import { addTargetOptions, openTarget } from '../target.ts';
import { say, usageError } from '../terminal.ts';

interface ImportFlags {
  table: string;
  map?: Map<string, string>;
  symbol?: string;
  timeZone?: string;
  format?: ImportFormat;
  columns?: string[];
  delimiter: string;
  create?: boolean;
  key?: string[];
  type?: Map<string, ColumnType>;
  candles?: string[] | true;
  dedup?: string[];
  keep?: 'first' | 'last';
  retention?: string;
  coldAfter?: string;
  rejects?: string;
}

const defaultTimeframes = ['1s', '1m', '5m', '15m', '1h', '4h', '1d'];

/** `candela import`: files into a table. */
export function registerImport(program: Command): void {
  const command = program
    .command('import')
    .description('bring files into a table: CSV, NDJSON, Parquet, Arrow; .gz and .zip are unpacked')
    .argument('<files...>', 'files to import, one after the other')
    .requiredOption('--table <name>', 'table to write to')
    .option('--map <pairs>', 'columns by name: table column=file column, e.g. time=ts,symbol=sym', parsePairs)
    .option('--symbol <symbol>', 'symbol of every row, when the file has no such column')
    .option('--time-zone <zone>', 'zone of times written without one, e.g. Asia/Shanghai (default: UTC)')
    .addOption(
      new Option('--format <format>', "format, if the file's name does not tell").choices(importFormats),
    )
    .option('--columns <names>', 'names of the columns of a CSV file without a header line', parseList)
    .option('--delimiter <character>', 'between the cells of a CSV file', ',')
    .option('--create', "make the table from the file's columns when it is not there")
    .option(
      '--key <columns>',
      'with --create: columns that name a series (default: symbol or the like)',
      parseList,
    )
    .option('--type <pairs>', 'with --create: types not to guess, e.g. price=decimal(18,8)', parseColumnTypes)
    .option('--candles [timeframes]', `with --create: build bars (default: ${defaultTimeframes})`, parseList)
    .option(
      '--dedup <columns>',
      'with --create: columns that tell ticks of one time apart, e.g. trade_id, or row; what comes again is dropped',
      parseList,
    )
    .addOption(
      new Option('--keep <which>', 'with --dedup: of ticks that are the same but for other values').choices([
        'first',
        'last',
      ]),
    )
    .option('--retention <duration>', 'with --create: how long rows are kept, e.g. 30d (default: for ever)')
    .option(
      '--cold-after <duration>',
      'with --create: when rows go to Parquet files beside the database, e.g. 90d (default: never)',
    )
    .option('--rejects <file>', 'write the rows that were refused to this file, as CSV');
  addTargetOptions(command);
  command.action((files: string[], flags: ImportFlags) => importFiles(command, files, flags));
}

async function importFiles(command: Command, files: string[], flags: ImportFlags): Promise<void> {
  const { runImport } = await import('../import/run-import.ts');
  const database = await openTarget(command, { create: true });
  try {
    const report = await runImport(
      database,
      {
        files,
        table: flags.table,
        map: flags.map ?? new Map(),
        symbol: flags.symbol ?? null,
        timeZone: flags.timeZone ?? null,
        format: flags.format ?? null,
        columnNames: flags.columns ?? null,
        delimiter: flags.delimiter === '\\t' ? '\t' : flags.delimiter,
        create: createChoices(flags),
        rejectsFile: flags.rejects ?? null,
      },
      systemClock,
    );
    for (const line of report.lines()) say(line);
  } finally {
    await database.close();
  }
}

function createChoices(flags: ImportFlags) {
  if (!flags.create) {
    const { key, type, candles, dedup, retention, coldAfter } = flags;
    if (!(key ?? type ?? candles ?? dedup ?? retention ?? coldAfter)) return null;
    throw usageError(
      '--key, --type, --candles, --dedup, --retention and --cold-after say how to make a table',
      'Add --create.',
    );
  }
  return {
    seriesKey: flags.key ?? null,
    types: flags.type ?? new Map<string, ColumnType>(),
    timeframes: flags.candles === true ? defaultTimeframes : (flags.candles ?? null),
    dedup: dedupOf(flags),
    ages: {
      ...(flags.retention === undefined ? {} : { retention: flags.retention }),
      ...(flags.coldAfter === undefined ? {} : { coldAfter: flags.coldAfter }),
    },
  };
}

function dedupOf({ dedup, keep }: ImportFlags): DedupDef | null {
  if (dedup) return { by: dedup.join() === 'row' ? 'row' : dedup, keep: keep ?? 'last' };
  if (keep) throw usageError('--keep says which of equal ticks stay', 'Say by --dedup which are equal.');
  return null;
}
