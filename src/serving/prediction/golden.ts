/** Whether a model gives the answers that are expected of it. */
import { servingErrors } from '../errors.ts'
import { type Golden, tensorOf } from './document.ts'
import type { ModelRuntime } from './ports.ts'
import { checkInputs } from './signature.ts'
import { sizeOf, type Tensor } from './tensor.ts'

/** Differing rows that a refusal tells. */
const ROWS_TOLD = 5
/** Values of a row that it tells. */
const VALUES_TOLD = 6

/**
 * Asks the model for the rows of a golden set and compares the outputs that it names. Errors:
 * `golden_mismatch`, with the first rows that differ; `inputs_mismatch`; what `predict` throws.
 */
export async function compareGolden(runtime: ModelRuntime, golden: Golden): Promise<void> {
  const inputs = golden.inputs.map(tensorOf)
  const rows = checkInputs(runtime.signature, inputs)
  const outputs = await runtime.predict(inputs)
  const differing = new Map<number, string[]>()
  for (const expected of golden.outputs.map(tensorOf)) {
    const given = outputs.find(({ name }) => name === expected.name)
    for (const row of differingRows(expected, given, golden.tolerance)) {
      const told = `"${expected.name}" is ${valuesAt(given!, row)} and should be ${valuesAt(expected, row)}`
      differing.set(row, [...(differing.get(row) ?? []), told])
    }
  }
  if (differing.size === 0) return
  const first = [...differing.keys()].toSorted((a, b) => a - b).slice(0, ROWS_TOLD)
  const told = first.map((row) => `row ${row}: ${differing.get(row)!.join(', ')}`)
  throw servingErrors.golden_mismatch(
    `${differing.size} of ${rows} rows differ from the golden set by more than ${golden.tolerance}: ${told.join('; ')}.`,
  )
}

function differingRows(expected: Tensor, given: Tensor | undefined, tolerance: number): number[] {
  if (given === undefined || sizeOf(given.shape) !== expected.data.length) {
    const what = given === undefined ? 'no such output' : `[${given.shape.join(',')}]`
    throw servingErrors.golden_mismatch(
      `The golden set holds "${expected.name}" of [${expected.shape.join(',')}], and the model gives ${what}.`,
    )
  }
  const [rows] = expected.shape
  const width = expected.data.length / rows
  const isSame = (at: number) => isLike(expected.data[at], given.data[at], tolerance)
  return Array.from({ length: rows }, (_, row) => row).filter((row) => {
    for (let at = row * width; at < (row + 1) * width; at++) if (!isSame(at)) return true
    return false
  })
}

/** A number may lie so far from the expected one, as a share of the greater of 1 and that. */
function isLike(
  expected: number | string | null,
  given: number | string | null,
  tolerance: number,
): boolean {
  if (typeof expected !== 'number' || typeof given !== 'number') return expected === given
  if (Number.isNaN(expected)) return !Number.isFinite(given)
  return (
    expected === given || Math.abs(expected - given) <= tolerance * Math.max(1, Math.abs(expected))
  )
}

function valuesAt({ shape, data }: Tensor, row: number): string {
  const width = data.length / shape[0]
  const values = Array.from<number | string | null>(data.slice(row * width, (row + 1) * width))
  const told = values.slice(0, VALUES_TOLD).map((value) => JSON.stringify(value))
  return width === 1 ? told[0] : `[${told.join(', ')}${width > VALUES_TOLD ? ', …' : ''}]`
}
