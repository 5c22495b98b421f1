/** Runs asynchronous tasks one after the other, in the order of the calls. A failed task does not stop the next. */
export interface Serial {
  run<T>(task: () => Promise<T>): Promise<T>;
}

/** A queue of its own. */
export function createSerial(): Serial {
  let tail: Promise<unknown> = Promise.resolve();
  return {
    run(task) {
      const result = tail.then(task);
      // The chain itself must go on after a failure; the caller gets it through `result`.
      tail = result.catch(() => undefined);
      return result;
    },
  };
}
