import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificate } from '../../test/support/certificate.ts';
import { loadTls } from './tls.ts';

const first = makeCertificate();
const second = makeCertificate();
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'candela-tls-'));
});
afterAll(() => rm(directory, { recursive: true }));

const refused = (message: string) =>
  expect.objectContaining({ code: 'INVALID_CONFIG', message: expect.stringContaining(message) });

it('names the file that cannot be read, or is no certificate', async () => {
  const missing = join(directory, 'missing.pem');
  await expect(loadTls({ certFile: missing, keyFile: missing })).rejects.toThrow(refused(missing));
  const junk = join(directory, 'junk.pem');
  await writeFile(junk, 'not a certificate');
  await expect(loadTls({ certFile: junk, keyFile: junk })).rejects.toThrow(refused(junk));
});

it.skipIf(!first || !second)('loads a pair and refuses a certificate with the key of another', async () => {
  if (!first || !second) return;
  const { cert, key } = await loadTls(first);
  expect(Buffer.from(cert).toString()).toContain('BEGIN CERTIFICATE');
  expect(Buffer.from(key).toString()).toContain('PRIVATE KEY');
  const mixed = { certFile: first.certFile, keyFile: second.keyFile };
  await expect(loadTls(mixed)).rejects.toThrow(refused('do not make a pair'));
});
