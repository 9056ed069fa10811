import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { tpe } from './sampler.ts'
import { type Schedule, tuning, type TuningSpec } from './spec.ts'
import { branin, learnerLike } from './surface.cases.ts'
import { type Attempt, tune, type TuningState } from './tune.ts'

const seed = 'tune'

/** A figure that grows better with the budget, and fails here and there. */
function evaluate({ setting, budget }: Attempt): number {
  const value = learnerLike.at(setting)
  if (Math.floor(value * 10) % 7 === 0) throw new Error(`no figure of ${value}`)
  return value + 1 / budget
}

const schedules: readonly Schedule[] = [
  { kind: 'full' },
  { kind: 'halving', configurations: 16, from: 0.2, eta: 2 },
  { kind: 'hyperband', from: 1 / 9, eta: 3 },
]

const specs: readonly TuningSpec[] = schedules.flatMap((schedule) =>
  [1, 3].map((batch) =>
    tuning({
      space: learnerLike.space,
      better: 'lower',
      trials: 30,
      sampler: tpe({ startup: 5 }),
      schedule,
      batch,
      first: [{ growth: 'flat', rate: 0.1, size: 31 }],
    }),
  ),
)

const named = specs.map((spec) => [`${spec.schedule.kind}, ${spec.batch} at once`, spec] as const)
const saved = (state: TuningState) => JSON.parse(JSON.stringify(state)) as TuningState

describe.each(named)('a tuning (%s)', (_, spec) => {
  test('tries the same for the same seed, and something else for another', async () => {
    const [a, b, c] = [
      await tune(spec, evaluate, { seed }),
      await tune(spec, evaluate, { seed }),
      await tune(spec, evaluate, { seed: 'other' }),
    ]
    expect(canonicalJson(a.state)).toBe(canonicalJson(b.state))
    expect(c.state.trials).not.toEqual(a.state.trials)
    expect(a.state.trials[0].setting).toEqual(spec.first[0])
  })

  test('that was stopped anywhere and resumed tries what it would have tried', async () => {
    const whole = await tune(spec, evaluate, { seed })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }),
        async (stops) => {
          let resume: TuningState | undefined
          for (const after of stops) {
            const stop = new AbortController()
            let seen = 0
            const part = await tune(spec, evaluate, {
              seed,
              signal: stop.signal,
              ...(resume === undefined ? {} : { resume }),
              onTrial: () => {
                seen++
                if (seen >= after) stop.abort()
              },
            })
            resume = saved(part.state)
          }
          const rest = await tune(spec, evaluate, {
            seed,
            ...(resume === undefined ? {} : { resume }),
          })
          expect(canonicalJson(rest.state)).toBe(canonicalJson(whole.state))
          expect(rest.best).toEqual(whole.best)
        },
      ),
      { numRuns: 8 },
    )
  })

  test('resumes from the state saved after any trial, even within a block', async () => {
    const states: TuningState[] = []
    const whole = await tune(spec, evaluate, {
      seed,
      onTrial: (_trial, { state }) => states.push(saved(state)),
    })
    expect(states).toHaveLength(whole.state.trials.length)
    for (const resume of states.filter((_state, i) => i % 4 === 1)) {
      const rest = await tune(spec, evaluate, { seed, resume })
      expect(canonicalJson(rest.state)).toBe(canonicalJson(whole.state))
    }
  })

  test('tries the same however long its evaluations take', async () => {
    const whole = await tune(spec, evaluate, { seed })
    const slow = await tune(
      spec,
      async (attempt) => {
        // Trials of a block end in another order than they began.
        for (let i = attempt.number % 3; i < 3; i++) await Promise.resolve()
        return evaluate(attempt)
      },
      { seed },
    )
    expect(canonicalJson(slow.state)).toBe(canonicalJson(whole.state))
  })

  test('records failed trials and goes on', async () => {
    const { state, note } = await tune(spec, evaluate, { seed })
    const failed = state.trials.filter(({ outcome }) => outcome.status === 'failed')
    expect(failed.length).toBeGreaterThan(0)
    expect(failed[0].outcome).toMatchObject({ error: expect.stringContaining('no figure of') })
    expect(note).toContain(`${failed.length} of ${state.trials.length} trials failed`)
  })
})

describe('a tuning', () => {
  const spec = tuning({ space: branin.space, better: 'lower', trials: 10 })
  const onBranin = ({ setting }: Attempt) => branin.at(setting)

  test('says that the figure of its best trial flatters', async () => {
    const { best, note, state } = await tune(spec, onBranin, { seed })
    const values = state.trials.map(({ outcome }) =>
      outcome.status === 'done' ? outcome.value : NaN,
    )
    expect(best?.outcome).toEqual({ status: 'done', value: Math.min(...values) })
    expect(note).toContain('flatters')
  })

  test('looks for the highest figure, or the nearest to a best one, where that is good', async () => {
    const figures = async (better: TuningSpec['better']) => {
      const { best, state } = await tune({ ...spec, better }, onBranin, { seed })
      const all = state.trials.map(({ outcome }) =>
        outcome.status === 'done' ? outcome.value : NaN,
      )
      return { best: best?.outcome.status === 'done' ? best.outcome.value : NaN, all }
    }
    const highest = await figures('higher')
    expect(highest.best).toBe(Math.max(...highest.all))
    const nearest = await figures({ nearest: 20 })
    const distances = nearest.all.map((value) => Math.abs(value - 20))
    expect(Math.abs(nearest.best - 20)).toBe(Math.min(...distances))
  })

  test('begins no trial after its time', async () => {
    let nowUs = 0
    const slow = (attempt: Attempt) => {
      nowUs += 3e6
      return onBranin(attempt)
    }
    const part = await tune(spec, slow, { seed, seconds: 7, nowUs: () => nowUs })
    expect(part.ended).toBe('time')
    expect(part.state.trials).toHaveLength(3)
    const rest = await tune(spec, slow, { seed, resume: part.state, nowUs: () => nowUs })
    expect(rest.ended).toBe('finished')
    expect(rest.state).toEqual((await tune(spec, onBranin, { seed })).state)
  })

  test('can be stopped from outside between trials that never wait', async () => {
    const stop = new AbortController()
    setImmediate(() => stop.abort())
    const { ended, state } = await tune(spec, onBranin, { seed, signal: stop.signal })
    expect(ended).toBe('stopped')
    expect(state.trials.length).toBeLessThan(10)
  })

  test('counts a figure that is no number as a failure', async () => {
    const { best, note, state } = await tune(spec, () => NaN, { seed })
    expect(best).toBeUndefined()
    expect(state.trials[0].outcome).toEqual({ status: 'failed', error: 'The figure is NaN.' })
    expect(note).toContain('no best setting')
  })

  test('keeps what an evaluation wants kept', async () => {
    const facts = { folds: [1, 2] }
    const { state } = await tune(spec, () => ({ value: 1.5, facts }), { seed })
    expect(state.trials[9].outcome).toEqual({ status: 'done', value: 1.5, facts })
  })

  test('refuses a state of another declaration, seed or making', async () => {
    const { state } = await tune(spec, onBranin, { seed })
    const resumed = (resume: TuningState, by = spec) => tune(by, onBranin, { seed, resume })
    await expect(resumed(state, { ...spec, trials: 11 })).rejects.toThrow('declared otherwise')
    await expect(resumed({ ...state, seed: 1 })).rejects.toThrow('under the seed 1')
    await expect(resumed({ ...state, format: 'x' as never })).rejects.toThrow('format is "x"')
    const [first, ...rest] = state.trials
    const changed = { ...first, setting: { x: 0, y: 0 } }
    await expect(resumed({ ...state, trials: [changed, ...rest] })).rejects.toThrow('Trial 0')
    const beyond = { ...first, number: 10 }
    await expect(resumed({ ...state, trials: [beyond] })).rejects.toThrow('trial 10 of 10')
    const without = { ...first, outcome: {} as never }
    await expect(resumed({ ...state, trials: [without] })).rejects.toThrow('no outcome')
  })

  test('is refused with the parameter that is wrong', () => {
    const of = (declared: Partial<TuningSpec>) => () => tuning({ ...spec, ...declared })
    expect(of({ trials: 0 })).toThrow('"trials"')
    expect(of({ trials: 10_001 })).toThrow('"trials"')
    expect(of({ batch: 0 })).toThrow('"batch"')
    expect(of({ better: 'tall' as never })).toThrow('"better"')
    expect(of({ first: [{ x: 99, y: 0 }] })).toThrow('"x" as 99')
    expect(of({ sampler: tpe({ candidates: 0 }) })).toThrow('"sampler.candidates"')
    expect(of({ schedule: { kind: 'hyperband', from: 0, eta: 3 } })).toThrow('"schedule.from"')
    const few = { kind: 'halving', configurations: 5, from: 1 / 9, eta: 3 } as const
    expect(of({ schedule: few })).toThrow('take 9 or more')
  })
})
