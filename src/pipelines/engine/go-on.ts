// Going on with a run that was broken off or waited for people. The code and the declaration are those
// of now: what is different is put on record, and where the run cannot go on it ends and says why.
import { contentHash } from '../../lib/hash.ts'
import type { EngineRun, PipelineRun, RunChange } from '../types.ts'
import type { CodeReader } from './code.ts'
import { codeHash, paramsOf, requirePartition, wantedSteps, type RunRequest } from './plan.ts'
import type { StepRecord, StepStatus } from './records.ts'
import { sentence } from './run-context.ts'

/** More names than this are counted instead. */
const NAMED_MAX = 10
const CHANGES_KEPT = 50
const endedWell: ReadonlySet<StepStatus> = new Set(['done', 'cached', 'skipped'])

/** What a run that has begun is asked for when it goes on, in a project as it is now. */
export function requestToGoOn(
  { engine, actor }: PipelineRun & { readonly engine: EngineRun },
  now: Pick<RunRequest, 'directory' | 'pipeline' | 'runner'>,
): RunRequest {
  const { partition, options, why, backfill, given } = engine
  const { params: specs } = now.pipeline.compiled
  // A default that is declared no more falls away; a value that somebody gave is asked for still.
  const kept = Object.entries(engine.params).filter(
    ([name]) => specs[name] !== undefined || given?.includes(name) !== false,
  )
  return { ...now, params: Object.fromEntries(kept), partition, options, why, backfill, actor }
}

export interface Continued {
  readonly run: PipelineRun
  /** Why it cannot go on; null where it can. */
  readonly obstacle: string | null
}

/** A run that is about to begin or to go on, with what is different since it did so last. */
export function continued(
  run: PipelineRun,
  request: RunRequest,
  {
    known,
    code,
    nowUs,
  }: { readonly known: readonly StepRecord[]; readonly code: CodeReader; readonly nowUs: number },
): Continued {
  const { pipeline, runner } = request
  const hashes = codeHashes(request, code)
  const declaration = contentHash(pipeline.compiled)
  const engine = { ...run.engine!, runner, code: hashes }
  const obstacle = obstacleTo(run, request, { known, nowUs })
  const words = changeWords(run.engine!, request, { known, hashes, declaration, code })
  const change: RunChange = { atUs: nowUs, runner, declaration, words }
  const changes = [...(engine.changes ?? []), change].slice(-CHANGES_KEPT)
  return { run: { ...run, engine: words.length === 0 ? engine : { ...engine, changes } }, obstacle }
}

function codeHashes({ pipeline }: RunRequest, code: CodeReader): Record<string, string> {
  const files = new Set(Object.values(pipeline.files))
  return Object.fromEntries(
    [...files].flatMap((file) => {
      try {
        return [[code.nameOf(file), codeHash(code.closure(file))]]
      } catch {
        return [] // A file that cannot be read fails its steps, which say so.
      }
    }),
  )
}

function changeWords(
  before: EngineRun,
  { pipeline: { compiled, files } }: RunRequest,
  {
    known,
    hashes,
    declaration,
    code,
  }: {
    readonly known: readonly StepRecord[]
    readonly hashes: Readonly<Record<string, string>>
    readonly declaration: string
    readonly code: CodeReader
  },
): string[] {
  const words: string[] = []
  const was = before.code
  if (was !== undefined) {
    const changed = compiled.steps.flatMap(({ name, kind }) => {
      const file = kind === 'step' ? code.nameOf(files[name]) : undefined
      return file === undefined || was[file] === hashes[file] ? [] : [name]
    })
    if (changed.length > 0) words.push(`changed code: ${inWords(changed)}`)
  }
  if (declaration === (before.changes?.at(-1)?.declaration ?? before.declaration)) return words
  const names = new Set(compiled.steps.map(({ name }) => name))
  const started = new Set(known.map(({ step }) => step))
  const added = started.size === 0 ? [] : [...names].filter((name) => !started.has(name))
  const gone = [...started].filter((name) => !names.has(name))
  if (added.length > 0) words.push(`declared in addition: ${inWords(added)}`)
  if (gone.length > 0) words.push(`declared no more: ${inWords(gone)}`)
  const values = paramWords(before, compiled.params)
  if (added.length + gone.length + values.length === 0) words.push('a changed declaration')
  return [...words, ...values]
}

/** A run keeps the values that it began with. */
function paramWords(
  { params, given }: EngineRun,
  specs: RunRequest['pipeline']['compiled']['params'],
): string[] {
  const words = Object.entries(specs).flatMap(([name, { default: value }]) => {
    if (!(name in params)) return [`a new parameter \`${name}\` = ${String(value)}`]
    if (given?.includes(name) !== false || params[name] === value) return []
    return [
      `\`${name}\` = ${String(params[name])} as it began; its default is ${String(value)} now`,
    ]
  })
  const gone = Object.keys(params).filter((name) => specs[name] === undefined)
  return [...words, ...gone.map((name) => `without the parameter \`${name}\``)]
}

function obstacleTo(
  run: PipelineRun,
  request: RunRequest,
  { known, nowUs }: { readonly known: readonly StepRecord[]; readonly nowUs: number },
): string | null {
  const { compiled } = request.pipeline
  const names = new Set(compiled.steps.map(({ name }) => name))
  const lost = known.filter(({ step, status }) => !names.has(step) && !endedWell.has(status))
  const again = `go on with --resume ${run.id}, or start another run`
  if (lost.length > 0) {
    const which = inWords(lost.map(({ step }) => step))
    return `${compiled.name} declares ${which} no more, which this run has yet to end. Declare it again and ${again}.`
  }
  try {
    paramsOf(compiled, request.params)
    wantedSteps(compiled, request.options)
    requirePartition(request, nowUs)
    return null
  } catch (error) {
    return `It was started with what is declared no more. ${sentence(error)} Declare it again and ${again}.`
  }
}

function inWords(steps: readonly string[]): string {
  const named = steps.slice(0, NAMED_MAX).join(', ')
  const more = steps.length - NAMED_MAX
  return `${steps.length === 1 ? 'step' : 'steps'} ${named}${more > 0 ? ` and ${more} more` : ''}`
}

/** What people are told of a run that went on with something else. */
export function changeSentence({ words }: Pick<RunChange, 'words'>): string {
  return `Went on with ${words.join('; ')}. Steps whose code, parameters and inputs are the same stand as they were.`
}

/** A step of a run that cannot go on; one that had ended stays as it is. */
export function leftBehind(record: StepRecord, declared: ReadonlySet<string>): StepRecord {
  if (endedWell.has(record.status) || record.status === 'failed') return record
  if (declared.has(record.step)) return { ...record, status: 'skipped', figure: 'the run ended' }
  const problem = 'It is declared no more.'
  return { ...record, status: 'failed', figure: problem, problem }
}
