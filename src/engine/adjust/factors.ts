/**
 * Adjustment factors: what prices and sizes of a date are multiplied by, so that they compare with those of today.
 *
 * ```
 *   split of ratio r (new shares for each old):   prices before the ex date × 1/r          sizes × r
 *   dividend of amount D:                         prices before the ex date × (1 − D/C)    sizes as they are
 *   C: the last price before the ex date, as it was paid; D: for each share held before
 * ```
 *
 * A date's factor is the product over the ex dates after it that have come by now: what is only announced changes
 * nothing yet. Closes are looked up for the dividends after the oldest date that is asked for, and no others.
 */
import { must } from '../../core/assert.ts';
import { CandelaError } from '../../core/errors.ts';
import type { Action } from './actions.ts';
import { dateText } from './actions.ts';

/** What prices and sizes of a date are multiplied by. */
export interface Factor {
  price: number;
  size: number;
}

/** A factor for each of many rows. */
export interface RowFactors {
  price: Float64Array;
  size: Float64Array;
}

/** Which actions count. */
export type AdjustMode = 'split' | 'all';

/** What factors are made of. */
export interface FactorOptions {
  mode: AdjustMode;
  /** Ex dates above this have not come. */
  today: number;
  symbolOf(group: number): string;
  actionsOf(symbol: string): readonly Action[];
  /** The last price of a group before a date; null where there is none. */
  closeBefore(group: number, exDate: number): Promise<number | null>;
}

/** Factors that hold for dates before `exDate`, and from the ex date before that on. */
interface Step extends Factor {
  exDate: number;
}

const unchanged: Factor = { price: 1, size: 1 };
const closesAtOnce = 16;

/** Factors by group and date, made as far back as they are asked for. */
export class Factors {
  readonly #options: FactorOptions;
  /** Of each group its steps from the newest ex date back; all after `known`. */
  readonly #steps = new Map<number, { steps: Step[]; known: number }>();

  constructor(options: FactorOptions) {
    this.#options = options;
  }

  /** Ex dates that change a group's values, ascending. */
  exDatesOf(group: number): number[] {
    return this.#actionsAfter(group, Number.NEGATIVE_INFINITY).map(({ exDate }) => exDate);
  }

  /** Makes `at` answer for a group's dates from this one on. */
  async prepare(group: number, fromDate: number): Promise<void> {
    const before = this.#steps.get(group);
    if (before && before.known <= fromDate) return;
    const actions = this.#actionsAfter(group, fromDate).reverse();
    const steps: Step[] = [];
    let { price, size } = unchanged;
    for (let from = 0; from < actions.length; from += closesAtOnce) {
      const some = actions.slice(from, from + closesAtOnce);
      const cuts = await Promise.all(some.map((action) => this.#dividendFactor(group, action)));
      for (const [i, { exDate, ratio }] of some.entries()) {
        price *= cuts[i] / ratio;
        size *= ratio;
        steps.push({ exDate, price, size });
      }
    }
    this.#steps.set(group, { steps, known: fromDate });
  }

  /** The factor of a date that was prepared for. */
  at(group: number, date: number): Factor {
    const { steps } = must(this.#steps.get(group), 'factors prepared');
    // Of the steps whose ex date lies after the date the last one holds all of their product.
    let found: Factor = unchanged;
    for (const step of steps) {
      if (step.exDate <= date) break;
      found = step;
    }
    return found;
  }

  /** The factor of each row, by its group and date, which were prepared for. */
  ofRows(groups: Int32Array, dates: Float64Array): RowFactors {
    const price = new Float64Array(groups.length);
    const size = new Float64Array(groups.length);
    for (let row = 0; row < groups.length; row++) {
      const factor = this.at(groups[row], dates[row]);
      price[row] = factor.price;
      size[row] = factor.size;
    }
    return { price, size };
  }

  /** Ascending. */
  #actionsAfter(group: number, date: number): Action[] {
    const { mode, today, symbolOf, actionsOf } = this.#options;
    return actionsOf(symbolOf(group)).filter(
      ({ exDate, ratio }) => exDate > date && exDate <= today && (mode === 'all' || ratio !== 1),
    );
  }

  async #dividendFactor(group: number, { exDate, amount }: Action): Promise<number> {
    const { mode, symbolOf, closeBefore } = this.#options;
    if (amount === 0 || mode === 'split') return 1;
    const close = await closeBefore(group, exDate);
    // No price before the date: there is nothing to adjust.
    if (close === null) return 1;
    if (amount < close) return 1 - amount / close;
    throw new CandelaError(
      'INVALID_ARGUMENT',
      `the dividend of '${symbolOf(group)}' on ${dateText(exDate)}, ${amount}, is not below the close before, ${close}`,
      {
        help: 'Correct the row of corporate_actions: its amount is cash for one share held before the ex date.',
      },
    );
  }
}
