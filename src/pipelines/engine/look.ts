// What becomes of a step whose turn it is: left out, asked of people, looked up, or to be run.
import { pipelineErrors } from '../errors.ts'
import { heldApproval, verdictOf } from './approvals.ts'
import type { CompiledApproval, CompiledInput } from './compiled.ts'
import { hitAnswer, whyAnew } from './explain.ts'
import { keptInput, type FoundInput } from './inputs.ts'
import { keyOf, keyParts, paramsOf, stepParams, wantedSteps, type Wanted } from './plan.ts'
import type { KeptOutput, StepRecord } from './records.ts'
import { failStep, sentence, type Prepared, type RunContext } from './run-context.ts'
import type { Node } from './run-state.ts'

type Inputs = Readonly<Record<string, FoundInput>>

/** Looks at steps that are ready; those that must run gather in `toRun`. */
export function createLook(context: RunContext, known: readonly StepRecord[]) {
  const { state, request, signal } = context
  const { compiled } = request.pipeline
  const params = paramsOf(compiled, request.params)
  const wanted = wantedSteps(compiled, request.options)
  const before = new Map(known.map((record) => [record.step, record]))
  const toRun: Prepared[] = []

  async function look(node: Node): Promise<void> {
    const { step } = node
    const bad = node.before.find(
      ({ record }) => record.status !== 'done' && record.status !== 'cached',
    )
    const want = wanted.get(step.name) ?? 'as-known'
    if (bad !== undefined || want === 'left-out') {
      const why = bad === undefined ? 'not asked for' : `${bad.record.title} has not ended well`
      return state.end(node, { status: 'skipped', figure: why })
    }
    const inputs = await findInputs(context, node)
    if (step.kind === 'approval') return lookAtApproval(context, node, { step, inputs })
    const own = stepParams(step, params, request.partition)
    const earlier = before.get(step.name)
    const prepared = await lookUp(context, { node, step, inputs, params: own }, { want, earlier })
    if (prepared !== undefined) toRun.push(prepared)
  }

  return {
    toRun,
    /** Looks at all that is ready, until only steps that must run are left. */
    async advance(): Promise<void> {
      while (state.ready.length > 0 && !signal.aborted) {
        const node = state.ready.shift()!
        await look(node).catch((error: unknown) => failStep(context, node, sentence(error)))
        if (state.full()) await state.store()
      }
    },
  }
}

/** Ends a step whose result is known; else what it is run on. */
async function lookUp(
  { state, request, ports, code }: RunContext,
  { node, step, inputs, params }: Omit<Prepared, 'key'>,
  { want, earlier }: { readonly want: Wanted; readonly earlier: StepRecord | undefined },
): Promise<Prepared | undefined> {
  const { clock, store, environment } = ports
  const { compiled, files } = request.pipeline
  const digests = Object.entries(inputs).map(([name, { digest }]) => [name, digest] as const)
  const parts = keyParts(step, {
    file: files[step.name],
    code,
    params,
    inputs: Object.fromEntries(digests),
    environment,
  })
  const key = keyOf(parts)
  const read = readInputs(inputs)
  const mayLook = want === 'known-only' || (want === 'as-known' && step.cache)
  // What this very run has done before it was broken off counts, whatever was asked for.
  const own = earlier?.status === 'done' && earlier.key === key ? earlier : undefined
  const entry = mayLook || own !== undefined ? await store.cached(key) : undefined
  if (entry !== undefined && (await areKept(ports, entry.outputs))) {
    if (own !== undefined) {
      state.end(node, { ...own, attempts: node.record.attempts })
      return undefined
    }
    const { figure, outputs, checks } = entry
    const cache = hitAnswer(entry.madeBy)
    const nowUs = clock.nowUs()
    const at = { startedAtUs: nowUs, endedAtUs: nowUs }
    const all = { status: 'cached', key, cache, figure, outputs, checks, inputs: read } as const
    state.end(node, { ...all, ...at })
    return undefined
  }
  const removed = entry !== undefined
  const cache = await whyAnew({ pipeline: compiled.name, step, parts, removed, want }, store)
  if (want === 'known-only') {
    const why = cache.words.join('; ')
    throw pipelineErrors.pipeline_step_failed(`It would have to run (${why}); leave --only out.`)
  }
  state.change(node, { key, parts, cache, inputs: read })
  return { node, step, inputs, params, key }
}

async function areKept(
  { objects }: RunContext['ports'],
  outputs: Readonly<Record<string, KeptOutput>>,
): Promise<boolean> {
  const found = Object.values(outputs).map(({ digest, kind }) => objects.has(digest, kind))
  return (await Promise.all(found)).every(Boolean)
}

async function lookAtApproval(
  { state, ports }: RunContext,
  node: Node,
  { step, inputs }: { readonly step: CompiledApproval; readonly inputs: Inputs },
): Promise<void> {
  const approval = heldApproval(step, inputs)
  const verdict = verdictOf(approval, step.name, await ports.store.answers(state.run.id))
  const nowUs = ports.clock.nowUs()
  const read = readInputs(inputs)
  const common = { approval, inputs: read, figure: verdict.words, startedAtUs: nowUs }
  if (verdict.status === 'held') return state.change(node, { ...common, status: 'held' })
  const problem = verdict.status === 'failed' ? verdict.words : null
  state.end(node, { ...common, status: verdict.status, problem, endedAtUs: nowUs })
}

async function findInputs(context: RunContext, node: Node): Promise<Record<string, FoundInput>> {
  const found: Record<string, FoundInput> = {}
  for (const [name, input] of Object.entries(node.step.inputs)) {
    found[name] =
      input.from === 'step' ? await ofStep(context, node, input) : await context.outside.find(input)
  }
  return found
}

async function ofStep(
  { ports: { objects } }: RunContext,
  node: Node,
  { step, output }: CompiledInput & { readonly from: 'step' },
): Promise<FoundInput> {
  const made = node.before.find((each) => each.step.name === step)?.record.outputs[output]
  if (made === undefined) throw new Error(`${step} has no output ${output}.`)
  const source = `step ${step}/${output}`
  return { ...(await keptInput(made, source, objects)), source, watched: null }
}

function readInputs(inputs: Inputs): StepRecord['inputs'] {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { kind, digest, source }]) => [
      name,
      { kind, digest, source },
    ]),
  )
}
