/** What a model must show before it is called ready. */
import { createRandom } from '../../lib/random.ts'
import { type Golden, plainTensor, type ServedBody, tensorOf } from './document.ts'
import { compareGolden } from './golden.ts'
import type { ModelRuntime } from './ports.ts'
import { probeInputs, rowOfInputs, thresholdsOf } from './probe.ts'
import type { Tensor } from './tensor.ts'

/** Compiled code is fast only after it ran for a while. */
const WARM_ROWS = 1000
const PROBE_ROWS = 64

/** Rows whose answers a published model carries. */
export const GOLDEN_ROWS = 32

/** The golden set of a model as this process computes it. */
export async function goldenOf(runtime: ModelRuntime, body: ServedBody): Promise<Golden> {
  const random = createRandom('golden set')
  const drawn = probeInputs(runtime.signature, GOLDEN_ROWS, random, thresholdsOf(body))
  return goldenFor(runtime, body, drawn)
}

/** The same of given rows. */
export async function goldenFor(
  runtime: ModelRuntime,
  body: ServedBody,
  rows: readonly Tensor[],
): Promise<Golden> {
  // As whoever compares will read them.
  const inputs = rows.map(plainTensor)
  const outputs = await runtime.predict(inputs.map(tensorOf))
  const tolerance = body.kind === 'engine' || body.kind === 'prepared' ? 0 : 1e-5
  return { inputs, outputs: outputs.map(plainTensor), tolerance }
}

/**
 * Compares the model with its golden set, then answers at least 1,000 rows, one at a time, as
 * requests ask for them. Every `yieldEvery` of them it lets others run. Errors: `golden_mismatch`,
 * `inputs_mismatch`, what `predict` throws.
 */
export async function warmUp(
  runtime: ModelRuntime,
  body: ServedBody,
  golden: Golden | undefined,
  yieldEvery = 100,
): Promise<void> {
  if (golden !== undefined) await compareGolden(runtime, golden)
  // Nothing here becomes faster by use where another server computes.
  if (body.kind === 'remote') return
  const random = createRandom('warm-up')
  const drawn = probeInputs(runtime.signature, PROBE_ROWS, random, thresholdsOf(body))
  const inputs = golden === undefined ? drawn : golden.inputs.map(tensorOf)
  const rows = inputs[0].shape[0]
  await runtime.predict(inputs)
  for (let done = 0; done < WARM_ROWS; done++) {
    const answered = runtime.predict(rowOfInputs(inputs, done % rows))
    if (answered instanceof Promise) await answered
    else if (done % yieldEvery === yieldEvery - 1) await new Promise(setImmediate)
  }
}
