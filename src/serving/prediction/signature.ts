/** What a model takes and gives, and the check of a request against it. */
import { servingErrors } from '../errors.ts'
import { isNumberType, type Datatype, type Tensor, typeText } from './tensor.ts'

export interface TensorSpec {
  readonly name: string
  readonly datatype: Datatype
  /** −1 where a length is open. The first dimension is that of the rows. */
  readonly shape: readonly number[]
  /** Whether a value may be missing: NaN, or null in JSON. Absent: it may. */
  readonly missing?: boolean
  /** The least and the greatest value, where the signature knows them. */
  readonly min?: number
  readonly max?: number
  /** The only texts that are taken, where the signature knows them. */
  readonly texts?: readonly string[]
}

export interface ModelSignature {
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  /**
   * Where all inputs are columns of numbers, they may come as one table instead: this is its name
   * and shape, its columns in the order of `inputs`.
   */
  readonly table?: TensorSpec
  /** Whether any numeric type is taken where one is declared; absent: only the declared one. */
  readonly widens?: boolean
}

/** Mismatches that a refusal tells in full; of more it tells the number. */
const TOLD_MAX = 20

/** Collects what is wrong with a request, so that all of it is told at once. */
export class Mismatches {
  private readonly told: string[] = []
  private count = 0

  add(text: string): void {
    this.count++
    if (this.told.length < TOLD_MAX) this.told.push(text)
  }

  /** Error: `inputs_mismatch`, where there is anything wrong. */
  refuse(): void {
    if (this.count === 0) return
    const more = this.count - this.told.length
    const rest = more === 0 ? '' : `; and ${more} more`
    throw servingErrors.inputs_mismatch(`${this.told.join('; ')}${rest}.`)
  }
}

/** Whether the inputs are the one table that the signature takes instead of columns. */
export function isTable({ table }: ModelSignature, inputs: readonly Tensor[]): boolean {
  return table !== undefined && inputs.length === 1 && inputs[0].name === table.name
}

/**
 * Checks names, shapes, types and ranges, and that all inputs have as many rows. Returns that number.
 * Error: `inputs_mismatch`, which lists everything that is wrong.
 */
export function checkInputs(signature: ModelSignature, inputs: readonly Tensor[]): number {
  const wrong = new Mismatches()
  const { table } = signature
  if (table !== undefined && isTable(signature, inputs)) {
    checkTensor(table, inputs[0], signature, wrong)
    signature.inputs.forEach((column, at) => checkColumn(column, at, inputs[0], wrong))
  } else {
    checkNames(signature, inputs, wrong)
  }
  wrong.refuse()
  const rows = inputs.length === 0 ? 0 : inputs[0].shape[0]
  for (const { name, shape } of inputs) {
    if (shape[0] !== rows && signature.widens) {
      wrong.add(`input "${name}" has ${shape[0]} rows and "${inputs[0].name}" has ${rows}`)
    }
  }
  wrong.refuse()
  return rows
}

function checkNames(signature: ModelSignature, inputs: readonly Tensor[], wrong: Mismatches): void {
  const given = new Map<string, Tensor>()
  for (const input of inputs) {
    if (given.has(input.name)) wrong.add(`input "${input.name}" is there twice`)
    given.set(input.name, input)
  }
  for (const spec of signature.inputs) {
    const input = given.get(spec.name)
    if (input === undefined) wrong.add(`input "${spec.name}" (${typeText(spec)}) is missing`)
    else checkTensor(spec, input, signature, wrong)
    given.delete(spec.name)
  }
  for (const name of given.keys()) wrong.add(`input "${name}" is not one of the model's`)
}

function checkTensor(
  spec: TensorSpec,
  input: Tensor,
  { widens = false }: ModelSignature,
  wrong: Mismatches,
): void {
  const isType =
    spec.datatype === input.datatype ||
    (widens && isNumberType(spec.datatype) && isNumberType(input.datatype))
  if (!isType || !isShape(spec.shape, input.shape)) {
    wrong.add(`input "${spec.name}" is ${typeText(input)}; the model takes ${typeText(spec)}`)
    return
  }
  if (input.datatype === 'BYTES') checkTexts(spec, input.data, wrong)
  else checkNumbers(spec, input.data, 0, 1, wrong)
}

function isShape(wanted: readonly number[], given: readonly number[]): boolean {
  if (given.length === wanted.length) {
    return wanted.every((length, at) => length === -1 || length === given[at])
  }
  // A column of one value a row comes as a list or as a table of one column.
  return wanted.length === 1 && given.length === 2 && given[1] === 1
}

function checkTexts(
  { name, texts, missing = true }: TensorSpec,
  data: readonly (string | null)[],
  wrong: Mismatches,
): void {
  if (!missing && data.includes(null)) wrong.add(`input "${name}" has no text in some row`)
  if (texts === undefined) return
  const strange = data.find((text) => text !== null && !texts.includes(text))
  if (typeof strange === 'string') {
    wrong.add(`input "${name}" holds ${JSON.stringify(strange.slice(0, 40))}, which is not known`)
  }
}

function checkColumn(spec: TensorSpec, at: number, table: Tensor, wrong: Mismatches): void {
  if (table.datatype !== 'BYTES') checkNumbers(spec, table.data, at, table.shape[1], wrong)
}

/**
 * Looks at every `step`-th number from `first` on. Infinities are never taken: a live feature has none,
 * a contract refuses them, and engines do not agree on what they mean.
 */
function checkNumbers(
  { name, missing = true, min = -Infinity, max = Infinity }: TensorSpec,
  data: Float64Array,
  first: number,
  step: number,
  wrong: Mismatches,
): void {
  for (let at = first; at < data.length; at += step) {
    const value = data[at]
    const row = (at - first) / step
    if (value !== value) {
      if (missing) continue
      wrong.add(`input "${name}" has no value in row ${row}, and the model takes no missing values`)
      return
    }
    if (value === Infinity || value === -Infinity) {
      wrong.add(
        `input "${name}" is ${value} in row ${row}; a value is a finite number, or NaN where it is missing`,
      )
      return
    }
    if (value < min || value > max) {
      wrong.add(`input "${name}" is ${value} in row ${row}, outside of ${min} to ${max}`)
      return
    }
  }
}
