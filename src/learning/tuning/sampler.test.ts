import { describe, expect, test } from 'vitest'
import { quantile } from '../../lib/statistics.ts'
import { tpe } from './sampler.ts'
import { tuning } from './spec.ts'
import { branin, learnerLike, type Surface } from './surface.cases.ts'
import { tune } from './tune.ts'

const SEEDS = Array.from({ length: 25 }, (_, seed) => seed)
const TRIALS = 60

/** How far above the least value the best of so many trials lies, a seed. */
async function regrets(surface: Surface, sampler: 'random' | 'tpe'): Promise<number[]> {
  const spec = tuning({
    space: surface.space,
    better: 'lower',
    trials: TRIALS,
    sampler: sampler === 'tpe' ? tpe() : { kind: 'random' },
  })
  return Promise.all(
    SEEDS.map(async (seed) => {
      const { best } = await tune(spec, ({ setting }) => surface.at(setting), { seed })
      if (best?.outcome.status !== 'done') throw new Error('no trial was done')
      return best.outcome.value - surface.least
    }),
  )
}

describe('the tree-structured Parzen estimator', () => {
  test.each([
    ['Branin', branin],
    ['a surface like that of a learner', learnerLike],
  ])('comes closer than random search in the median of seeds, on %s', async (_, surface) => {
    const [random, parzen] = [await regrets(surface, 'random'), await regrets(surface, 'tpe')]
    expect(quantile(parzen, 0.5)).toBeLessThan(quantile(random, 0.5))
  })

  test('begins at random, as random search does', async () => {
    const of = async (sampler: ReturnType<typeof tpe> | { kind: 'random' }) => {
      const spec = tuning({ space: branin.space, better: 'lower', trials: 12, sampler })
      const { state } = await tune(spec, ({ setting }) => branin.at(setting), { seed: 'begin' })
      return state.trials.map(({ setting }) => setting)
    }
    const [random, parzen] = [await of({ kind: 'random' }), await of(tpe({ startup: 8 }))]
    expect(parzen.slice(0, 8)).toEqual(random.slice(0, 8))
    expect(parzen.slice(8)).not.toEqual(random.slice(8))
  })

  test('learns from failed trials where not to go', async () => {
    const spec = tuning({
      space: [{ name: 'x', kind: 'uniform', from: 0, to: 1 }],
      better: 'lower',
      trials: 80,
      sampler: tpe(),
    })
    const evaluate = ({ setting: { x } }: { setting: Readonly<Record<string, unknown>> }) => {
      if ((x as number) > 0.5) throw new Error('too large')
      return Math.abs((x as number) - 0.25)
    }
    const { state } = await tune(spec, evaluate, { seed: 1 })
    const failed = (from: number, to: number) =>
      state.trials.slice(from, to).filter(({ outcome }) => outcome.status === 'failed').length
    expect(failed(40, 80)).toBeLessThan(failed(0, 10) * 2)
  })
})
