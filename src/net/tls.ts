import { createSecureContext } from 'node:tls';
import { CandelaError } from '../core/errors.ts';
import { readWholeFile } from '../core/file-system.ts';

/** Certificate (with its chain) and private key, PEM. */
export interface TlsOptions {
  cert: Uint8Array;
  key: Uint8Array;
}

/** Reads and checks a certificate and its key. Throws `INVALID_CONFIG` naming the file. */
export async function loadTls(files: { certFile: string; keyFile: string }): Promise<TlsOptions> {
  const options = { cert: await readPem(files.certFile), key: await readPem(files.keyFile) };
  try {
    createSecureContext({ cert: Buffer.from(options.cert), key: Buffer.from(options.key) });
  } catch (cause) {
    throw new CandelaError(
      'INVALID_CONFIG',
      `TLS: '${files.certFile}' and '${files.keyFile}' do not make a pair`,
      { cause },
    );
  }
  return options;
}

async function readPem(path: string): Promise<Uint8Array> {
  try {
    return await readWholeFile(path);
  } catch (cause) {
    throw new CandelaError('INVALID_CONFIG', `TLS: cannot read '${path}'`, { cause });
  }
}
