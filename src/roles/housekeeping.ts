// Retention by itself: what is due goes for good, every day and when a command asks. `keep` removes
// what it alone writes (deleted things, files of runs), `work` the rest (data, results of pipelines).
import { systemActor, type ChangeBy } from '../access/index.ts'
import { cleanSnapshots, type CleaningVersions, type SnapshotStore } from '../data/index.ts'
import type { Clock } from '../lib/clock.ts'
import { AssayError } from '../lib/errors.ts'
import type { Remote } from '../lib/rpc.ts'
import { DAY_US } from '../lib/time.ts'
import {
  cleanResults,
  cleanScratch,
  openObjects,
  type PipelineEngineStore,
  type PipelineRunStore,
  type ResultKeeper,
} from '../pipelines/index.ts'
import type { Home } from '../projects/index.ts'
import type { ModelFiles, Registry } from '../registry/index.ts'
import type { Tracking } from '../tracking/index.ts'
import type { HousekeepingSettings } from './config.ts'
import type { RoleLog } from './log.ts'
import { rolesErrors } from './errors.ts'
import type { JournalRetention } from './journal-retention.ts'
import { pipelineFolders } from './pipeline-folders.ts'
import type { ServedPublisher } from './served-publisher.ts'

export type HousekeepingRules = Omit<HousekeepingSettings, 'hour'>

/** What one part of it removed, or would remove. */
export interface SweptPart {
  readonly part: 'models' | 'experiments' | 'files' | 'decisions' | 'data' | 'results'
  /** How many of what, for example `{ runs: 2, files: 7 }`. */
  readonly counts: Readonly<Record<string, number>>
  /** The rule, in words. */
  readonly why: string
  /** What stopped this part; the others went on. */
  readonly problem: string | null
}

/** The rpc service `housekeeping` of `keep` and of `work`. */
export interface Housekeeping {
  /** One at a time. Rules that are not given are those that the server was started with. */
  run(
    request: { readonly dryRun: boolean; readonly rules?: Partial<HousekeepingRules> },
    reason: string,
  ): Promise<readonly SweptPart[]>
}

interface Sweep {
  readonly dryRun: boolean
  readonly rules: HousekeepingRules
  readonly nowUs: number
  readonly signal: AbortSignal | undefined
}

interface Part {
  readonly name: SweptPart['part']
  /** Null where the rules switch it off. */
  why(rules: HousekeepingRules): string | null
  sweep(sweep: Sweep, by: ChangeBy): Promise<SweptPart['counts']>
}

export interface HousekeepingOptions {
  readonly rules: HousekeepingRules
  readonly clock: Clock
  /** Ends it between two batches. */
  readonly signal?: AbortSignal
  readonly onProblem?: (part: SweptPart['part'], error: unknown) => void
}

function beforeDays(nowUs: number, days: number): number {
  return nowUs - days * DAY_US
}

/** What `keep` removes. */
export function housekeepingOfKeep(
  {
    registry,
    modelFiles,
    tracking,
    retention,
    served,
  }: {
    readonly registry: Registry
    /** Of published documents that are served no more. */
    readonly served: Pick<ServedPublisher, 'sweep'>
    readonly modelFiles: ModelFiles
    readonly tracking: Tracking
    /** Where a server runs: records of decisions are removed by `decide`. */
    readonly retention?: Pick<JournalRetention, 'plan' | 'remove'> | undefined
  },
  options: HousekeepingOptions,
): Housekeeping {
  const deleted = ({ keepDeleted }: HousekeepingRules, but: string) =>
    keepDeleted === 0 ? null : `deleted ${dayCount(keepDeleted)} ago or earlier, ${but}`
  return createHousekeeping(
    [
      {
        // Before runs: a run stays for as long as a version refers to it.
        name: 'models',
        why: (rules) => deleted(rules, 'and never approved'),
        sweep: async ({ dryRun, rules, nowUs, signal }, by) =>
          registry.purge(beforeDays(nowUs, rules.keepDeleted), by, { dryRun, signal }),
      },
      {
        name: 'experiments',
        why: (rules) => deleted(rules, 'and no version of a model refers to it'),
        async sweep({ dryRun, rules, nowUs, signal }, by) {
          const before = beforeDays(nowUs, rules.keepDeleted)
          // Their files go with the next part, a day later.
          const until = { before, looseBefore: 0, dryRun, signal }
          const { experiments, runs, loggedModels, kept } = await tracking.purge(until, by)
          return { experiments, runs, loggedModels, kept }
        },
      },
      {
        name: 'files',
        why: ({ keepUnnamed }) => `nothing has named them for ${dayCount(keepUnnamed)}`,
        async sweep({ dryRun, rules, nowUs, signal }, by) {
          const { files } = tracking
          const models = await modelFiles.sweep({ dryRun, signal }, by)
          const looseBefore = beforeDays(nowUs, rules.keepUnnamed)
          const uploads = dryRun ? 0 : await files.uploads.giveUpIdle()
          const removed = dryRun
            ? await files.loose(looseBefore)
            : (await files.sweep(looseBefore, by, signal)).files
          const fromUs = nowUs + rules.keepUnnamed * DAY_US
          const found = await files.findStrays({ fromUs, dryRun, signal })
          const servedModels = await served.sweep({ beforeUs: looseBefore, dryRun, signal })
          return { files: removed, modelFiles: models, servedModels, found, uploads }
        },
      },
      {
        name: 'decisions',
        why: ({ keepDecisions }) =>
          keepDecisions === 0
            ? null
            : `received ${dayCount(keepDecisions)} ago or earlier; their events and keys stay`,
        async sweep({ dryRun, rules, nowUs }, by) {
          if (retention === undefined) {
            throw rolesErrors.server_missing('Only a running server removes records of decisions.')
          }
          const beforeUs = beforeDays(nowUs, rules.keepDecisions)
          const { first, decisions, kept } = await retention.plan(beforeUs)
          const stay = kept.reduce((sum, each) => sum + each.decisions, 0)
          if (dryRun) return { decisions, kept: stay }
          const gone = await retention.remove({ beforeUs, first, exportedTo: null }, by)
          return { decisions: gone.decisions, kept: stay }
        },
      },
    ],
    options,
  )
}

export interface HousekeepingOfWork {
  readonly home: Pick<Home, 'root'>
  readonly snapshots: Pick<SnapshotStore, 'stored' | 'remove'>
  readonly versions: CleaningVersions
  readonly pipelines: Pick<Remote<PipelineRunStore>, 'get'>
  readonly pipelineEngine: Pick<Remote<PipelineEngineStore>, 'usedByRuns' | 'allProducts'>
  readonly resultKeeper: Remote<ResultKeeper>
}

/** What `work` removes. */
export function housekeepingOfWork(
  { home, snapshots, versions, pipelines, pipelineEngine, resultKeeper }: HousekeepingOfWork,
  options: HousekeepingOptions,
): Housekeeping {
  const { clock } = options
  const folders = pipelineFolders(home)
  const objects = openObjects(folders.objects, clock)
  return createHousekeeping(
    [
      {
        name: 'data',
        why: ({ keepUnnamed }) =>
          `the retention of their data set, and files that no version has named for ${dayCount(keepUnnamed)}`,
        async sweep({ dryRun, rules, signal }, by) {
          const ports = { versions, snapshots, clock }
          const cleaning = { dryRun, unusedDays: rules.keepUnnamed, signal }
          const report = await cleanSnapshots(ports, cleaning, by)
          return { versions: report.versions.length, files: report.files, bytes: report.bytes }
        },
      },
      {
        name: 'results',
        why: ({ keepResults, keepUnnamed }) =>
          keepResults === 0
            ? `nothing ever named them, or has used them for ${dayCount(keepUnnamed)}`
            : `no run has used them for ${dayCount(keepResults)}, and they are no version of a product`,
        async sweep({ dryRun, rules, nowUs, signal }, by) {
          const unusedSinceUs = beforeDays(nowUs, rules.keepUnnamed)
          const cleaning = {
            days: rules.keepResults,
            unusedDays: rules.keepUnnamed,
            dryRun,
            signal,
          }
          const ports = { objects, store: pipelineEngine, keeper: resultKeeper, clock }
          const { files, bytes } = await cleanResults(ports, cleaning, by)
          const scratch = await cleanScratch(folders.scratch, pipelines, { unusedSinceUs, dryRun })
          return { files, bytes, scratch }
        },
      },
    ],
    options,
  )
}

function createHousekeeping(parts: readonly Part[], options: HousekeepingOptions): Housekeeping {
  const { clock, signal, onProblem } = options
  let last: Promise<unknown> = Promise.resolve()

  async function runPart(part: Part, why: string, sweep: Sweep, reason: string) {
    const by = { actor: systemActor, reason: `${reason}: ${why}` }
    try {
      return { part: part.name, why, counts: await part.sweep(sweep, by), problem: null }
    } catch (error) {
      onProblem?.(part.name, error)
      const problem = error instanceof AssayError ? error.detail : String(error)
      return { part: part.name, why, counts: {}, problem }
    }
  }

  async function runParts({ dryRun, rules }: Parameters<Housekeeping['run']>[0], reason: string) {
    const all = atLeast({ ...options.rules, ...rules })
    const swept: SweptPart[] = []
    for (const part of parts) {
      const why = part.why(all)
      if (why === null || signal?.aborted === true) continue
      const sweep = { dryRun, rules: all, nowUs: clock.nowUs(), signal }
      swept.push(await runPart(part, why, sweep, reason))
    }
    return swept
  }

  return {
    run(request, reason) {
      const swept = last.then(() => runParts(request, reason))
      last = swept.catch(() => {})
      return swept
    },
  }
}

/** What is on its way in is safe whoever asks. */
function atLeast(rules: HousekeepingRules): HousekeepingRules {
  const { keepDeleted, keepResults, keepUnnamed, keepDecisions } = rules
  return {
    keepDeleted: Math.max(0, keepDeleted),
    keepResults: Math.max(0, keepResults),
    keepUnnamed: Math.max(1, keepUnnamed),
    keepDecisions: Math.max(0, keepDecisions),
  }
}

function dayCount(days: number): string {
  return days === 1 ? 'a day' : `${days} days`
}

// ---------------------------------------------------------------------------------------------
// When

/** After a start, so that it does not stand in the way of what people wait for. */
const AFTER_START_MS = 5 * 60_000

export interface RunningHousekeeping extends Housekeeping {
  /** Resolves when nothing is being removed any more. */
  stop(): Promise<void>
}

/** Runs it some minutes after the start and then daily at its hour; `open` gets what ends it. */
export function keepHouse(
  open: (options: HousekeepingOptions) => Housekeeping,
  settings: HousekeepingSettings,
  {
    clock,
    log,
    sleep,
  }: {
    readonly clock: Clock
    readonly log: Pick<RoleLog, 'info' | 'error'>
    /** Ends early, without failing, when the signal aborts. */
    readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  },
): RunningHousekeeping {
  const { hour, ...rules } = settings
  const stopped = new AbortController()
  const { signal } = stopped
  const housekeeping = open({
    rules,
    clock,
    signal,
    onProblem: (part, error) => log.error({ error, part }, 'Housekeeping failed in part'),
  })
  async function daily(at: number): Promise<void> {
    await sleep(AFTER_START_MS, signal)
    while (!signal.aborted) {
      const swept = await housekeeping.run({ dryRun: false }, 'Housekeeping')
      const removed = Object.fromEntries(swept.map(({ part, counts }) => [part, counts]))
      log.info({ removed }, 'Housekeeping removed what was due')
      await sleep((nextAtUs(clock.nowUs(), at) - clock.nowUs()) / 1000, signal)
    }
  }
  const loop = hour === null ? Promise.resolve() : daily(hour)
  return {
    run: housekeeping.run,
    async stop() {
      stopped.abort()
      await loop
      // Stands behind what a command may have asked for, and does nothing itself.
      await housekeeping.run({ dryRun: true }, 'Housekeeping')
    },
  }
}

/** The next time at which an hour of the day (UTC) begins, after an instant; both in µs UTC. */
export function nextAtUs(nowUs: number, hour: number): number {
  const today = nowUs - (nowUs % DAY_US) + (hour * DAY_US) / 24
  return today > nowUs ? today : today + DAY_US
}
