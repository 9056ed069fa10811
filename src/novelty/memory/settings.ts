/** What the memory of patterns is declared with. */
import { fail } from '../errors.ts'

export type MemorySettings = {
  readonly seed: number
  /** Share of the known records of training that may lie outside all patterns, in (0, 0.5). */
  readonly outside: number
  /** Micro-clusters of the whole memory, at most. */
  readonly clustersMax: number
  /** Patterns, active and asleep together, at most. */
  readonly patternsMax: number
  /** Unknown records that wait for others of their kind, at most. */
  readonly unknownMax: number
  /** Records of the stream after which an unknown record that stayed alone is noise. */
  readonly unknownRecords: number
  /** Unknown records that make a cluster, at least. */
  readonly clusterMin: number
  /** How far the members of a cluster of unknowns may lie apart, in limits. */
  readonly cohesion: number
  /** A record is learnt from only below this share of the limit (the gate against poisoning). */
  readonly learnBelow: number
  /** Up to so many limits beyond a pattern, what was reached by small steps is a drift of it. */
  readonly driftReach: number
  /** How far around it, in limits, what was found and not confirmed takes records for its own. */
  readonly foundReach: number
  /** A path is gradual where distances rise with time by at least this rank correlation … */
  readonly pathRise: number
  /** … or where no step along it is wider than this, in limits. */
  readonly pathGap: number
  /** How far a pattern may drift in all, in limits, before a person has confirmed it. */
  readonly driftMax: number
  /** Records of the stream without one of a pattern, after which it goes to sleep. */
  readonly sleepRecords: number
  /** Alerts an `alertRecords` records of the stream; what is over is told in one. */
  readonly alertsMax: number
  readonly alertRecords: number
}

export const defaultMemorySettings: MemorySettings = {
  seed: 1,
  outside: 0.05,
  clustersMax: 2000,
  patternsMax: 400,
  unknownMax: 1000,
  unknownRecords: 4000,
  clusterMin: 6,
  cohesion: 1,
  learnBelow: 0.3,
  driftReach: 2,
  foundReach: 1.5,
  pathRise: 0.4,
  pathGap: 0.5,
  driftMax: 6,
  sleepRecords: 4000,
  alertsMax: 20,
  alertRecords: 1000,
}

/** Settings with the defaults for what is not given. Error: `novelty_settings_invalid`. */
export function memorySettings(declared: Partial<MemorySettings> = {}): MemorySettings {
  const settings = { ...defaultMemorySettings, ...declared }
  const whole = (name: keyof MemorySettings, least: number, most: number) =>
    check(
      name,
      settings,
      Number.isSafeInteger(settings[name]) && settings[name] >= least && settings[name] <= most,
      `a whole number from ${least} to ${most}`,
    )
  const within = (name: keyof MemorySettings, above: number, most: number) =>
    check(
      name,
      settings,
      settings[name] > above && settings[name] <= most,
      `a number above ${above}, at most ${most}`,
    )
  whole('seed', 0, 2 ** 32)
  within('outside', 0, 0.5)
  whole('clustersMax', 8, 100_000)
  whole('patternsMax', 2, 100_000)
  whole('unknownMax', 8, 100_000)
  whole('unknownRecords', 8, 1e9)
  whole('clusterMin', 2, 1000)
  within('cohesion', 0, 10)
  within('learnBelow', 0, 1)
  within('driftReach', 1, 100)
  within('driftMax', 0, 1000)
  within('foundReach', 0, 100)
  within('pathRise', 0, 1)
  within('pathGap', 0, 100)
  whole('sleepRecords', 1, 1e9)
  whole('alertsMax', 1, 1e6)
  whole('alertRecords', 1, 1e9)
  return settings
}

function check(
  name: keyof MemorySettings,
  settings: MemorySettings,
  holds: boolean,
  wanted: string,
): void {
  if (holds) return
  throw fail.novelty_settings_invalid(`"${name}" is ${settings[name]}; it is ${wanted}.`)
}
