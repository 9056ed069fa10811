/** Surfaces with known least values, to search on. */
import type { Setting, Space } from './space.ts'

export type Surface = {
  readonly space: Space
  readonly least: number
  readonly at: (setting: Setting) => number
}

/** Branin (Dixon and Szegő 1978): three equal valleys of 0.397887. */
export const branin: Surface = {
  space: [
    { name: 'x', kind: 'uniform', from: -5, to: 10 },
    { name: 'y', kind: 'uniform', from: 0, to: 15 },
  ],
  least: 0.397887,
  at(setting) {
    const [x, y] = [setting.x as number, setting.y as number]
    const valley = y - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6
    return valley ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10
  },
}

/**
 * As a learner's parameters are: a rate and a size whose logarithms count, a choice, and a
 * parameter that only one of the choices has. Least at rate 0.03, size 64, deep, 7: 0.
 */
export const learnerLike: Surface = {
  space: [
    { name: 'growth', kind: 'choice', options: ['flat', 'deep', 'wide', 'odd'] },
    { name: 'rate', kind: 'log-uniform', from: 1e-4, to: 1 },
    { name: 'size', kind: 'log-integer', from: 1, to: 4096 },
    {
      name: 'depth',
      kind: 'integer',
      from: 1,
      to: 16,
      when: { parameter: 'growth', is: ['deep'] },
    },
  ],
  least: 0,
  at({ growth, rate, size, depth }) {
    const off = (value: number, best: number) => Math.log2(value / best) ** 2
    const part = growth === 'deep' ? 0.2 * ((depth as number) - 7) ** 2 : 5
    return off(rate as number, 0.03) + off(size as number, 64) + part
  },
}
