import type { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { startProgress } from '../progress.ts';
import { addTargetOptions, openTarget } from '../target.ts';
import { say } from '../terminal.ts';

/** `candela backup`: a copy of the database, consistent while it is written to. */
export function registerBackup(program: Command): void {
  const command = program
    .command('backup')
    .description('copy the database while writes go on')
    .argument('<backup>', "new directory; on a server, its name in the server's --backups folder");
  addTargetOptions(command);
  command.action(async (backup: string) => {
    const database = await openTarget(command, { create: false });
    try {
      const { lsn, bytes } = await withProgress(`backup ${backup}`, (onProgress) =>
        database.backup(backup, { onProgress }),
      );
      say(`${backup} holds every write up to position ${lsn}: ${megabytes(bytes)}`);
    } finally {
      await database.close();
    }
  });
}

/** `candela restore`: a data directory from a backup. */
export function registerRestore(program: Command): void {
  program
    .command('restore')
    .description('make a data directory of a backup, after checking it')
    .argument('<backup>', 'directory of the backup')
    .requiredOption('--data <directory>', 'data directory to make; new or empty')
    .action(async (backup: string, { data }: { data: string }) => {
      const { restore } = await import('../../engine/backup/backup.ts');
      const { lsn, bytes } = await withProgress(`restore ${backup}`, (onProgress) =>
        restore(backup, data, { onProgress }),
      );
      say(`${data} holds every write up to position ${lsn}: ${megabytes(bytes)}`);
    });
}

async function withProgress<T>(
  label: string,
  task: (onProgress: (doneBytes: number, totalBytes: number) => void) => Promise<T>,
): Promise<T> {
  const progress = startProgress(label, 100, systemClock);
  try {
    return await task((done, total) => progress.update((100 * done) / Math.max(1, total), megabytes(done)));
  } finally {
    progress.stop();
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
