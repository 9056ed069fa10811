// What pipelines made is content, and a record of a run is kept for good; so content goes by itself when
// nothing names it any more. A result that is asked for after that is made anew.
import { existsSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { requireReason, type ChangeBy } from '../../access/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Remote } from '../../lib/rpc.ts'
import { DAY_US } from '../../lib/time.ts'
import type { UnitOfWork } from '../../lib/unit-of-work.ts'
import type { PipelineRunStore } from '../types.ts'
import type { PipelineObjects } from './objects.ts'
import type { PipelineEngineStore, ProductVersion, StepPlace } from './records.ts'

/** What a cleaner of results asks of the process that keeps the records. */
export interface ResultKeeper {
  /** Digests that records of other rooms name, such as versions of models. */
  heldElsewhere(): Promise<readonly string[]>
  /** Notes in the audit log what is about to be removed. */
  recordRemoval(
    removed: { readonly files: number; readonly bytes: number; readonly names: readonly string[] },
    by: ChangeBy,
  ): Promise<void>
}

/** Of removed files so many are named in the audit entry; all are counted. */
const NAMED_MAX = 100

export function createResultKeeper({
  unit,
  audit,
  heldElsewhere,
}: {
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly heldElsewhere: ResultKeeper['heldElsewhere']
}): ResultKeeper {
  return {
    heldElsewhere,
    recordRemoval: ({ files, bytes, names }, by) =>
      unit.transaction(async () => {
        await audit.append({
          actor: by.actor.id,
          action: 'pipelines.results-removed',
          object: { kind: 'pipeline-results', id: 'all' },
          reason: requireReason(by),
          details: { files, bytes, names: names.slice(0, NAMED_MAX) },
        })
      }),
  }
}

export interface ResultCleaning {
  /** Results that no product names stay for so many days after a run last used them; 0: for good. */
  readonly days: number
  /** Files that nothing names stay for so many days after they were last used; one at least. */
  readonly unusedDays: number
  readonly dryRun: boolean
  /** Ends it between two batches. */
  readonly signal?: AbortSignal | undefined
}

export interface ResultsReport {
  readonly files: number
  readonly bytes: number
}

/** Each page holds up the process that keeps for some hundredths of a second. */
const PAGE = 250
/** So many files go with one audit entry. */
const PER_ENTRY = 500

export interface ResultPorts {
  readonly objects: Pick<PipelineObjects, 'stored' | 'filesOf' | 'remove'>
  readonly store: Pick<Remote<PipelineEngineStore>, 'usedByRuns' | 'allProducts'>
  readonly keeper: Remote<ResultKeeper>
  readonly clock: Clock
}

/**
 * Removes outputs that nothing needs. An output stays while it is a version of a product, was read or
 * made by a run that goes on, waits for people or ended in the last days, or is named elsewhere; a
 * folder stays with its files. A run that begins to count on an output meanwhile notes its use before,
 * so what was used lately stays whatever the records said. The audit entry is on disk before the first
 * file goes; a cleaning that was killed is finished by the next one. Error: `pipeline_list_damaged`,
 * and nothing is removed, because what the list named cannot be told from the rest.
 */
export async function cleanResults(
  ports: ResultPorts,
  { days, unusedDays, dryRun, signal }: ResultCleaning,
  by: ChangeBy,
): Promise<ResultsReport> {
  const { objects, keeper, clock } = ports
  const nowUs = clock.nowUs()
  const unusedSinceUs = nowUs - Math.max(1, unusedDays) * DAY_US
  const going = await unnamed(ports, {
    unusedSinceUs,
    sinceUs: days === 0 ? 0 : nowUs - days * DAY_US,
    signal,
  })
  if (dryRun) return { files: going.length, bytes: bytesOf(going) }
  let [files, bytes] = [0, 0]
  for (let from = 0; from < going.length && signal?.aborted !== true; from += PER_ENTRY) {
    const some = going.slice(from, from + PER_ENTRY)
    const names = some.map(({ name }) => name)
    await keeper.recordRemoval({ files: some.length, bytes: bytesOf(some), names }, by)
    for (const name of names) bytes += objects.remove(name, unusedSinceUs)
    files += some.length
  }
  return { files, bytes }
}

interface Unnamed {
  readonly name: string
  readonly bytes: number
}

/** Files that were not used since an instant, and that neither young runs nor others name. */
async function unnamed(
  { objects, store, keeper }: ResultPorts,
  {
    unusedSinceUs,
    sinceUs,
    signal,
  }: Pick<ResultCleaning, 'signal'> & { readonly unusedSinceUs: number; readonly sinceUs: number },
): Promise<Unnamed[]> {
  const unused = new Map<string, number>()
  for await (const files of objects.stored()) {
    for (const { name, bytes, usedAtUs } of files) {
      if (usedAtUs < unusedSinceUs) unused.set(name, bytes)
    }
  }
  if (unused.size === 0) return []
  const folders = new Set<string>()
  for await (const { digest, kind } of named(store, sinceUs)) {
    if (signal?.aborted === true) return []
    unused.delete(digest)
    if (kind !== 'folder' || folders.has(digest)) continue
    folders.add(digest)
    for (const of of await objects.filesOf(digest)) unused.delete(of)
  }
  for (const digest of await keeper.heldElsewhere()) unused.delete(digest)
  return [...unused].map(([name, bytes]) => ({ name, bytes }))
}

/** All that products and young runs name, page by page; one digest may come often. */
async function* named(store: ResultPorts['store'], sinceUs: number) {
  let place: StepPlace | null = null
  do {
    const page: Awaited<ReturnType<typeof store.usedByRuns>> = await store.usedByRuns(
      sinceUs,
      place,
      PAGE,
    )
    yield* page.objects
    place = page.next
  } while (place !== null)
  let last: ProductVersion | null = null
  do {
    const page: readonly ProductVersion[] = await store.allProducts(last, PAGE)
    for (const { kept } of page) yield kept
    last = page.length < PAGE ? null : (page.at(-1) ?? null)
  } while (last !== null)
}

function bytesOf(files: readonly Unnamed[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}

/**
 * Removes what attempts left in the scratch folder of runs that do not go on, whose process was killed;
 * how many runs. What was changed at or after an instant stays.
 */
export async function cleanScratch(
  directory: string,
  runs: Pick<Remote<PipelineRunStore>, 'get'>,
  { unusedSinceUs, dryRun }: { readonly unusedSinceUs: number; readonly dryRun: boolean },
): Promise<number> {
  let removed = 0
  for (const runId of existsSync(directory) ? await readdir(directory) : []) {
    const folder = join(directory, runId)
    if ((await stat(folder)).mtimeMs * 1000 >= unusedSinceUs) continue
    if ((await runs.get(runId))?.status === 'running') continue
    if (!dryRun) await rm(folder, { recursive: true, force: true })
    removed++
  }
  return removed
}
