import { fail } from '../errors.ts'

export interface SequenceOptions {
  /** The share of normal sessions that may be called unknown: above 0, below 1. Default 0.001. */
  readonly budget?: number
  /** In how many successive places unseen n-grams are counted together. Default 20, as in STIDE. */
  readonly locality?: number
  /** Whether beginning and end of a session are part of what is known. Default true. */
  readonly whole?: boolean
  /**
   * Up to how many characters of n-grams are kept exactly; of count vectors an eighth of it, of sequences, by which
   * the threshold is set, a thirty-second. What is more goes to filters. Default 8 Mi.
   */
  readonly charactersMax?: number
  /** How many n-grams, and count vectors, those filters are made for, each. Default 1,000,000. */
  readonly filteredKeys?: number
}

export type Settled = Required<SequenceOptions>

/** Most different event ids. More come only where values were taken for ids. */
export const EVENT_IDS_MAX = 65_536
export const EVENT_ID_CHARACTERS_MAX = 256
export const SESSION_EVENTS_MAX = 100_000

/** Fills in what is not given. Error: `sequence_options_invalid`. */
export function settled(options: SequenceOptions): Settled {
  const full: Settled = {
    budget: options.budget ?? 0.001,
    locality: options.locality ?? 20,
    whole: options.whole ?? true,
    charactersMax: options.charactersMax ?? 8 * 2 ** 20,
    filteredKeys: options.filteredKeys ?? 1_000_000,
  }
  if (!(full.budget > 0 && full.budget < 1)) {
    throw fail.sequence_options_invalid(`budget is ${full.budget}; it is a share such as 0.001.`)
  }
  checkWhole('locality', full.locality, 1, 10_000)
  checkWhole('charactersMax', full.charactersMax, 1, 2 ** 30)
  checkWhole('filteredKeys', full.filteredKeys, 1, 1_000_000_000)
  return full
}

/** Error: `sequence_options_invalid`. */
export function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw fail.sequence_options_invalid(
    `${name} is ${value}; it is a whole number from ${least} to ${most}.`,
  )
}
