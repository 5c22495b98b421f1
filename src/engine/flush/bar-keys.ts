/** Numbers by group and bucket start. */
export class BarKeys {
  readonly #byStart = new Map<number, Map<number, number>>();

  /** Sets the number of a bar. */
  add(group: number, start: number, value: number): void {
    const byGroup = this.#byStart.get(start);
    if (byGroup) byGroup.set(group, value);
    else this.#byStart.set(start, new Map([[group, value]]));
  }

  /** The number of a bar, if it has one. */
  get(group: number, start: number): number | undefined {
    return this.#byStart.get(start)?.get(group);
  }

  /** The number of a bar, which is taken out. */
  take(group: number, start: number): number | undefined {
    const byGroup = this.#byStart.get(start);
    const value = byGroup?.get(group);
    byGroup?.delete(group);
    return value;
  }

  /** All numbers, those of one bucket together. */
  values(): number[] {
    return [...this.#byStart.values()].flatMap((byGroup) => [...byGroup.values()]);
  }
}
