import {
  CountSlot,
  DoubleExtremeSlot,
  DoublePickSlot,
  DoubleSumSlot,
  WeightedSumSlot,
} from './double-slots.ts';
import { ExactExtremeSlot, ExactSumSlot, PickSlot } from './exact-slots.ts';
import type { Slot, SlotSpec } from './slots.ts';

/** An empty slot with room for `capacity` rows. */
export function createSlot(spec: SlotSpec, capacity: number): Slot {
  const isDouble = spec.type.kind === 'double';
  switch (spec.fn) {
    case 'first':
    case 'last':
      return isDouble ? new DoublePickSlot(spec, capacity) : new PickSlot(spec, capacity);
    case 'count':
      return new CountSlot(spec, capacity);
    case 'min':
    case 'max':
      return isDouble ? new DoubleExtremeSlot(spec, capacity) : new ExactExtremeSlot(spec, capacity);
    case 'sum':
      return isDouble ? new DoubleSumSlot(spec, capacity) : new ExactSumSlot(spec, capacity);
    default:
      return new WeightedSumSlot(spec, capacity);
  }
}
