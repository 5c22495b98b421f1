/**
 * What a backup is: a directory with the store's files as of one position in the log, and `manifest.json`, which is
 * written last, so that a backup that was interrupted has none.
 *
 * Format versions: 1, the first.
 */
import { CandelaError } from '../../core/errors.ts';

/** Name of the manifest in the backup's directory. */
export const manifestName = 'manifest.json';

/** One file of a backup. */
export interface BackupFile {
  /** In the backup's directory, or in `cold/`. */
  name: string;
  bytes: number;
  /** CRC-32C of its bytes. */
  crc32c: number;
}

/** See the head of this file. */
export interface Manifest {
  format: 'candela-backup';
  version: 1;
  /** Every write up to this position is in it, and none after. */
  lsn: number;
  /** When it was made, ISO 8601. */
  createdAt: string;
  files: BackupFile[];
}

/** The manifest's text. */
export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** A manifest from its text. Throws `CORRUPT_STORE`; `UNSUPPORTED` for one of a later version. */
export function parseManifest(text: string, path: string): Manifest {
  const manifest = parseJson(text, path);
  if (manifest?.format !== 'candela-backup' || !Array.isArray(manifest.files))
    throw damaged(path, 'it is not the manifest of a backup');
  if (manifest.version !== 1) {
    throw new CandelaError(
      'UNSUPPORTED',
      `${path}: format version ${String(manifest.version)}; this program reads version 1`,
      {
        help: 'Restore it with the version of Candela that made it, or a later one.',
      },
    );
  }
  // A name with a path in it would be written outside the directory.
  const strange = manifest.files.find(({ name }) => !/^(cold\/)?[\w-][\w.-]*$/.test(name));
  if (strange) throw damaged(path, `'${strange.name}' is not a file of a backup`);
  return manifest;
}

function parseJson(text: string, path: string): Manifest | null {
  try {
    return JSON.parse(text) as Manifest | null;
  } catch (cause) {
    throw damaged(path, 'it is not valid JSON', cause);
  }
}

/** The error for a file of a backup that is not as it was written. */
export function damaged(path: string, what: string, cause?: unknown): CandelaError {
  return new CandelaError('CORRUPT_STORE', `${path}: ${what}`, { cause, help: 'Use another backup.' });
}
