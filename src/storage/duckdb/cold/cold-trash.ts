import { nodeFileSystem } from '../../../core/file-system.ts';
import type { Logger } from '../../../core/log.ts';
import type { ColdFile } from './cold-files.ts';

/**
 * Files that the record does not name any more. They go when nobody can be reading them: a read or a snapshot that
 * began before still needs them. What is left at the end goes at the next start.
 */
export class ColdTrash {
  readonly #isRead: () => boolean;
  readonly #log: Logger;
  #files: ColdFile[] = [];

  /** `isRead`: does a read, a snapshot or a copy run that may know them? */
  constructor(isRead: () => boolean, log: Logger) {
    this.#isRead = isRead;
    this.#log = log;
  }

  /** Adds files, and removes all there are unless somebody reads. Call it after each commit. */
  async empty(more: readonly ColdFile[]): Promise<void> {
    this.#files.push(...more);
    if (this.#files.length === 0 || this.#isRead()) return;
    for (const { path } of this.#files.splice(0)) {
      await nodeFileSystem.remove(path).catch((error: unknown) => {
        this.#log.warn({ err: error, path }, 'a cold file that is not needed any more could not be removed');
      });
    }
  }
}
