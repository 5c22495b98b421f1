/** What the commands say to a person: results on standard output, everything else on standard error. */
import { CommanderError } from 'commander';
import { CandelaError, toCandelaError } from '../core/errors.ts';

/** Exit codes of every command. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

/** A line on standard error: progress, notes, reports. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Writes to standard output, waiting while its reader is slow. */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** Prints an error as `error:` and `help:` lines and gives the exit code for it; the stack only when asked for. */
export function reportError(thrown: unknown, options: { verbose: boolean }): number {
  // Commander has printed its own message already.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const error = fileError(thrown) ?? toCandelaError(thrown);
  say(`error: ${error.message}`);
  say(`help: ${error.help}`);
  for (const row of error.rows?.slice(0, 5) ?? []) {
    say(`  row ${row.row}${row.column === null ? '' : `, column ${row.column}`}: ${row.reason}`);
  }
  if (options.verbose) {
    for (let cause: unknown = thrown; cause instanceof Error; cause = cause.cause)
      say(cause.stack ?? cause.message);
  }
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
}

/** What the operating system said of a path that was given: no defect of ours. */
function fileError(thrown: unknown): CandelaError | null {
  if (!(thrown instanceof Error) || !('path' in thrown && 'syscall' in thrown)) return null;
  return new CandelaError('INVALID_ARGUMENT', thrown.message, {
    help: 'Check the path, who may write there, and that the disk has room.',
    cause: thrown,
  });
}

/** The error for arguments that do not go together: exit code 2. */
export function usageError(message: string, help: string): CandelaError {
  return new UsageError('INVALID_ARGUMENT', message, { help });
}

class UsageError extends CandelaError {}
