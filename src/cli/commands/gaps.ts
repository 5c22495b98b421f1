import { type Command, InvalidArgumentError, Option } from 'commander';
import type { GapsRequest, GapsResult, SeriesFilter } from '../../engine/database.ts';
import { printGaps } from '../gaps/print-gaps.ts';
import { parseList, parseTimeOption } from '../parse-options.ts';
import { type ResultFormat, resultFormats } from '../sql/print-result.ts';
import { addTargetOptions, openTarget } from '../target.ts';
import { usageError } from '../terminal.ts';

interface GapsFlags {
  timeframe?: string;
  symbol?: string[];
  from?: bigint;
  to?: bigint;
  calendar?: string;
  timeZone?: string;
  min: number;
  limit: number;
  format: ResultFormat;
}

/** `candela gaps`: where bars are missing. */
export function registerGaps(program: Command): void {
  const command = program
    .command('gaps')
    .description('report runs of missing bars, inside the sessions of the market')
    .argument('<table>', 'ticks table, rollup or bars table')
    .option('--timeframe <timeframe>', "bars to look for (default: the table's shortest)")
    .option('--symbol <symbols>', 'only these symbols, separated by commas; * for any characters', parseList)
    .option('--from <time>', 'from this time on', parseTimeOption)
    .option('--to <time>', 'up to but not including this time', parseTimeOption)
    .option('--calendar <name>', 'sessions of this calendar, e.g. XSHG (default: those of the bars)')
    .option('--time-zone <zone>', 'days of this zone')
    .option('--min <buckets>', 'only runs of so many bars or more', parseCount, 1)
    .option('--limit <number>', 'most runs to report', parseCount, 1_000)
    .addOption(new Option('--format <format>', 'how to write them').choices(resultFormats).default('table'));
  addTargetOptions(command);
  command.action((table: string, flags: GapsFlags) => reportGaps(command, table, flags));
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 to 999999.');
}

async function reportGaps(command: Command, table: string, flags: GapsFlags): Promise<void> {
  const database = await openTarget(command, { create: false });
  try {
    const request = requestOf(table, database.table(table)?.seriesKey ?? [], flags);
    const pages: GapsResult[] = [];
    for (let cursor: string | null | undefined, left = flags.limit; cursor !== null && left > 0; ) {
      const page = await database.gaps({ ...request, limit: left, ...(cursor ? { cursor } : {}) });
      pages.push(page);
      cursor = page.cursor;
      left -= page.rowCount;
    }
    await printGaps(pages, flags.format);
  } finally {
    await database.close();
  }
}

function requestOf(table: string, seriesKey: readonly string[], flags: GapsFlags): GapsRequest {
  const { timeframe, symbol, from, to, calendar, timeZone, min } = flags;
  return {
    table,
    bucketsMin: min,
    ...(symbol === undefined ? {} : { series: filterOf(table, seriesKey, symbol) }),
    ...(timeframe === undefined ? {} : { timeframe }),
    ...(from === undefined ? {} : { fromNs: from }),
    ...(to === undefined ? {} : { toNs: to }),
    ...(calendar === undefined ? {} : { calendar }),
    ...(timeZone === undefined ? {} : { timeZone }),
  };
}

function filterOf(table: string, [key]: readonly string[], symbols: string[]): SeriesFilter {
  if (key !== undefined) return { [key]: symbols };
  throw usageError(`'${table}' has no series key that --symbol could pick from`, 'Leave --symbol out.');
}
