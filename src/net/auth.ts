/**
 * Who may do what: one module for every protocol.
 *
 * With no users configured everybody is an administrator, which is why the server then listens on loopback only
 * ({@link assertSafeBind}).
 *
 * Passwords are kept as scrypt hashes, tokens as SHA-256 digests. Both are compared in constant time, and an unknown
 * user costs as much time as a wrong password. Guessing is slow: after ten failures a user name waits half a minute at
 * the address that guessed, after a hundred the address does; a right token always comes in, since tokens cannot be
 * guessed. Checking a password takes a thread for tens of milliseconds, so few are checked at a time, a bounded number
 * wait, and what was right once is remembered as a keyed digest.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { type Clock, systemClock } from '../core/clock.ts';
import { CandelaError } from '../core/errors.ts';
import { createFailureLimit, type FailureLimit } from './failure-limit.ts';
import { createGate } from './gate.ts';
import { digestOf, nobodysHash, parsePasswordHash, parseTokenHash, verifyPassword } from './password-hash.ts';
import { createSessions, type Sessions } from './sessions.ts';

export { createToken, hashPassword, hashToken } from './password-hash.ts';

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

/** See the head of this file. `address` is the client's, for counting its failures. */
export interface Authenticator {
  /** False when no users are configured. */
  readonly required: boolean;
  /** Throws `UNAUTHENTICATED`, or `LIMIT_EXCEEDED` after too many failures. */
  byToken(token: string, address?: string): Promise<Identity>;
  /** Throws `UNAUTHENTICATED`, or `LIMIT_EXCEEDED` after too many failures. */
  byPassword(name: string, password: string, address?: string): Promise<Identity>;
  /** By password to a token for {@link byToken}. Throws as {@link byPassword} does. */
  signIn(name: string, password: string, address?: string): Promise<Identity & { token: string }>;
  /** Who comes without credentials. Throws `UNAUTHENTICATED` when users are configured. */
  anonymous(): Identity;
}

const wrongCredentials = 'wrong user name, password or token';
const pauseMs = 30_000;
const failuresPerUserMax = 10;
const failuresPerAddressMax = 100;
/** Half of Node's thread pool: the log's fdatasync must not wait behind guessers. */
const checksAtOnceMax = 2;
const checksWaitingMax = 64;
const passwordsRememberedMax = 1_000;

/** Checks users as configured. Throws `INVALID_CONFIG` naming the user. */
export function createAuthenticator(users: readonly UserConfig[], clock: Clock = systemClock): Authenticator {
  const addresses = createFailureLimit(clock, failuresPerAddressMax, pauseMs);
  const sessions = createSessions(clock);
  const byPassword = passwordCheck(users, addresses, createFailureLimit(clock, failuresPerUserMax, pauseMs));
  return {
    required: users.length > 0,
    byToken: tokenCheck(users, addresses, sessions),
    byPassword,
    async signIn(name, password, address) {
      const identity = await byPassword(name, password, address);
      return { ...identity, token: sessions.begin(identity) };
    },
    anonymous() {
      if (users.length === 0) return { name: 'anonymous', role: 'admin' };
      throw new CandelaError('UNAUTHENTICATED', 'this server asks for a user');
    },
  };
}

function tokenCheck(
  users: readonly UserConfig[],
  addresses: FailureLimit,
  sessions: Sessions,
): Authenticator['byToken'] {
  const known = users.flatMap((user) =>
    (user.tokens ?? []).map((text) => ({ user, digest: parseTokenHash(user.name, text) })),
  );
  return async (token, address = '') => {
    const digest = digestOf(token);
    let found: UserConfig | undefined;
    // All are compared, so that the time tells nothing of which matched.
    for (const candidate of known) if (timingSafeEqual(candidate.digest, digest)) found = candidate.user;
    if (found) return { name: found.name, role: found.role };
    const session = sessions.find(token);
    if (session) return session;
    addresses.check(address);
    addresses.add(address);
    throw new CandelaError('UNAUTHENTICATED', wrongCredentials);
  };
}

function passwordCheck(
  users: readonly UserConfig[],
  addresses: FailureLimit,
  names: FailureLimit,
): Authenticator['byPassword'] {
  const known = new Map(
    users.flatMap(({ name, role, passwordHash }) =>
      passwordHash === undefined ? [] : [[name, { name, role, hash: parsePasswordHash(name, passwordHash) }]],
    ),
  );
  const nobody = nobodysHash(known.values().next().value?.hash);
  const remembered = createPasswordMemory();
  const gate = createGate(checksAtOnceMax, checksWaitingMax, 'log-ins');
  return async (name, password, address = '') => {
    const user = known.get(name);
    const identity = user && { name, role: user.role };
    if (identity && remembered.has(name, password)) return identity;
    const key = JSON.stringify([name, address]);
    const isRight = await gate(() => {
      addresses.check(address);
      names.check(key);
      return verifyPassword(password, user?.hash ?? nobody);
    });
    if (identity && isRight) {
      names.clear(key);
      remembered.add(name, password);
      return identity;
    }
    addresses.add(address);
    names.add(key);
    throw new CandelaError('UNAUTHENTICATED', wrongCredentials);
  };
}

/** Passwords that were right, under a key that this process alone knows; the oldest makes room. */
function createPasswordMemory() {
  const key = randomBytes(32);
  const digests = new Set<string>();
  const digest = (name: string, password: string): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([name, password]))
      .digest('base64');
  return {
    has: (name: string, password: string): boolean => digests.has(digest(name, password)),
    add(name: string, password: string): void {
      digests.add(digest(name, password));
      for (const oldest of digests) {
        if (digests.size <= passwordsRememberedMax) break;
        digests.delete(oldest);
      }
    },
  };
}

const roles: readonly Role[] = ['read', 'write', 'admin'];

/** Throws `DENIED` unless the identity's role includes `role`. */
export function requireRole(identity: Identity, role: Role): void {
  if (roles.indexOf(identity.role) >= roles.indexOf(role)) return;
  const message = `user '${identity.name}' has the role ${identity.role}; this needs ${role}`;
  throw new CandelaError('DENIED', message);
}

/** Refuses to listen beyond this machine while everybody is let in. Throws `INVALID_CONFIG`. */
export function assertSafeBind(host: string, authenticator: Authenticator): void {
  if (authenticator.required || isLoopback(host)) return;
  const message = `host '${host}' can be reached from other machines, but no users are configured`;
  throw new CandelaError('INVALID_CONFIG', message, {
    help: 'Configure users (candela hash-password makes the hash), or listen on 127.0.0.1.',
  });
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
