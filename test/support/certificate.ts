/** A certificate for 127.0.0.1 signed by itself, made by openssl: for tests of TLS, which skip where there is none. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Paths of a new certificate and its private key, PEM; null where openssl is not installed. */
export function makeCertificate(): { certFile: string; keyFile: string } | null {
  const directory = mkdtempSync(join(tmpdir(), 'candela-tls-'));
  const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const out = ['-days', '2', '-keyout', files.keyFile, '-out', files.certFile];
  try {
    execFileSync('openssl', ['req', '-x509', ...key, ...subject, ...out], { stdio: 'ignore' });
    return files;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
