/** Bounds that several modules must agree on; a bound of one module only stands beside its code. */

/** Largest frame of the write-ahead log, so also about the largest batch that one write may carry. */
export const walFrameBytesMax = 64 * 1024 * 1024;
