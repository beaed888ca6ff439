/** A log that nobody reads. */

export const silent = { debug: () => {}, warn: () => {} };
