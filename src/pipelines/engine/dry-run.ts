// What a run would do, without doing it: the same look-ups as a run, up to what cannot be known before
// a step has run.
import { AssayError } from '../../lib/errors.ts'
import { heldApproval } from './approvals.ts'
import { createCodeReader } from './code.ts'
import { stepsBefore } from './compiled.ts'
import { hitAnswer, whyAnew } from './explain.ts'
import { createOutside, keptInput, type FoundInput } from './inputs.ts'
import { keyOf, keyParts, paramsOf, stepParams, wantedSteps, type RunRequest } from './plan.ts'
import type { CacheEntry, KeyParts } from './records.ts'
import type { RunnerPorts } from './run-context.ts'

export interface PlannedStep {
  readonly step: string
  readonly would: 'run' | 'be looked up' | 'ask people' | 'be left out' | 'fail'
  readonly why: string
  /** Where all that it depends on is known. */
  readonly key: string | null
  readonly parts: KeyParts | null
  readonly entry: CacheEntry | null
}

/**
 * Says of every step what would become of it, in order; of steps after an approval, what would once
 * people have said yes.
 */
export async function planRun(
  request: RunRequest,
  ports: Pick<RunnerPorts, 'store' | 'objects' | 'datasets' | 'digests' | 'environment'>,
): Promise<PlannedStep[]> {
  const { compiled, files } = request.pipeline
  const { objects, store } = ports
  const params = paramsOf(compiled, request.params)
  const wanted = wantedSteps(compiled, request.options)
  const code = createCodeReader(request.directory)
  const outside = createOutside({ ...ports, ...request })
  const planned = new Map<string, PlannedStep>()

  async function plan(step: (typeof compiled.steps)[number]): Promise<PlannedStep> {
    const only = (would: PlannedStep['would'], why: string) =>
      ({ step: step.name, would, why, key: null, parts: null, entry: null }) satisfies PlannedStep
    const want = wanted.get(step.name) ?? 'as-known'
    if (want === 'left-out') return only('be left out', 'not asked for')
    const before = stepsBefore(step).map((name) => planned.get(name)!)
    const bad = before.find(({ would }) => would === 'fail' || would === 'be left out')
    if (bad !== undefined) return only('be left out', `${bad.step} would not end well`)
    const open = before.find(({ would }) => would === 'run')
    if (open !== undefined) return only('run', `what ${open.step} comes to is not known yet`)
    const inputs: Record<string, FoundInput> = {}
    for (const [name, input] of Object.entries(step.inputs)) {
      if (input.from !== 'step') inputs[name] = await outside.find(input)
      else {
        const made = planned.get(input.step)?.entry?.outputs[input.output]
        if (made === undefined) throw new Error(`${input.step} has no output ${input.output}.`)
        const source = `step ${input.step}/${input.output}`
        inputs[name] = { ...(await keptInput(made, source, objects)), source, watched: null }
      }
    }
    if (step.kind === 'approval') return only('ask people', heldApproval(step, inputs).question)
    const digests = Object.entries(inputs).map(([name, { digest }]) => [name, digest] as const)
    const parts = keyParts(step, {
      file: files[step.name],
      code,
      params: stepParams(step, params, request.partition),
      inputs: Object.fromEntries(digests),
      environment: ports.environment,
    })
    const key = keyOf(parts)
    const entry = (await store.cached(key)) ?? null
    const there = Object.values(entry?.outputs ?? {}).map(({ digest, kind }) =>
      objects.has(digest, kind),
    )
    const whole = entry !== null && (await Promise.all(there)).every(Boolean)
    const looked = whole && want !== 'anew' && step.cache
    const facts = { step: step.name, key, parts, entry: whole ? entry : null }
    if (looked) return { ...facts, would: 'be looked up', why: hitAnswer(entry.madeBy).words[0] }
    const { words } = await whyAnew(
      { pipeline: compiled.name, step, parts, removed: entry !== null && !whole, want },
      store,
    )
    return { ...facts, would: want === 'known-only' ? 'fail' : 'run', why: words.join('; ') }
  }

  for (const step of compiled.steps) {
    const found = await plan(step).catch((error: unknown): PlannedStep => {
      if (!(error instanceof AssayError)) throw error
      const none = { key: null, parts: null, entry: null }
      return { step: step.name, would: 'fail', why: error.detail, ...none }
    })
    planned.set(step.name, found)
  }
  return [...planned.values()]
}
