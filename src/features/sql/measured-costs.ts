/** What an engine takes for features of the past, of one processor. */
export interface EngineCosts {
  /** Once a run, seconds. */
  readonly startS: number
  /** To read an event, and to write a feature of it (nanoseconds); one processor does all of it. */
  readonly eventNs: number
  readonly featureNs: number
  /** An event, for each combination of keys; this and the aggregates can be shared out. */
  readonly entityNs: number
  /** An event and aggregate over one window, by the aggregate's function. */
  readonly aggregateNs: Readonly<Record<string, number>>
  readonly otherAggregateNs: number
}

/**
 * As `npm run bench -- features --only engines --events 400000` prints them, over the handbook's
 * payments. A mean costs what a sum does, and a share two counts; what is read of single events or
 * found by a walk through the window counts as `other`.
 */
export const measuredCosts: Readonly<Record<'sweep' | 'sql' | 'replay', EngineCosts>> = {
  replay: {
    startS: 0,
    eventNs: 90,
    featureNs: 13,
    entityNs: 700,
    aggregateNs: {
      count: 30,
      sum: 80,
      mean: 80,
      std: 110,
      variance: 110,
      share: 60,
      min: 95,
      max: 110,
      distinct: 60,
    },
    otherAggregateNs: 200,
  },
  sql: {
    startS: 0.05,
    eventNs: 430,
    featureNs: 36,
    entityNs: 150,
    aggregateNs: {
      count: 90,
      sum: 117,
      mean: 117,
      std: 200,
      variance: 200,
      share: 180,
      min: 190,
      max: 210,
      distinct: 800,
    },
    otherAggregateNs: 210,
  },
  sweep: {
    startS: 0,
    eventNs: 24,
    featureNs: 16,
    entityNs: 55,
    aggregateNs: {
      count: 10,
      sum: 10,
      mean: 10,
      std: 15,
      variance: 15,
      share: 10,
      min: 20,
      max: 20,
      distinct: 25,
    },
    otherAggregateNs: 15,
  },
}
