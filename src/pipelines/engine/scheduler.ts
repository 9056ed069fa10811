// When runs begin by themselves. Each trigger remembers how far it has come, on disk, so that what
// happened while nothing ran is seen afterwards; a run is recorded before the mark moves on, so that one
// may be begun twice after a fall, and none is lost. A second one finds everything looked up.
import { Cron } from 'croner'
import type { Clock } from '../../lib/clock.ts'
import { contentHash } from '../../lib/hash.ts'
import { durationInWords, formatTimestamp, MINUTE_US } from '../../lib/time.ts'
import type { PipelineRun, PipelineRunStore, RunReason } from '../types.ts'
import type { CompiledPipeline } from './compiled.ts'
import { partitionKeys } from './partitions.ts'
import type { PipelineEngineStore } from './records.ts'
import type { TriggerDeclaration } from './when.ts'

export interface SchedulerPorts {
  readonly pipelines: () => readonly CompiledPipeline[]
  readonly store: Pick<PipelineEngineStore, 'mark' | 'setMark'>
  readonly runs: Pick<PipelineRunStore, 'list'>
  readonly clock: Clock
  /** What a data set or a model is at now; undefined where there is none yet. */
  readonly versionOf: (kind: 'data' | 'model', name: string) => Promise<string | undefined>
  /** Begins a run; resolves when it is on record. */
  readonly start: (pipeline: string, partition: string | null, why: RunReason) => Promise<unknown>
  /** Told of what could not be begun; the trigger comes again. */
  readonly onProblem: (pipeline: string, error: unknown) => void
}

/** Of one trigger, each of them a run. */
const CAUGHT_UP_MAX = 100
/** A time of the clock that passed no longer ago than this has not been missed. */
const ON_TIME_US = MINUTE_US
/** A product that could not be made fresh is not tried again sooner. */
const AGAIN_US_MIN = MINUTE_US
const RUNS_LOOKED_AT = 20

interface Mark {
  readonly atUs: number
  readonly version?: string | undefined
}

/** Looks at all triggers once; called again and again by whoever keeps the time. */
export function createScheduler(ports: SchedulerPorts): { tick(): Promise<void> } {
  const { clock, store } = ports
  return {
    async tick() {
      for (const pipeline of ports.pipelines()) {
        for (const trigger of pipeline.triggers) {
          await look(pipeline, trigger).catch((error: unknown) =>
            ports.onProblem(pipeline.name, error),
          )
        }
      }
    },
  }

  async function look(pipeline: CompiledPipeline, trigger: TriggerDeclaration): Promise<void> {
    const name = `trigger/${pipeline.name}/${contentHash(trigger).slice(0, 16)}`
    const text = await store.mark(name)
    const before = text === undefined ? undefined : (JSON.parse(text) as Mark)
    const setMark = (mark: Mark) => store.setMark(name, JSON.stringify(mark))
    const nowUs = clock.nowUs()
    switch (trigger.on) {
      case 'cron': {
        if (before === undefined) return setMark({ atUs: nowUs })
        const times = dueTimes(trigger, before.atUs, nowUs)
        for (const atUs of wantedTimes(trigger.catchUp, times, nowUs)) {
          const late = nowUs - atUs > ON_TIME_US ? ', caught up' : ''
          const words = `At ${formatTimestamp(atUs)} by ${trigger.pattern}${late}`
          await ports.start(pipeline.name, partitionAt(pipeline, atUs), { kind: 'cron', words })
          await setMark({ atUs })
        }
        const last = times.at(-1)
        return last === undefined ? undefined : setMark({ atUs: last })
      }
      case 'data':
      case 'model': {
        const of = trigger.on === 'data' ? trigger.dataset : trigger.model
        const version = await ports.versionOf(trigger.on, of)
        if (version === before?.version && before !== undefined) return
        if (before !== undefined && version !== undefined) {
          const what = trigger.on === 'data' ? 'The data set' : 'The model'
          const words = `${what} ${of} has a new version, ${version.slice(0, 12)}`
          await ports.start(pipeline.name, partitionAt(pipeline, nowUs), {
            kind: trigger.on,
            words,
          })
        }
        return setMark({ atUs: nowUs, version })
      }
      case 'freshness': {
        const runs = await ports.runs.list(RUNS_LOOKED_AT, pipeline.name)
        if (!isStale(runs, trigger.maxAgeUs, nowUs)) return
        const pauseUs = Math.max(AGAIN_US_MIN, trigger.maxAgeUs / 4)
        if (before !== undefined && nowUs - before.atUs < pauseUs) return
        const words = `Its newest good run is older than ${durationInWords(trigger.maxAgeUs)}`
        await ports.start(pipeline.name, partitionAt(pipeline, nowUs), { kind: 'freshness', words })
        return setMark({ atUs: nowUs })
      }
    }
  }
}

/**
 * Times of a pattern in (after, until], the newest `CAUGHT_UP_MAX` of them, in order. It looks back in
 * growing steps, so that a year of minutes costs no more than a day of them.
 */
export function dueTimes(
  { pattern, timeZone }: Extract<TriggerDeclaration, { readonly on: 'cron' }>,
  afterUs: number,
  untilUs: number,
): number[] {
  const job = new Cron(pattern, { timezone: timeZone, paused: true })
  for (let spanUs = MINUTE_US; ; spanUs *= 4) {
    const fromUs = Math.max(afterUs, untilUs - spanUs)
    const times: number[] = []
    let next = job.nextRun(new Date(fromUs / 1000))
    while (next !== null && next.getTime() * 1000 <= untilUs) {
      times.push(next.getTime() * 1000)
      next = job.nextRun(next)
    }
    if (times.length >= CAUGHT_UP_MAX || fromUs === afterUs) return times.slice(-CAUGHT_UP_MAX)
  }
}

function wantedTimes(
  catchUp: 'all' | 'last' | 'none',
  times: readonly number[],
  nowUs: number,
): readonly number[] {
  if (catchUp === 'all') return times
  const last = times.slice(-1)
  return catchUp === 'last' ? last : last.filter((atUs) => nowUs - atUs <= ON_TIME_US)
}

/** The last partition that was over at a time; null where there are none. */
function partitionAt({ partitions }: CompiledPipeline, atUs: number): string | null {
  if (partitions === null) return null
  const keys = partitionKeys(partitions, atUs)
  return keys.count === 0 ? null : keys.at(keys.count - 1)
}

function isStale(runs: readonly PipelineRun[], maxAgeUs: number, nowUs: number): boolean {
  if (runs.some(({ status }) => status === 'running' || status === 'waiting')) return false
  const newest = runs.find(({ status }) => status === 'done')
  return newest?.endedAtUs == null || nowUs - newest.endedAtUs > maxAgeUs
}
