/**
 * The gate before the write path: many writers at a time, or one change of the catalog with no writer inside.
 */
export class Gate {
  #inside = 0;
  #closed: Promise<void> | null = null;
  #onEmpty: (() => void) | null = null;

  /** Waits while a change is being made, then counts the writer in. */
  async enter(): Promise<void> {
    while (this.#closed) await this.#closed;
    this.#inside++;
  }

  /** Counts a writer out. */
  leave(): void {
    this.#inside--;
    if (this.#inside === 0) this.#onEmpty?.();
  }

  /**
   * Runs `change` when all writers have left, and keeps new ones waiting until it is done. Changes happen one
   * at a time.
   */
  async exclusive<T>(change: () => Promise<T>): Promise<T> {
    while (this.#closed) await this.#closed;
    let open = (): void => undefined;
    this.#closed = new Promise((resolve) => {
      open = resolve;
    });
    try {
      if (this.#inside > 0) {
        await new Promise<void>((resolve) => {
          this.#onEmpty = resolve;
        });
      }
      return await change();
    } finally {
      this.#onEmpty = null;
      this.#closed = null;
      open();
    }
  }
}
