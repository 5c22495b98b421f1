import { open, rename, rm } from 'node:fs/promises';
import { print } from '../terminal.ts';

/** Where an export goes. */
export interface Output {
  write(bytes: string | Uint8Array): Promise<void>;
  /** All was written: a file comes into place. */
  finish(): Promise<void>;
  /** Removes a file that was not finished; to be called in any case. */
  close(): Promise<void>;
}

/** Standard output. */
export const standardOutput: Output = {
  write: print,
  finish: async () => undefined,
  close: async () => undefined,
};

/** A file, which appears under its name only once it is whole. */
export async function fileOutput(path: string): Promise<Output> {
  const partial = `${path}.partial`;
  const file = await open(partial, 'w');
  let isOpen = true;
  return {
    write: (bytes) => file.writeFile(bytes),
    async finish() {
      isOpen = false;
      await file.close();
      await rename(partial, path);
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await file.close();
      await rm(partial, { force: true });
    },
  };
}
