/** Of which kind of device a user agent is; `bot` is a program. */
export type Device = 'desktop' | 'mobile' | 'tablet' | 'television' | 'bot' | 'other'

/** A count with the band in which the true one lies with a probability of 95 %. */
export interface Count {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** What is counted, and how. Two streams can be put together only if they count alike. */
export interface VisitorOptions {
  /** Microseconds of a slot: a day, or a part of one that divides it. */
  readonly everyUs: number
  /** Microseconds that a result covers: whole slots. Default one slot (tumbling). */
  readonly windowUs?: number
  /** How far lines may be out of order; a slot is final once a line is so much later. Default 5 minutes. */
  readonly latenessUs?: number
  /** A line so much later than all before is believed once others follow it. Default 6 hours. */
  readonly jumpUs?: number
  /** Fields that together tell one visitor from another. Default `client` and `agent`. */
  readonly visitor?: readonly string[]
  /** Fields by which visitors are broken down, at most four. */
  readonly by?: readonly string[]
  /** Keys of a breakdown that a result names. Default 10. */
  readonly top?: number
  /** Requests a minute, on average over at most ten minutes, above which a visitor is a bot. Default 60. */
  readonly botRate?: number
  /** The IANA zone in which days begin. Default UTC. */
  readonly timeZone?: string
  /** Visitors a day for whom the filter of those seen is made. Default 1,000,000. */
  readonly dayVisitors?: number
}

/** A share of the visitors: those who came to one page, say. */
export interface KeyCount {
  readonly key: string
  readonly visitors: Count
  readonly hits: Count
}

export interface Breakdown {
  readonly field: string
  /** Most visitors first. */
  readonly top: readonly KeyCount[]
  /** All keys that are not among them. `visits` counts a visitor once for each key. */
  readonly other: { readonly keys: Count; readonly visits: Count; readonly hits: Count }
}

/** What a window counted. Times are microseconds UTC: `from` is in it, `to` is not. */
export interface VisitorResult {
  readonly from: number
  readonly to: number
  /** No line that is not late can change it any more. */
  readonly isFinal: boolean
  /** Without bots. */
  readonly visitors: Count
  readonly hits: number
  /** Programs by what they call themselves. */
  readonly bots: Count
  readonly botHits: number
  /** Visitors that call themselves nothing of the kind and behave as programs do. */
  readonly suspects: Count
  /** Of the last slot: visitors who had not come before on that day, and all of the day so far. */
  readonly firstSeen: Count
  readonly today: Count
  readonly by: readonly Breakdown[]
}
