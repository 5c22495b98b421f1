/**
 * What the two sides of the store's thread say to each other. A call names an object of the thread by number (0 is
 * there from the start and opens the store), a method and its arguments; each is answered once, in any order.
 */
import type { LogLevel } from '../../../core/log.ts';
import type { PackedError } from './packed-error.ts';

/** Asks an object for something. */
export interface Call {
  type: 'call';
  id: number;
  target: number;
  method: string;
  /** As `pack` makes them; an AbortSignal is left out. */
  args: unknown[];
  /** Which argument is an AbortSignal, or -1. */
  signalAt: number;
  /** `data`: the result itself. `object`: it stays in the thread and the answer names it. `end`: and that is all. */
  returns: 'data' | 'object' | 'end';
}

/** To the thread. */
export type Request =
  | Call
  /** The signal of a call was aborted. */
  | { type: 'abort'; id: number };

/** From the thread. */
export type Reply =
  | { type: 'data'; id: number; value: unknown }
  /** The result as an object to call, and what it holds besides methods. */
  | { type: 'object'; id: number; target: number; fields: Record<string, unknown> }
  | { type: 'error'; id: number; error: PackedError }
  | LogRecord;

/** A line for the log. Errors among the fields travel apart. */
export interface LogRecord {
  type: 'log';
  level: Exclude<LogLevel, 'silent'>;
  fields: Record<string, unknown>;
  errors: Record<string, PackedError>;
  message: string;
}
