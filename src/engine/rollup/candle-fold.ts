/**
 * The usual bars in one pass: high, low, volume and vwap of two double columns.
 *
 * Each slot by itself runs over the batch with a column of accumulators of its own (`double-slots.ts`), so a tick costs
 * as many visits to memory as there are slots. Here a row's accumulators lie side by side in one cache line:
 *
 *     row × 8    0 min   1 max   2 sum of weights   3 its compensation   4 sum of products   5 its compensation
 *
 * and are spread over the slots' columns once the batch is through. The same additions in the same order as the slots
 * make, so the same bits. Nulls are left to the slots: a batch that has any is theirs.
 */
import type { DoubleExtremeSlot, DoubleSumSlot } from './double-slots.ts';
import type { AssignedTicks, Slot, SlotSpec, TickColumns } from './slots.ts';

/** See the head of this file. */
export class CandleFold {
  /** The slots that are left to fold by themselves. */
  readonly others: readonly Slot[];
  readonly #price: number;
  readonly #weight: number;
  readonly #parts: CandleSlots;
  #records = new Float64Array(0);

  private constructor(price: number, weight: number, parts: CandleSlots, others: readonly Slot[]) {
    this.#price = price;
    this.#weight = weight;
    this.#parts = parts;
    this.others = others;
  }

  /** Undefined unless there are a minimum and a maximum of one double column and a sum of another. */
  static of(specs: readonly SlotSpec[], slots: readonly Slot[]): CandleFold | undefined {
    const find = (fn: SlotSpec['fn'], column: number, weight = -1): Slot | undefined =>
      slots[specs.findIndex((spec) => spec.fn === fn && spec.column === column && spec.weight === weight)];
    const price = specs.find(({ fn, type }) => fn === 'min' && type.kind === 'double')?.column ?? -1;
    const weight =
      specs.find(({ fn, type, column }) => fn === 'sum' && type.kind === 'double' && column !== price)
        ?.column ?? -1;
    const [min, max, sum] = [find('min', price), find('max', price), find('sum', weight)];
    if (!min || !max || !sum) return undefined;
    const [product, weights] = [find('product', price, weight), find('weight', price, weight)];
    const taken = new Set([min, max, sum, product, weights]);
    return new CandleFold(
      price,
      weight,
      { min, max, sum, product, weights } as CandleSlots,
      slots.filter((slot) => !taken.has(slot)),
    );
  }

  /** Folds its slots; false where a value is null or too large to multiply: then they must fold by themselves. */
  fold(ticks: AssignedTicks): boolean {
    const prices = doublesOf(ticks.columns, this.#price);
    const weights = doublesOf(ticks.columns, this.#weight);
    if (!prices || !weights) return false;
    const { rowCount } = ticks;
    if (this.#records.length < rowCount * stride) this.#records = new Float64Array(rowCount * stride * 2);
    const records = this.#records;
    clear(records, rowCount);
    addTicks(prices, weights, ticks.count, ticks.target, records);
    return spread(records, rowCount, this.#parts);
  }
}

interface CandleSlots {
  min: DoubleExtremeSlot;
  max: DoubleExtremeSlot;
  sum: DoubleSumSlot;
  product: DoubleSumSlot | undefined;
  weights: DoubleSumSlot | undefined;
}

const stride = 8;

function doublesOf(columns: TickColumns, index: number): Float64Array | undefined {
  const column = columns[index];
  return column?.kind === 'double' ? column.values : undefined;
}

function clear(records: Float64Array, rowCount: number): void {
  for (let at = 0; at < rowCount * stride; at += stride) {
    records[at] = Number.POSITIVE_INFINITY;
    records[at + 1] = Number.NEGATIVE_INFINITY;
    records[at + 2] = 0;
    records[at + 3] = 0;
    records[at + 4] = 0;
    records[at + 5] = 0;
  }
}

/** Knuth's TwoSum twice, as in `double-slots.ts`. */
function addTicks(
  prices: Float64Array,
  weights: Float64Array,
  count: number,
  target: Int32Array,
  records: Float64Array,
): void {
  for (let i = 0; i < count; i++) {
    const at = target[i] << 3;
    const price = prices[i];
    const weight = weights[i];
    if (price < records[at]) records[at] = price;
    if (price > records[at + 1]) records[at + 1] = price;
    const sum = records[at + 2];
    const total = sum + weight;
    const added = total - sum;
    records[at + 2] = total;
    records[at + 3] += sum - (total - added) + (weight - added);
    const product = price * weight;
    const productSum = records[at + 4];
    const productTotal = productSum + product;
    const productAdded = productTotal - productSum;
    records[at + 4] = productTotal;
    records[at + 5] += productSum - (productTotal - productAdded) + (product - productAdded);
  }
}

/** Copies the records to the columns; false where a sum of products says that a null or an infinity was among them. */
function spread(records: Float64Array, rowCount: number, parts: CandleSlots): boolean {
  const min = parts.min.values;
  const max = parts.max.values;
  const { sums, compensations } = parts.sum;
  for (let row = 0, at = 0; row < rowCount; row++, at += stride) {
    min[row] = records[at];
    max[row] = records[at + 1];
    sums[row] = records[at + 2];
    compensations[row] = records[at + 3];
    if (!Number.isFinite(records[at + 4])) return false;
  }
  if (parts.product) spreadSum(records, rowCount, 4, parts.product);
  if (parts.weights) spreadSum(records, rowCount, 2, parts.weights);
  return true;
}

function spreadSum(records: Float64Array, rowCount: number, from: number, into: DoubleSumSlot): void {
  const { sums, compensations } = into;
  for (let row = 0, at = from; row < rowCount; row++, at += stride) {
    sums[row] = records[at];
    compensations[row] = records[at + 1];
  }
}
