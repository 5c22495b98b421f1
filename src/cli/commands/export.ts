import { type Command, Option } from 'commander';
import type { RemoteDatabase } from '../../client/connect.ts';
import type { GapMode } from '../../market/schema.ts';
import { type ExportFormat, exportFormats } from '../export/writers.ts';
import { count } from '../import/report.ts';
import { parseList, parseTimeOption } from '../parse-options.ts';
import { startCounter } from '../progress.ts';
import { addTargetOptions, openTarget } from '../target.ts';
import { say, usageError } from '../terminal.ts';

interface ExportFlags {
  table?: string;
  bars?: string;
  sql?: string;
  symbol?: string[];
  from?: bigint;
  to?: bigint;
  gaps?: GapMode;
  flags?: true;
  adjust?: 'split' | 'all';
  format: ExportFormat;
  output: string;
}

/** `candela export`: rows, bars or a query's result into a file. */
export function registerExport(program: Command): void {
  const command = program
    .command('export')
    .description("write a table's rows, bars or a query's result to a file or to standard output")
    .option('--table <name>', 'table to read')
    .option('--bars <timeframe>', "the table's bars of this timeframe instead of its rows, e.g. 1m")
    .option('--sql <query>', 'the result of a query instead of a table')
    .option(
      '--symbol <symbols>',
      'only these symbols, separated by commas; * stands for any characters',
      parseList,
    )
    .option('--from <time>', 'from this time on', parseTimeOption)
    .option('--to <time>', 'up to but not including this time', parseTimeOption)
    .addOption(
      new Option('--gaps <mode>', 'bars for buckets without ticks (default: as the rollup says)').choices([
        'none',
        'flat',
        'null',
      ]),
    )
    .option('--flags', 'add bar_state to bars: complete, live, partial, first or filled')
    .addOption(
      new Option('--adjust <what>', 'prices and sizes in the terms of today').choices(['split', 'all']),
    )
    .addOption(new Option('--format <format>', 'format to write').choices(exportFormats).default('csv'))
    .option('--output <file>', 'file to write; - is standard output', '-');
  addTargetOptions(command);
  command.action((flags: ExportFlags) => exportRows(command, flags));
}

async function exportRows(command: Command, flags: ExportFlags): Promise<void> {
  checkFlags(flags);
  const database = await openTarget(command, { create: false });
  try {
    const rowCount = await writeRows(database, flags);
    if (flags.output !== '-') say(`${count(rowCount)} rows written to ${flags.output}`);
  } finally {
    await database.close();
  }
}

function checkFlags({ table, bars, sql, symbol, from, to, gaps, flags, adjust }: ExportFlags): void {
  if ((table === undefined) === (sql === undefined)) {
    throw usageError(
      'an export is of a table or of a query',
      'Give either --table, with or without --bars, or --sql.',
    );
  }
  if (sql !== undefined && (bars ?? symbol ?? from ?? to ?? gaps ?? flags ?? adjust) !== undefined) {
    throw usageError(
      '--bars, --symbol, --from, --to, --gaps, --flags and --adjust are about tables',
      'Say it in the query.',
    );
  }
}

async function writeRows(database: RemoteDatabase, flags: ExportFlags): Promise<number> {
  const { openRows } = await import('../export/pages.ts');
  const { createWriter } = await import('../export/writers.ts');
  const { columns, order, pages } = await openRows(database, {
    table: flags.table ?? null,
    timeframe: flags.bars ?? null,
    sql: flags.sql ?? null,
    symbols: flags.symbol ?? null,
    fromNs: flags.from ?? null,
    toNs: flags.to ?? null,
    ...(flags.gaps === undefined ? {} : { gaps: flags.gaps }),
    ...(flags.flags === undefined ? {} : { flags: flags.flags }),
    ...(flags.adjust === undefined ? {} : { adjust: flags.adjust }),
  });
  const writer = await createWriter(flags.format, flags.output, columns, order);
  const counter = startCounter(flags.output);
  let rowCount = 0;
  try {
    for await (const page of pages) {
      await writer.write(page);
      rowCount += page.rowCount;
      counter.update(rowCount);
    }
    await writer.finish();
  } finally {
    counter.stop();
    await writer.close();
  }
  return rowCount;
}
