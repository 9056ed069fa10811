/** What a search may try, as data: canonical JSON, so that a hash names it. */
import { exp, ln } from '../../lib/math.ts'
import type { Random } from '../../lib/random.ts'
import { shown } from '../../lib/shown.ts'
import { fail } from '../errors.ts'

/** Parameters in the order in which they are drawn. */
export type Space = readonly Parameter[]

export type Parameter = NumberParameter | ChoiceParameter

export type NumberParameter = Conditional & {
  readonly name: string
  /** Evenly between the ends, or evenly between their logarithms. Both ends may be drawn. */
  readonly kind: 'uniform' | 'log-uniform' | 'integer' | 'log-integer'
  readonly from: number
  readonly to: number
}

export type ChoiceParameter = Conditional & {
  readonly name: string
  readonly kind: 'choice'
  readonly options: readonly Value[]
}

type Conditional = {
  /** The parameter is drawn only where an earlier choice has one of these values. */
  readonly when?: { readonly parameter: string; readonly is: readonly Value[] }
}

export type Value = number | string | boolean | null

/** A value a parameter that applies; others are absent. */
export type Setting = Readonly<Record<string, Value>>

const PARAMETERS_MAX = 100
const OPTIONS_MAX = 1000

/** Throws `tuning_invalid` that names the parameter. */
export function checkSpace(space: Space): void {
  if (space.length === 0 || space.length > PARAMETERS_MAX) {
    throw fail.tuning_invalid(`A space has 1 to ${PARAMETERS_MAX} parameters.`)
  }
  const choices = new Map<string, readonly Value[]>()
  const names = new Set<string>()
  for (const parameter of space) {
    const { name, when } = parameter
    if (typeof name !== 'string' || name === '' || name === '__proto__' || names.has(name)) {
      throw fail.tuning_invalid(`"${name}" cannot name a parameter, or does so twice.`)
    }
    if (when !== undefined) {
      const options = choices.get(when.parameter)
      if (options === undefined || !when.is.every((value) => options.includes(value))) {
        throw fail.tuning_invalid(
          `The parameter "${name}" depends on values of "${when.parameter}" that no earlier ` +
            'choice offers.',
        )
      }
    }
    if (!isDrawable(parameter)) {
      throw fail.tuning_invalid(`Nothing can be drawn from the range of "${name}".`)
    }
    names.add(name)
    if (parameter.kind === 'choice') choices.set(name, parameter.options)
  }
}

function isDrawable(parameter: Parameter): boolean {
  if (parameter.kind === 'choice') {
    const { options } = parameter
    const distinct = new Set(options).size === options.length
    return distinct && options.length > 0 && options.length <= OPTIONS_MAX && options.every(isValue)
  }
  const { kind, from, to } = parameter
  const ordered = Number.isFinite(from) && Number.isFinite(to) && from <= to
  if (kind === 'uniform') return ordered && Number.isFinite(to - from)
  if (kind === 'log-uniform') return ordered && from > 0
  const whole = Number.isSafeInteger(from) && Number.isSafeInteger(to)
  if (kind === 'integer') return ordered && whole
  return kind === 'log-integer' && ordered && whole && from >= 1
}

function isValue(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return value === null || typeof value === 'string' || typeof value === 'boolean'
}

/** Whether a parameter applies, given the values of those before it. */
export function applies({ when }: Parameter, setting: Setting): boolean {
  if (when === undefined) return true
  return Object.hasOwn(setting, when.parameter) && when.is.includes(setting[when.parameter])
}

/** Draws a value of every parameter that applies, in order. */
export function drawSetting(space: Space, draw: (parameter: Parameter) => Value): Setting {
  const setting: Record<string, Value> = {}
  for (const parameter of space) {
    if (applies(parameter, setting)) setting[parameter.name] = draw(parameter)
  }
  return setting
}

/** Throws `tuning_invalid` unless the setting is one that the space can give. */
export function checkSetting(space: Space, setting: Setting): void {
  const names = new Set(Object.keys(setting))
  for (const parameter of space) {
    const { name } = parameter
    const present = names.delete(name)
    if (present !== applies(parameter, setting) || (present && !holds(parameter, setting[name]))) {
      throw fail.tuning_invalid(`The space does not give "${name}" as ${shown(setting[name])}.`)
    }
  }
  for (const name of names) throw fail.tuning_invalid(`The space has no parameter "${name}".`)
}

function holds(parameter: Parameter, value: Value): boolean {
  if (parameter.kind === 'choice') return parameter.options.includes(value)
  const { from, to, kind } = parameter
  if (typeof value !== 'number' || !(value >= from && value <= to)) return false
  return kind === 'uniform' || kind === 'log-uniform' || Number.isInteger(value)
}

/** A value as a search without memory draws it. */
export function drawAtRandom(parameter: Parameter, random: Random): Value {
  if (parameter.kind === 'choice') return parameter.options[random.int(parameter.options.length)]
  const { low, high } = scaleOf(parameter)
  return fromScale(parameter, random.uniform(low, high))
}

/**
 * The line on which a parameter's values lie evenly: its own, or that of logarithms. A whole
 * number takes the stretch from half below to half above it, so that all are as likely.
 */
export function scaleOf({ kind, from, to }: NumberParameter): {
  readonly low: number
  readonly high: number
} {
  switch (kind) {
    case 'uniform':
      return { low: from, high: to }
    case 'log-uniform':
      return { low: ln(from), high: ln(to) }
    case 'integer':
      return { low: from - 0.5, high: to + 0.5 }
    case 'log-integer':
      return { low: ln(from - 0.5), high: ln(to + 0.5) }
  }
}

/** The stretch of the line on which a value lies: a point where values are not whole numbers. */
export function stretchOf({ kind }: NumberParameter, value: number): readonly [number, number] {
  switch (kind) {
    case 'uniform':
      return [value, value]
    case 'log-uniform':
      return [ln(value), ln(value)]
    case 'integer':
      return [value - 0.5, value + 0.5]
    case 'log-integer':
      return [ln(value - 0.5), ln(value + 0.5)]
  }
}

/** The value at a place of the line; rounding never leaves the range. */
export function fromScale({ kind, from, to }: NumberParameter, place: number): number {
  const log = kind === 'log-uniform' || kind === 'log-integer'
  const value = log ? exp(place) : place
  const whole = kind === 'integer' || kind === 'log-integer' ? Math.round(value) : value
  return Math.min(to, Math.max(from, whole)) + 0
}
