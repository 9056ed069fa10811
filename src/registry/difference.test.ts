import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { versionDifference, type Change } from './difference.ts'
import { sampleBrought, sampleVersion } from './store.cases.ts'
import type { ModelVersion } from './types.ts'

const values = fc.dictionary(fc.string({ maxLength: 4 }), fc.string({ maxLength: 3 }))
const versions: fc.Arbitrary<ModelVersion> = fc
  .record({
    snapshots: values,
    params: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 2 })),
    sets: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
    metrics: fc.dictionary(
      fc.constantFrom('auc', 'loss'),
      fc.record({ value: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
    ),
    environment: fc.option(fc.string({ maxLength: 4 }), { nil: undefined }),
  })
  .map(({ snapshots, params, sets, metrics, environment }) => {
    const sample = sampleVersion('m', 1)
    const featureSets = sets.map((name) => ({ name, version: `${name}1` }))
    const build = { ...sample.build, snapshots, learner: params, featureSets, environment }
    return { ...sample, build, metrics }
  })

const mirrored: Record<Change, Change> = {
  same: 'same',
  changed: 'changed',
  added: 'removed',
  removed: 'added',
}

describe('the difference of two versions', () => {
  test('is nothing between a version and itself', () => {
    fc.assert(
      fc.property(versions, (version) => {
        expect(versionDifference(version, version).changed).toBe(0)
      }),
    )
  })

  test('is the same the other way round, with the sides exchanged', () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        const there = versionDifference(a, b)
        const back = versionDifference(b, a)
        expect(back.changed).toBe(there.changed)
        for (const [i, group] of there.groups.entries()) {
          expect(back.groups[i].rows).toEqual(
            group.rows.map((row) => ({
              ...row,
              from: row.to,
              to: row.from,
              change: mirrored[row.change],
              ...(row.metrics && { metrics: { from: row.metrics.to, to: row.metrics.from } }),
            })),
          )
        }
      }),
    )
  })

  test('names parameters by their path, features by their set, and metrics with intervals', () => {
    const a = sampleVersion('card-fraud', 1)
    const b: ModelVersion = {
      ...sampleVersion('card-fraud', 2),
      build: {
        ...a.build,
        learner: { kind: 'boosted-trees', trees: 200, params: { depth: 3 } },
        featureSets: [
          { name: 'handbook', version: 'f2' },
          { name: 'graph', version: 'g1' },
        ],
      },
      metrics: { roc_auc: { ...a.metrics['roc_auc'], low: 0.861 } },
    }
    const changed = versionDifference(a, b).groups.flatMap((group) =>
      group.rows
        .filter(({ change }) => change !== 'same')
        .map(({ name, from, to, change }) => [group.name, name, change, from, to]),
    )
    expect(changed).toEqual([
      ['parameters', 'params.depth', 'added', null, '3'],
      ['parameters', 'rate', 'removed', '0.1', null],
      ['parameters', 'trees', 'changed', '100', '200'],
      ['features', 'graph', 'added', null, 'g1'],
      ['features', 'handbook', 'changed', 'f1', 'f2'],
      ['metrics', 'roc_auc', 'changed', '0.871', '0.871'],
    ])
  })

  test('compares a version that was brought with one that was built', () => {
    const { groups } = versionDifference(sampleVersion('m', 1), sampleBrought('m', 2))
    const learner = groups.find(({ name }) => name === 'learner')
    expect(learner?.rows.find(({ name }) => name === 'format')).toEqual({
      name: 'format',
      from: null,
      to: 'xgboost-json',
      change: 'added',
    })
  })
})
