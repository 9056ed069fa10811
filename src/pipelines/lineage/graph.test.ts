import { describe, expect, test } from 'vitest'
import type { SnapshotRecord } from '../../data/index.ts'
import type { CompiledFeatureSet } from '../../features/index.ts'
import { defineErrors } from '../../lib/errors.ts'
import type { ModelVersion } from '../../registry/index.ts'
import type { Deployment } from '../../serving/index.ts'
import type { LoggedModel, Run } from '../../tracking/index.ts'
import { keyOf, lineage, type LineageNode, type LineagePorts } from './graph.ts'

const errors = defineErrors({
  lineage_test_missing: { status: 404, title: 'Nothing there', action: 'Look elsewhere.' },
})

const run = (id: string, more: Partial<Run> = {}) =>
  ({ id, name: id, status: 'finished', datasets: [], tags: {}, modelOutputs: [], ...more }) as Run

const version = (number: number, runId: string, more: Partial<ModelVersion> = {}) =>
  ({
    model: 'fraud',
    version: number,
    status: 'approved',
    build: {
      runId,
      snapshots: { payments: 'aa', labels: 'bb' },
      featureSets: [{ name: 'behaviour', version: 'f1' }],
    },
    ...more,
  }) as ModelVersion

/** A registry that holds these versions alone. */
function registryOf(
  versions: readonly ModelVersion[],
): Pick<LineagePorts, 'version' | 'versionsOf' | 'trainedOn'> {
  const first = (most: number, holds: (each: ModelVersion) => boolean) => {
    const found = versions.filter(holds)
    return { versions: found.slice(0, most), more: found.length > most }
  }
  return {
    async version(model, number) {
      const found = versions.find((each) => each.model === model && each.version === number)
      if (found === undefined) throw errors.lineage_test_missing(`${model}/${number}`)
      return found
    },
    versionsOf: async (source, most) =>
      first(most, ({ build, brought }) =>
        'runId' in source
          ? build.runId === source.runId
          : brought?.loggedModelId === source.loggedModelId,
      ),
    trainedOn: async ({ kind, name, hash }, most) =>
      first(most, ({ build }) =>
        kind === 'snapshot'
          ? build.snapshots[name] === hash
          : build.featureSets.some((set) => set.name === name && set.version === hash),
      ),
  }
}

const bank: LineagePorts = {
  async run(id) {
    if (id === 'r1' || id === 'r2') return run(id)
    if (id === 'outside') {
      const datasets = [{ name: 'clicks', digest: 'd9', sourceType: 'local', source: '', tags: {} }]
      return run(id, { datasets, modelOutputs: [{ modelId: 'm-1', step: 0 }] })
    }
    throw errors.lineage_test_missing(id)
  },
  runFile: async () => undefined,
  loggedModel: async (id) =>
    ({ id, name: 'clf', modelType: 'sklearn', sourceRunId: 'outside' }) as LoggedModel,
  ...registryOf([
    version(1, 'r1'),
    version(2, 'r2'),
    version(3, 'outside', {
      brought: { source: 'models:/m-1', loggedModelId: 'm-1', format: 'sklearn', files: {} },
      build: { runId: 'outside', snapshots: {}, featureSets: [] } as never,
    }),
  ]),
  deployments: async () =>
    [
      {
        id: 'dep1',
        policy: 'cards',
        model: 'fraud',
        version: 1,
        action: 'deploy',
        document: 'doc',
      },
    ] as Deployment[],
  snapshot: async (hash) =>
    ({
      dataset: hash === 'aa' ? 'payments' : 'labels',
      hash,
      rows: 10,
      origin: { kind: 'file', name: 'payments.csv', format: 'csv', bytes: 1 },
    }) as SnapshotRecord,
  featureSets: () => [
    { name: 'behaviour', version: 'f1', source: 'payments' } as CompiledFeatureSet,
  ],
  steps: async () => [],
  products: async () => [],
  decidedBy: async (_, eventId) => (eventId === 'p1' ? 'doc' : undefined),
}

const keys = (nodes: readonly LineageNode[]) => nodes.map(keyOf).toSorted()
const arrows = async (kind: LineageNode['kind'], id: string, way: 'up' | 'down' | 'both') =>
  (await lineage({ kind, id }, way, bank)).edges.map(({ from, to }) => `${from} > ${to}`).toSorted()

describe('lineage', () => {
  test('leads from a decision back to the file that was learnt from', async () => {
    expect(await arrows('decision', 'cards/p1', 'up')).toEqual([
      'deployment:dep1 > decision:cards/p1',
      'feature-set:behaviour/f1 > run:r1',
      'file:payments.csv > snapshot:labels/bb',
      'file:payments.csv > snapshot:payments/aa',
      'run:r1 > version:fraud/1',
      'snapshot:labels/bb > run:r1',
      'snapshot:payments/aa > feature-set:behaviour/f1',
      'version:fraud/1 > deployment:dep1',
    ])
  })

  test('leads from data to everything that was made of them', async () => {
    expect(await arrows('snapshot', 'payments/aa', 'down')).toEqual([
      'run:r1 > version:fraud/1',
      'run:r2 > version:fraud/2',
      'snapshot:payments/aa > run:r1',
      'snapshot:payments/aa > run:r2',
      'version:fraud/1 > deployment:dep1',
    ])
  })

  test('goes on in one direction: what else the sources were used for is not told', async () => {
    const { nodes } = await lineage({ kind: 'version', id: 'fraud/2' }, 'both', bank)
    expect(keys(nodes)).toContain('run:r2')
    expect(keys(nodes)).not.toContain('run:r1')
    expect(nodes[0]).toMatchObject({ kind: 'version', id: 'fraud/2', detail: 'approved' })
  })

  test('knows models that were brought, with the data that the client named', async () => {
    expect(await arrows('version', 'fraud/3', 'up')).toEqual([
      'logged-model:m-1 > version:fraud/3',
      'outside-data:clicks/d9 > run:outside',
      'run:outside > logged-model:m-1',
    ])
    expect(await arrows('run', 'outside', 'down')).toEqual([
      'logged-model:m-1 > version:fraud/3',
      'run:outside > logged-model:m-1',
      'run:outside > version:fraud/3',
    ])
  })

  test('of an unknown thing is the thing alone', async () => {
    const { nodes, edges, cut } = await lineage({ kind: 'run', id: 'nothing' }, 'both', bank)
    expect({ keys: keys(nodes), edges, cut }).toEqual({
      keys: ['run:nothing'],
      edges: [],
      cut: false,
    })
  })

  test('ends with 200 things and says so', async () => {
    const many: LineagePorts = {
      ...bank,
      run: async (id) => run(id),
      ...registryOf(Array.from({ length: 300 }, (_, i) => version(i + 1, `r${i}`))),
    }
    const { nodes, cut } = await lineage({ kind: 'snapshot', id: 'payments/aa' }, 'down', many)
    expect(nodes).toHaveLength(200)
    expect(cut).toBe(true)
  })
})
