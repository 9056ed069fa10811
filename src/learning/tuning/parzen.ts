/**
 * Adaptive Parzen estimators, as the tree-structured Parzen estimator uses them (Bergstra,
 * Bardenet, Bengio and Kégl 2011, section 4; the bandwidths as in Hyperopt): densities of the
 * settings that went well and of those that did not, a parameter at a time.
 */
import { exp, ln } from '../../lib/math.ts'
import type { Random } from '../../lib/random.ts'
import { normalCdf } from '../../lib/statistics.ts'
import {
  type ChoiceParameter,
  fromScale,
  type NumberParameter,
  scaleOf,
  stretchOf,
  type Value,
} from './space.ts'

/** A density over the values of one parameter. */
export interface Density {
  draw(random: Random): Value
  /** Logarithm of the density, or of the chance where values are counted. */
  logOf(value: Value): number
}

/**
 * The density of observed numbers: a normal kernel at each, cut off at the ends of the range, and
 * one of the width of the range at its middle, the prior, which counts as `priorWeight` of them.
 * A kernel is as wide as its farther neighbour is away, but no narrower than a share of the range.
 */
export function numberDensity(
  parameter: NumberParameter,
  observed: readonly number[],
  priorWeight: number,
): Density {
  const { low, high } = scaleOf(parameter)
  const range = high - low
  if (!(range > 0)) return constant(parameter.from)
  const centre = (place: readonly [number, number]) => (place[0] + place[1]) / 2
  const places = observed.map((value) => centre(stretchOf(parameter, value)))
  const kernels = [
    ...kernelsAt(places, low, high),
    { at: low + range / 2, width: range, weight: priorWeight },
  ].map((kernel) => cutOff(kernel, low, high))
  const total = kernels.reduce((sum, { weight }) => sum + weight, 0)
  const counted = parameter.kind === 'integer' || parameter.kind === 'log-integer'

  return {
    draw(random) {
      let left = random.next() * total
      const kernel = kernels.find(({ weight }) => (left -= weight) < 0) ?? kernels[0]
      for (;;) {
        const place = random.normal(kernel.at, kernel.width)
        if (place >= low && place <= high) return fromScale(parameter, place)
      }
    },
    logOf(value) {
      const [from, to] = stretchOf(parameter, value as number)
      let sum = 0
      for (const { at, width, weight, inside } of kernels) {
        const z = (from - at) / width
        const density = counted
          ? normalCdf((to - at) / width) - normalCdf(z)
          : (INVERSE_ROOT_2PI * exp(-0.5 * z * z)) / width
        sum += (weight * density) / inside
      }
      // Far from all kernels of a long range the density underflows; that is far, not impossible.
      return ln(Math.max(sum / total, Number.MIN_VALUE))
    },
  }
}

const INVERSE_ROOT_2PI = 0.3989422804014327

type Kernel = { readonly at: number; readonly width: number; readonly weight: number }

/** A kernel a place; the prior's place is a neighbour too, the ends of the range are none. */
function kernelsAt(places: readonly number[], low: number, high: number): Kernel[] {
  const sorted = [...places].sort((a, b) => a - b)
  const middle = low + (high - low) / 2
  const narrowest = (high - low) / Math.min(100, 1 + sorted.length)
  return sorted.map((at, i) => {
    const below = Math.max(sorted[i - 1] ?? -Infinity, at >= middle ? middle : -Infinity)
    const above = Math.min(sorted[i + 1] ?? Infinity, at <= middle ? middle : Infinity)
    const reach = [at - below, above - at].filter((distance) => distance < Infinity)
    return { at, width: Math.min(high - low, Math.max(narrowest, ...reach)), weight: 1 }
  })
}

/** The share of the kernel that lies within the range makes up for what is cut off. */
function cutOff(kernel: Kernel, low: number, high: number): Kernel & { readonly inside: number } {
  const { at, width } = kernel
  return { ...kernel, inside: normalCdf((high - at) / width) - normalCdf((low - at) / width) }
}

function constant(value: Value): Density {
  return { draw: () => value, logOf: () => 0 }
}

/** Counts of the options, each raised by the prior. */
export function choiceDensity(
  { options }: ChoiceParameter,
  observed: readonly Value[],
  priorWeight: number,
): Density {
  const weights = options.map(
    (option) => priorWeight + observed.filter((value) => value === option).length,
  )
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return {
    draw(random) {
      let left = random.next() * total
      const chosen = weights.findIndex((weight) => (left -= weight) < 0)
      return options[Math.max(0, chosen)]
    },
    logOf: (value) => ln(weights[options.indexOf(value)] / total),
  }
}
