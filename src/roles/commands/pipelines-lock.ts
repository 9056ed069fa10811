// `assay pipelines lock|check`: the lock file beside project.ts, and what differs from it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  exitCodes,
  printTable,
  type PipelinesListOptions,
  type PipelinesLockOptions,
  type Terminal,
} from '../../cli/index.ts'
import { parseStrictJson } from '../../lib/canonical-json.ts'
import { writeFileAtomic } from '../../lib/files.ts'
import {
  allSteps,
  compareLock,
  lockPipeline,
  pipelineErrors,
  planRun,
  type LockedPipeline,
  type PipelineLock,
} from '../../pipelines/index.ts'
import { enginePorts } from '../pipeline-engine.ts'
import { withPipelines } from './connection.ts'
import { commandErrors } from './errors.ts'
import { pipelinesIn } from './pipelines.ts'

const LOCK_FILE = 'assay.lock.json'
const LOCK_BYTES_MAX = 64 * 1024 * 1024

export async function pipelinesLock(
  { project, home, json }: PipelinesLockOptions,
  { out }: Terminal,
): Promise<number> {
  const all = await pipelinesIn(project)
  const locked = await withPipelines(home, async (kept) => {
    const pipelines: Record<string, LockedPipeline> = {}
    for (const loaded of all) {
      const { directory } = loaded
      const { home: at, engine: store, catalog } = kept
      const plan = await planRun(
        {
          directory,
          pipeline: loaded,
          params: {},
          partition: null,
          options: allSteps,
          why: { kind: 'person', words: '' },
          actor: '',
          backfill: null,
          runner: '',
        },
        enginePorts({ home: at, project: directory, store, catalog }),
      )
      pipelines[loaded.compiled.name] = lockPipeline(loaded, plan)
    }
    return { format: 1, pipelines } satisfies PipelineLock
  })
  const [{ directory } = { directory: project }] = all
  const file = join(directory, LOCK_FILE)
  await writeFileAtomic(file, `${JSON.stringify(locked, undefined, 2)}\n`)
  const steps = Object.values(locked.pipelines).flatMap((each) => Object.keys(each.steps))
  if (json) out.line(JSON.stringify(locked))
  else out.line(`${file}: ${all.length} pipelines, ${steps.length} steps that have run well`)
  return exitCodes.ok
}

export async function pipelinesCheck(
  { project, json }: PipelinesListOptions,
  { out }: Terminal,
): Promise<number> {
  const all = await pipelinesIn(project)
  const [{ directory } = { directory: project }] = all
  const lock = await readLock(join(directory, LOCK_FILE))
  const found = await compareLock(lock, { directory, pipelines: all })
  if (json) out.line(JSON.stringify(found))
  else if (found.length === 0) out.line('The project is as it stands in the lock file.')
  else {
    printTable(
      out,
      ['pipeline', 'step', 'state', 'why'],
      found.map(({ pipeline, step, state, why }) => [pipeline, step, state, why]),
    )
  }
  return found.length === 0 ? exitCodes.ok : exitCodes.failed
}

async function readLock(file: string): Promise<PipelineLock> {
  const text = await readFile(file).catch(() => {
    throw commandErrors.input_unreadable(`${file} cannot be read; write it with lock.`)
  })
  const lock = parseStrictJson(text, { maxBytes: LOCK_BYTES_MAX }) as Partial<PipelineLock> | null
  if (lock?.format !== 1 || typeof lock.pipelines !== 'object') {
    throw pipelineErrors.pipeline_value_invalid(`${file} is no lock file that is known here.`)
  }
  return lock as PipelineLock
}
