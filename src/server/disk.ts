// How fast the disk fills: what decisions leave behind, measured on the files themselves, and when the
// disk is full if it goes on like this. One sample a minute, of a day; nothing is guessed before.
import { promises as fs } from 'node:fs'
import path from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { DAY_US } from '../lib/time.ts'

export const diskParts = ['journal', 'index', 'metadata'] as const
export type DiskPart = (typeof diskParts)[number]

export interface DiskSample {
  readonly atUs: number
  /** Decisions that all open namespaces hold; null while `decide` does not answer. */
  readonly decisions: number | null
  readonly bytes: Readonly<Record<DiskPart, number>>
  readonly freeBytes: number
  readonly totalBytes: number
}

export interface DiskReport {
  readonly freeBytes: number
  readonly totalBytes: number
  /** Between the samples compared, in µs; 0 where there is one alone. */
  readonly overUs: number
  readonly parts: readonly {
    readonly part: DiskPart
    readonly bytes: number
    readonly bytesPerDay: number | null
  }[]
  /** Growth of all parts for each decision of the time; null below `DECISIONS_MIN` decisions. */
  readonly bytesPerDecision: number | null
  readonly decisions: number
  /** At the growth of the time; null where nothing grew or the time is too short to tell. */
  readonly daysUntilFull: number | null
  readonly verdict: {
    readonly status: 'ok' | 'warning' | 'alert' | 'no-data'
    readonly sentence: string
  }
}

/** Days until full below which it is a warning, and below which an alert. */
export const WARNING_DAYS = 14
const ALERT_DAYS = 2
/** A figure from less is noise: files grow in steps. */
const OVER_MIN_US = 10 * 60 * 1_000_000
const DECISIONS_MIN = 100
const SAMPLES_MAX = 24 * 60
const EVERY_MS = 60_000

/** What the newest of some samples, oldest first, says against the oldest. */
export function diskReport(samples: readonly DiskSample[]): DiskReport {
  const first = samples[0]
  const last = samples.at(-1)!
  const overUs = last.atUs - first.atUs
  const isLong = overUs >= OVER_MIN_US
  // Files that were compacted or forgotten with a replay give room back: that is no growth below zero.
  const grown = (part: DiskPart) => Math.max(0, last.bytes[part] - first.bytes[part])
  const all = growth(first, last)
  const perDay = (bytes: number) => (isLong ? (bytes * DAY_US) / overUs : null)
  const allPerDay = perDay(all)
  const daysUntilFull = allPerDay === null || allPerDay === 0 ? null : last.freeBytes / allPerDay
  return {
    freeBytes: last.freeBytes,
    totalBytes: last.totalBytes,
    overUs,
    parts: diskParts.map((part) => ({
      part,
      bytes: last.bytes[part],
      bytesPerDay: perDay(grown(part)),
    })),
    ...perDecision(samples.filter((each) => each.decisions !== null)),
    daysUntilFull,
    verdict: verdictOf(daysUntilFull, isLong, Math.round(overUs / 60_000_000)),
  }
}

function growth(first: DiskSample, last: DiskSample): number {
  return diskParts.reduce((sum, part) => sum + Math.max(0, last.bytes[part] - first.bytes[part]), 0)
}

function perDecision(counted: readonly DiskSample[]) {
  const [first, last] = [counted[0], counted.at(-1)]
  if (first === undefined || last === undefined) return { bytesPerDecision: null, decisions: 0 }
  const decisions = Math.max(0, last.decisions! - first.decisions!)
  return {
    bytesPerDecision: decisions >= DECISIONS_MIN ? growth(first, last) / decisions : null,
    decisions,
  }
}

function verdictOf(days: number | null, isLong: boolean, minutes: number): DiskReport['verdict'] {
  const measured = minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`
  if (!isLong) {
    const sentence = `Measured for ${minutes} of the 10 minutes that a figure needs.`
    return { status: 'no-data', sentence }
  }
  if (days === null) return { status: 'ok', sentence: `Nothing grew in the last ${measured}.` }
  const about = days >= 1000 ? 'more than 1,000' : days >= 10 ? days.toFixed(0) : days.toFixed(1)
  const sentence = `The disk is full in ${about} days, at the growth of the last ${measured}.`
  if (days < ALERT_DAYS) return { status: 'alert', sentence: `${sentence} Make room now.` }
  if (days < WARNING_DAYS) return { status: 'warning', sentence: `${sentence} Make room.` }
  return { status: 'ok', sentence }
}

export interface DiskWatchOptions {
  /** `decide/` of the home, with a folder for each namespace. */
  readonly decide: string
  /** The metadata file; absent where it is not at hand. */
  readonly database?: string | undefined
  /** Null where nobody can say now. */
  readonly decisions: () => number | null | Promise<number | null>
  readonly clock: Clock
  /** Told of a look that failed; the next one is in a minute. */
  readonly onError?: (error: unknown) => void
}

export interface DiskWatch {
  /** Looks now; undefined where the disk cannot be looked at. */
  report(): Promise<DiskReport | undefined>
  stop(): void
}

/** Looks at once and then every minute, and remembers a day. */
export function createDiskWatch(options: DiskWatchOptions): DiskWatch {
  const samples: DiskSample[] = []
  const look = async () => {
    try {
      samples.push(await sampleDisk(options))
      if (samples.length > SAMPLES_MAX) samples.shift()
    } catch (error) {
      options.onError?.(error)
    }
  }
  void look()
  const timer = setInterval(() => void look(), EVERY_MS)
  timer.unref()
  return {
    async report() {
      const now = await sampleDisk(options).catch((error: unknown) => options.onError?.(error))
      return now === undefined ? undefined : diskReport([...samples, now])
    },
    stop: () => clearInterval(timer),
  }
}

async function sampleDisk(options: DiskWatchOptions): Promise<DiskSample> {
  const { decide, database, clock } = options
  const names = (await fs.readdir(decide, { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  )
  const sumOf = async (folder: string) => {
    let sum = 0
    for (const { name } of names) sum += await bytesIn(path.join(decide, name, folder))
    return sum
  }
  const { bavail, blocks, bsize } = await fs.statfs(decide)
  return {
    atUs: clock.nowUs(),
    decisions: await options.decisions(),
    bytes: {
      journal: await sumOf('journal'),
      index: await sumOf('index'),
      metadata: database === undefined ? 0 : await bytesOf(database),
    },
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
  }
}

async function bytesIn(folder: string): Promise<number> {
  let sum = 0
  for (const name of await fs.readdir(folder).catch((): string[] => [])) {
    sum += await bytesOf(path.join(folder, name))
  }
  return sum
}

/** What a file takes on the disk: an index reserves more than it has. */
async function bytesOf(file: string): Promise<number> {
  const found = await fs.stat(file).catch(() => undefined)
  if (found === undefined) return 0
  return Math.min(found.size, found.blocks * 512 || found.size)
}
