/** How the next setting is chosen: at random, or from what the finished trials taught. */
import type { Random } from '../../lib/random.ts'
import { choiceDensity, type Density, numberDensity } from './parzen.ts'
import {
  applies,
  drawAtRandom,
  drawSetting,
  type Parameter,
  type Setting,
  type Space,
} from './space.ts'

export type Sampler = RandomSampler | TpeSampler

export type RandomSampler = { readonly kind: 'random' }

/** The tree-structured Parzen estimator of Bergstra et al. 2011. */
export type TpeSampler = {
  readonly kind: 'tpe'
  /** Trials drawn at random before the first estimate. */
  readonly startup: number
  /** Values drawn for a parameter, of which the most promising is taken. */
  readonly candidates: number
  /** Share of the trials that count as good; never more than `goodMax` of them. */
  readonly goodShare: number
  readonly goodMax: number
  /** How many observations the prior counts as. */
  readonly priorWeight: number
}

/** A finished trial as a sampler sees it: higher is better, undefined where it failed. */
export type Observation = { readonly setting: Setting; readonly goodness: number | undefined }

/** The usual sampler, with the parameters of the paper and of Optuna's defaults. */
export function tpe(declared: Partial<Omit<TpeSampler, 'kind'>> = {}): TpeSampler {
  return {
    kind: 'tpe',
    startup: 10,
    candidates: 24,
    goodShare: 0.1,
    goodMax: 25,
    priorWeight: 1,
    ...declared,
  }
}

export function nextSetting(
  sampler: Sampler,
  space: Space,
  observations: readonly Observation[],
  random: Random,
): Setting {
  if (sampler.kind === 'random' || observations.length < sampler.startup) {
    return drawSetting(space, (parameter) => drawAtRandom(parameter, random))
  }
  const { good, bad } = partition(sampler, observations)
  return drawSetting(space, (parameter) => {
    const densities = [good, bad].map((part) => densityOf(parameter, part, sampler.priorWeight))
    return mostPromising(densities[0], densities[1], sampler.candidates, random)
  })
}

/** Best first; of equal ones the earlier. Failed trials teach what to avoid. */
function partition(
  { goodShare, goodMax }: TpeSampler,
  observations: readonly Observation[],
): { readonly good: readonly Setting[]; readonly bad: readonly Setting[] } {
  const order = observations
    .map(({ setting, goodness }, index) => ({ setting, goodness, index }))
    .sort((a, b) => compare(b.goodness, a.goodness) || a.index - b.index)
  const succeeded = order.filter(({ goodness }) => goodness !== undefined).length
  const wanted = Math.min(goodMax, Math.ceil(goodShare * observations.length))
  const count = Math.min(wanted, succeeded)
  const settings = order.map(({ setting }) => setting)
  return { good: settings.slice(0, count), bad: settings.slice(count) }
}

function compare(a: number | undefined, b: number | undefined): number {
  const [left, right] = [a ?? -Infinity, b ?? -Infinity]
  if (left === right) return 0
  return left < right ? -1 : 1
}

/** Only trials in which the parameter applied tell of it. */
function densityOf(
  parameter: Parameter,
  settings: readonly Setting[],
  priorWeight: number,
): Density {
  const { name } = parameter
  const values = settings
    .filter((setting) => applies(parameter, setting) && Object.hasOwn(setting, name))
    .map((setting) => setting[name])
  return parameter.kind === 'choice'
    ? choiceDensity(parameter, values, priorWeight)
    : numberDensity(parameter, values as number[], priorWeight)
}

/** The drawn value at which good trials are most frequent beside bad ones: expected improvement. */
function mostPromising(good: Density, bad: Density, candidates: number, random: Random) {
  let best = good.draw(random)
  let promise = good.logOf(best) - bad.logOf(best)
  for (let i = 1; i < candidates; i++) {
    const value = good.draw(random)
    const own = good.logOf(value) - bad.logOf(value)
    if (own > promise) {
      best = value
      promise = own
    }
  }
  return best
}
