/**
 * Who may do what: one module for every protocol.
 *
 * With no users configured everybody is an administrator, which is why the server then listens on loopback only
 * ({@link assertSafeBind}). Passwords are kept as scrypt hashes, tokens as SHA-256 digests; both are compared
 * in constant
 * time, and an unknown user costs as much time as a wrong password. After repeated failures from one source
 * further tries
 * wait out a pause.
 */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { systemClock } from '../core/clock.ts';
import { CandelaError } from '../core/errors.ts';

/** What a user may do; each role may do what the ones before it may: read data, write rows, change tables and feeds. */
export type Role = 'read' | 'write' | 'admin';

/** A user as configured. */
export interface UserConfig {
  name: string;
  /** `scrypt$N$r$p$salt$hash`, from {@link hashPassword}; a user without one comes in by token only. */
  passwordHash?: string | undefined;
  role: Role;
  /** `sha256$…`, from {@link hashToken}. */
  tokens?: string[] | undefined;
}

/** Somebody who has been let in. */
export interface Identity {
  name: string;
  role: Role;
}

/** See the head of this file. */
export interface Authenticator {
  /** False when no users are configured. */
  readonly required: boolean;
  /** Throws `UNAUTHENTICATED`. `source` (an address) is what failures are counted by. */
  byToken(token: string, source?: string): Promise<Identity>;
  /** Throws `UNAUTHENTICATED`, or `LIMIT_EXCEEDED` after too many failures. */
  byPassword(name: string, password: string, source?: string): Promise<Identity>;
  /** Who comes without credentials. Throws `UNAUTHENTICATED` when users are configured. */
  anonymous(): Identity;
}

const cost = { N: 16_384, r: 8, p: 1 };
const keyBytes = 32;
const failuresMax = 10;
const pauseMs = 30_000;
const sourcesMax = 10_000;

/** Checks users as configured. Throws `INVALID_CONFIG` naming the user. */
export function createAuthenticator(users: readonly UserConfig[], clock: Clock = systemClock): Authenticator {
  const byName = new Map(users.map((user) => [user.name, user]));
  const tokens = users.flatMap((user) =>
    (user.tokens ?? []).map((token) => ({ digest: parseToken(user, token), user })),
  );
  for (const { name, passwordHash } of users) if (passwordHash !== undefined) parseHash(name, passwordHash);
  const failures = createFailureCounter(clock);
  return {
    required: users.length > 0,
    async byToken(token, source = '') {
      failures.check(source);
      const digest = createHash('sha256').update(token).digest();
      // All are compared, so that the time tells nothing of which matched.
      const found = tokens.reduce<UserConfig | undefined>(
        (match, candidate) => (timingSafeEqual(candidate.digest, digest) ? candidate.user : match),
        undefined,
      );
      return admit(found, found !== undefined, source, failures);
    },
    async byPassword(name, password, source = '') {
      failures.check(source);
      const user = byName.get(name);
      const isRight = await verifyPassword(password, user?.passwordHash ?? unknownUserHash);
      return admit(user, isRight && user?.passwordHash !== undefined, source, failures);
    },
    anonymous() {
      if (users.length === 0) return { name: 'anonymous', role: 'admin' };
      throw new CandelaError('UNAUTHENTICATED', 'this server asks for a user');
    },
  };
}

function admit(
  user: UserConfig | undefined,
  isRight: boolean,
  source: string,
  failures: FailureCounter,
): Identity {
  if (user && isRight) {
    failures.clear(source);
    return { name: user.name, role: user.role };
  }
  failures.add(source);
  throw new CandelaError('UNAUTHENTICATED', 'wrong user name, password or token');
}

interface FailureCounter {
  check(source: string): void;
  add(source: string): void;
  clear(source: string): void;
}

function createFailureCounter(clock: Clock): FailureCounter {
  const bySource = new Map<string, { count: number; untilMs: number }>();
  return {
    check(source) {
      const entry = bySource.get(source);
      if (!entry || entry.count < failuresMax) return;
      if (clock.nowMs() >= entry.untilMs) bySource.delete(source);
      else {
        throw new CandelaError('LIMIT_EXCEEDED', 'too many failed log-ins from this address', {
          help: `Wait ${Math.ceil((entry.untilMs - clock.nowMs()) / 1000)} seconds and use the right credentials.`,
        });
      }
    },
    add(source) {
      const entry = bySource.get(source) ?? { count: 0, untilMs: 0 };
      bySource.delete(source);
      bySource.set(source, { count: entry.count + 1, untilMs: clock.nowMs() + pauseMs });
      // The source that failed longest ago makes room: the table stays bounded whoever knocks.
      for (const oldest of bySource.keys()) {
        if (bySource.size <= sourcesMax) break;
        bySource.delete(oldest);
      }
    },
    clear(source) {
      bySource.delete(source);
    },
  };
}

/** Throws `DENIED` unless the identity's role includes `role`. */
export function requireRole(identity: Identity, role: Role): void {
  const order: Role[] = ['read', 'write', 'admin'];
  if (order.indexOf(identity.role) >= order.indexOf(role)) return;
  throw new CandelaError(
    'DENIED',
    `user '${identity.name}' has the role ${identity.role}; this needs ${role}`,
  );
}

/** A hash for the configuration; a new salt each time. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, cost);
  return `scrypt$${cost.N}$${cost.r}$${cost.p}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

/** The digest of a token for the configuration. */
export function hashToken(token: string): string {
  return `sha256$${createHash('sha256').update(token).digest('base64')}`;
}

/** A new token of 256 random bits. */
export function createToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Refuses to listen beyond this machine while everybody is let in. Throws `INVALID_CONFIG`. */
export function assertSafeBind(host: string, authenticator: Authenticator): void {
  if (authenticator.required || isLoopback(host)) return;
  throw new CandelaError(
    'INVALID_CONFIG',
    `host '${host}' can be reached from other machines, but no users are configured`,
    {
      help: 'Configure users (candela hash-password makes the hash), or listen on 127.0.0.1.',
    },
  );
}

/** Is this an address only the machine itself can reach? */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

// Hash of a password nobody has: unknown users take as long as known ones.
const zeros = (bytes: number): string => Buffer.alloc(bytes).toString('base64');
const unknownUserHash = `scrypt$${cost.N}$${cost.r}$${cost.p}$${zeros(16)}$${zeros(keyBytes)}`;

interface ParsedHash {
  salt: Buffer;
  hash: Buffer;
  parameters: typeof cost;
}

function parseHash(name: string, text: string): ParsedHash {
  const [kind, N, r, p, salt = '', hash = ''] = text.split('$');
  const parsed = {
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
    parameters: { N: Number(N), r: Number(r), p: Number(p) },
  };
  const isFit =
    kind === 'scrypt' && parsed.parameters.N > 1 && parsed.hash.length >= 16 && parsed.salt.length >= 8;
  if (isFit) return parsed;
  throw new CandelaError('INVALID_CONFIG', `users: the passwordHash of '${name}' is not a scrypt hash`, {
    help: 'Make one with candela hash-password.',
  });
}

function parseToken(user: UserConfig, text: string): Buffer {
  const digest = text.startsWith('sha256$') ? Buffer.from(text.slice(7), 'base64') : Buffer.alloc(0);
  if (digest.length === 32) return digest;
  throw new CandelaError('INVALID_CONFIG', `users: a token of '${user.name}' is not a sha256 digest`, {
    help: 'Make one with candela token.',
  });
}

async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const { salt, hash, parameters } = parseHash('', stored);
  const derived = await derive(password, salt, parameters, hash.length);
  return timingSafeEqual(derived, hash);
}

function derive(password: string, salt: Buffer, parameters: typeof cost, length = keyBytes): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { N, r, p } = parameters;
    scrypt(password, salt, length, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
