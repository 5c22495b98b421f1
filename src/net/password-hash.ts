/** Passwords and tokens as they stand in the configuration: hashed, never as such. */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { CandelaError } from '../core/errors.ts';

const cost = { N: 16_384, r: 8, p: 1 };
const keyBytes = 32;

/** A password's hash, taken apart. */
export interface PasswordHash {
  salt: Buffer;
  hash: Buffer;
  parameters: { N: number; r: number; p: number };
}

/** A hash that no password has, as costly to check as `like`: for unknown users, so that time does not tell them. */
export function nobodysHash(like?: PasswordHash): PasswordHash {
  return { salt: randomBytes(16), hash: randomBytes(keyBytes), parameters: like?.parameters ?? cost };
}

/** A hash for the configuration, `scrypt$N$r$p$salt$hash`; a new salt each time. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, { salt, hash: Buffer.alloc(keyBytes), parameters: cost });
  return `scrypt$${cost.N}$${cost.r}$${cost.p}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

/** Takes a hash from the configuration apart. Throws `INVALID_CONFIG` naming the user. */
export function parsePasswordHash(userName: string, text: string): PasswordHash {
  const [kind, N, r, p, salt = '', hash = ''] = text.split('$');
  const parsed = {
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
    parameters: { N: Number(N), r: Number(r), p: Number(p) },
  };
  const counts = Object.values(parsed.parameters);
  const isFit =
    kind === 'scrypt' &&
    counts.every((count) => Number.isInteger(count) && count > 0 && count <= 2 ** 20) &&
    parsed.hash.length >= 16 &&
    parsed.salt.length >= 8;
  if (isFit) return parsed;
  throw new CandelaError('INVALID_CONFIG', `users: the passwordHash of '${userName}' is not a scrypt hash`, {
    help: 'Make one with candela hash-password.',
  });
}

/** Is this the password that was hashed? Takes tens of milliseconds on another thread, as long for either answer. */
export async function verifyPassword(password: string, stored: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, stored), stored.hash);
}

/** A new token of 256 random bits. */
export function createToken(): string {
  return randomBytes(32).toString('base64url');
}

/** The digest of a token for the configuration, `sha256$…`. A token is random, so one pass of SHA-256 hides it. */
export function hashToken(token: string): string {
  return `sha256$${digestOf(token).toString('base64')}`;
}

/** The digest that {@link hashToken} writes, as bytes. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Reads what {@link hashToken} wrote. Throws `INVALID_CONFIG` naming the user. */
export function parseTokenHash(userName: string, text: string): Buffer {
  const digest = text.startsWith('sha256$') ? Buffer.from(text.slice(7), 'base64') : Buffer.alloc(0);
  if (digest.length === 32) return digest;
  throw new CandelaError('INVALID_CONFIG', `users: a token of '${userName}' is not a sha256 digest`, {
    help: 'Make one with candela token.',
  });
}

function derive(password: string, { salt, hash, parameters }: PasswordHash): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const maxmem = 256 * parameters.N * parameters.r;
    scrypt(password, salt, hash.length, { ...parameters, maxmem }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
