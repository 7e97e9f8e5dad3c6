// What a store inside a Node program has to do to be compared: append, in three ways, and read.

export interface Store {
  /** One value, and the promise (or the return) that says it is stored. */
  append(value: Buffer): Promise<unknown> | void;
  /** All of them as the store likes it best: one batch, one transaction. */
  appendBatch(values: readonly Buffer[]): Promise<unknown> | void;
  /** So many at the same time, each asked for by itself. A store without promises gets them in one transaction. */
  appendTogether(values: readonly Buffer[]): Promise<unknown> | void;
  /** Every value from the first to the last; returns how many bytes they have. */
  scan(): Promise<number> | number;
  /** The value with that number, from 0 on. */
  read(index: number): Promise<Buffer | undefined> | Buffer | undefined;
  close(): Promise<void> | void;
}

export interface StoreOptions {
  readonly directory: string;
  /** Stored means that a power cut cannot take it. */
  readonly isDurable: boolean;
}

export const STORES = ['sluice', 'lmdb', 'better-sqlite3', 'classic-level'] as const;
export type StoreName = (typeof STORES)[number];
