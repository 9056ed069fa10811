import { describe, expect, test } from 'vitest'
import { bracketRungs, rungBudgets } from './rungs.ts'
import { tuning } from './spec.ts'
import { type Attempt, tune } from './tune.ts'

describe('rungs', () => {
  test('of Hyperband are those of its algorithm (Li et al. 2018, algorithm 1, R = 81, η = 3)', () => {
    const schedule = { kind: 'hyperband', from: 1 / 81, eta: 3 } as const
    const brackets = [0, 1, 2, 3, 4].map((bracket) =>
      bracketRungs(schedule, bracket)?.map(({ count, budget }) => [count, Math.round(81 * budget)]),
    )
    expect(brackets).toEqual([
      [
        [81, 1],
        [27, 3],
        [9, 9],
        [3, 27],
        [1, 81],
      ],
      [
        [34, 3],
        [11, 9],
        [3, 27],
        [1, 81],
      ],
      [
        [15, 9],
        [5, 27],
        [1, 81],
      ],
      [
        [8, 27],
        [2, 81],
      ],
      [[5, 81]],
    ])
    expect(bracketRungs(schedule, 5)).toEqual(bracketRungs(schedule, 0))
  })

  test('begin at the least budget that is not below the declared one', () => {
    expect(rungBudgets(1, 3)).toEqual([1])
    expect(rungBudgets(0.12, 2)).toEqual([0.125, 0.25, 0.5, 1])
    expect(rungBudgets(1 / 9, 3)).toEqual([1 / 9, 1 / 3, 1])
  })
})

describe('successive halving', () => {
  /** Settings are worse the farther from 40; small budgets see them through a fixed noise. */
  const noisy = ({ setting: { x }, budget }: Attempt) => {
    const off = Math.abs((x as number) - 40)
    return off + (1 - budget) * ((((x as number) * 7919) % 5) - 2)
  }
  const spec = tuning({
    space: [{ name: 'x', kind: 'integer', from: 1, to: 64 }],
    better: 'lower',
    trials: 1000,
    schedule: { kind: 'halving', configurations: 64, from: 1 / 8, eta: 2 },
    // Every value once, so that the best one is among those that begin.
    first: Array.from({ length: 64 }, (_, i) => ({ x: i + 1 })),
  })

  test('finds the best of all settings for a part of the budget', async () => {
    const { best, state } = await tune(spec, noisy, { seed: 1 })
    expect(best?.setting).toEqual({ x: 40 })
    expect(best?.budget).toBe(1)
    const counts = [0, 1, 2, 3].map((rung) => state.trials.filter((t) => t.rung === rung).length)
    expect(counts).toEqual([64, 32, 16, 8])
    const spent = state.trials.reduce((sum, { budget }) => sum + budget, 0)
    expect(spent).toBe(32)
  })

  test('promotes the best of each rung, with their settings', async () => {
    const { state } = await tune(spec, noisy, { seed: 1 })
    const of = (rung: number) => state.trials.filter((trial) => trial.rung === rung)
    const value = (trial: (typeof state.trials)[number]) =>
      trial.outcome.status === 'done' ? trial.outcome.value : NaN
    const promoted = new Set(of(1).map(({ configuration }) => configuration))
    const worst = Math.max(
      ...of(0)
        .filter((t) => promoted.has(t.configuration))
        .map(value),
    )
    const left = of(0)
      .filter((t) => !promoted.has(t.configuration))
      .map(value)
    expect(Math.min(...left)).toBeGreaterThanOrEqual(worst)
    for (const { configuration, setting } of of(3))
      expect(setting).toEqual({ x: configuration + 1 })
  })

  test('never promotes a failed trial, and ends where nothing is left', async () => {
    const failing = (attempt: Attempt) => {
      if (attempt.number >= 3) throw new Error('broken')
      return noisy(attempt)
    }
    const { state, best, ended, note } = await tune(spec, failing, { seed: 1 })
    expect(ended).toBe('finished')
    expect(state.trials).toHaveLength(64 + 3)
    expect(best?.budget).toBe(1 / 8)
    expect(note).toContain('No trial had the whole budget')
  })

  test('by Hyperband goes on with bracket after bracket while trials are left', async () => {
    const hyperband = tuning({
      ...spec,
      first: [],
      trials: 50,
      schedule: { kind: 'hyperband', from: 1 / 9, eta: 3 },
    })
    const { state } = await tune(hyperband, noisy, { seed: 1 })
    // Brackets of 9+3+1, 5+1 and 3 trials, then from the start.
    const sizes = [0, 1, 2, 3, 4, 5, 6].map(
      (b) => state.trials.filter((t) => t.bracket === b).length,
    )
    expect(sizes).toEqual([13, 6, 3, 13, 6, 3, 6])
  })
})
