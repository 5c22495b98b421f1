import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { createLogger } from '../../core/log.ts';
import type { ReplayReport } from '../../feeds/replay/replay.ts';
import { count } from '../import/report.ts';
import { parseList } from '../parse-options.ts';
import { startProgress } from '../progress.ts';
import { addTargetOptions, openTarget } from '../target.ts';
import { say } from '../terminal.ts';

interface ReplayFlags {
  speed: number | 'max';
  table?: string;
  symbol?: string;
  date?: string;
  format?: string;
  timeframes?: string[];
}

/** `candela replay`: recorded files through the path a live feed takes. */
export function registerReplay(program: Command): void {
  const command = program
    .command('replay')
    .description(
      'stream a recorded file in as a live feed would, at its own pace or faster; tables and bars are made',
    )
    .argument('<files...>', 'recorded files, plain, .gz or .zip, one after the other')
    .option(
      '--speed <factor>',
      'pace: 1 is that of the recording, 10 ten times that, max as fast as it goes',
      parseSpeed,
      1,
    )
    .option('--table <name>', "table to write to (default: by the file's format)")
    .option('--symbol <symbol>', "symbol of every row, in place of the file's")
    .option(
      '--date <date>',
      'day of a file that has times of day only, as YYYY-MM-DD (default: from its name)',
    )
    .option('--format <name>', 'format of the recording (default: found out)')
    .option('--timeframes <list>', 'bars to build (default: 1s to 1d)', parseList);
  addTargetOptions(command);
  command.action((files: string[], flags: ReplayFlags) => replay(command, files, flags));
}

function parseSpeed(text: string): number | 'max' {
  const factor = Number(text);
  if (text === 'max') return text;
  if (factor > 0 && factor <= 1e6) return factor;
  throw new InvalidArgumentError("It must be a number such as 1 or 10, or 'max'.");
}

async function replay(command: Command, files: string[], flags: ReplayFlags): Promise<void> {
  const { replayFile } = await import('../../feeds/replay/replay.ts');
  const database = await openTarget(command, { create: true });
  const context = { database, log: createLogger('warn'), clock: systemClock };
  const stopping = new AbortController();
  // Ctrl-C ends the replay with what was read written.
  process.once('SIGINT', () => stopping.abort());
  try {
    for (const file of files) {
      if (stopping.signal.aborted) break;
      const progress = startProgress(file, 1, systemClock);
      const onProgress = (at: { bytesRead: number; bytesTotal: number; rowsReceived: number }): void => {
        progress.update(at.bytesRead / Math.max(1, at.bytesTotal), `${count(at.rowsReceived)} rows`);
      };
      try {
        const report = await replayFile(context, { ...flags, file, onProgress, signal: stopping.signal });
        progress.stop();
        for (const line of reportLines(file, report)) say(line);
      } finally {
        progress.stop();
      }
    }
  } finally {
    await database.close();
  }
}

function reportLines(file: string, report: ReplayReport): string[] {
  const seconds = (report.elapsedMs / 1000).toFixed(1);
  const symbols = report.symbols.length > 10 ? `${report.symbols.length} symbols` : report.symbols.join(', ');
  const skipped = Object.entries(report.skipped);
  return [
    `${file} (${report.format}): ${count(report.rowsWritten)} rows into ${report.tables.join(', ')} in ${seconds} s`,
    ...(symbols === '' ? [] : [`symbols: ${symbols}`]),
    ...(report.rowsRejected > 0 ? [`${count(report.rowsRejected)} rows rejected, see the log`] : []),
    ...skipped.map(([reason, times]) => `${count(times)} records passed over: ${reason}`),
    ...(report.complete ? [] : ['stopped before the end of the file']),
  ];
}
