import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A tmpfs of a given size, which only root may mount. */
export interface SmallDisk {
  path: string;
  /** Was it mounted? If not it is a directory of the large disk. */
  isMounted: boolean;
  /** Unmounts it; what a failed test left open on it goes when its process ends. */
  remove(): void;
}

/** Mounts a tmpfs of `mebibytes`, if that is allowed. */
export function mountSmallDisk(mebibytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'candela-disk-'));
  const isMounted = tryMount(path, mebibytes);
  return {
    path,
    isMounted,
    remove() {
      if (isMounted) execFileSync('umount', ['--lazy', path]);
      rmdirSync(path);
    },
  };
}

function tryMount(path: string, mebibytes: number): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
