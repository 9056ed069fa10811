import { describe, expect, test } from 'vitest'
import type { ModelVersion } from '../../registry/index.ts'
import type { StepRecord } from '../engine/index.ts'
import type { PipelineRun } from '../types.ts'
import { createOpenLineage, uuidOf, type RunEvent } from './open-lineage.ts'

const lineage = createOpenLineage({
  namespace: 'assay/bank',
  producer: 'https://example.org/assay/1.0',
  nowUs: () => 5_000_000,
})

const run = (status: PipelineRun['status'], more: Partial<PipelineRun> = {}) =>
  ({
    id: 'pipe_1',
    pipeline: 'texts',
    status,
    startedAtUs: 1_000_000,
    endedAtUs: null,
    problem: null,
    ...more,
  }) as PipelineRun

const step = (status: StepRecord['status'], more: Partial<StepRecord> = {}) =>
  ({
    runId: 'pipe_1',
    pipeline: 'texts',
    step: 'clean',
    status,
    startedAtUs: 2_000_000,
    endedAtUs: 3_000_000,
    inputs: {
      rows: { kind: 'table', digest: 'aa', source: 'step read/rows' },
      past: { kind: 'snapshot', digest: 'cc', source: 'data set payments' },
    },
    outputs: {
      rows: {
        kind: 'table',
        digest: 'bb',
        bytes: 10,
        rows: 2,
        columns: [{ name: 'text', type: 'VARCHAR' }],
      },
    },
    problem: null,
    ...more,
  }) as StepRecord

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const text = expect.stringMatching(/./)

/** What the published schema of each facet requires (openlineage.io/spec/facets), and its name there. */
const facetRules: Readonly<Record<string, readonly [name: string, required: object]>> = {
  parent: [
    'ParentRunFacet',
    { run: { runId: expect.stringMatching(uuid) }, job: { namespace: text, name: text } },
  ],
  errorMessage: ['ErrorMessageRunFacet', { message: text, programmingLanguage: text }],
  jobType: ['JobTypeJobFacet', { processingType: 'BATCH', integration: text, jobType: text }],
  version: ['DatasetVersionDatasetFacet', { datasetVersion: text }],
  schema: ['SchemaDatasetFacet', { fields: expect.any(Array) }],
  outputStatistics: ['OutputStatisticsOutputDatasetFacet', { size: expect.any(Number) }],
}

/** What the published schema requires of every event, written down plainly. */
function expectValid(event: RunEvent): void {
  expect(event.run.runId).toMatch(uuid)
  expect(['START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER']).toContain(event.eventType)
  expect(event.eventTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
  for (const uri of [event.producer, event.schemaURL]) expect(URL.canParse(uri)).toBe(true)
  for (const named of [event.job, ...event.inputs, ...event.outputs]) {
    expect(named.namespace).not.toBe('')
    expect(named.name).not.toBe('')
  }
  const bags = [event.run, event.job, ...event.inputs, ...event.outputs].map(({ facets }) => facets)
  bags.push(...event.outputs.map(({ outputFacets = {} }) => outputFacets))
  for (const [key, facet] of bags.flatMap((bag) => Object.entries(bag))) {
    const [name, required] = facetRules[key]
    expect(facet).toMatchObject(required)
    expect(URL.canParse(facet._producer)).toBe(true)
    const [, version, ...names] =
      /^https:\/\/openlineage\.io\/spec\/facets\/(\d+-\d+-\d+)\/(\w+)\.json#\/\$defs\/(\w+)$/.exec(
        facet._schemaURL,
      ) ?? []
    expect([version, ...names]).toEqual([expect.any(String), name, name])
    for (const field of (facet['fields'] ?? []) as object[]) {
      expect(field).toMatchObject({ name: text, type: text })
    }
  }
}

describe('OpenLineage events', () => {
  test('tell the beginning and the end of a run once each', () => {
    const states = ['running', 'waiting', 'running', 'done'] as const
    let before: PipelineRun | undefined
    const types = states.map((status) => {
      const now = run(status, status === 'done' ? { endedAtUs: 9_000_000 } : {})
      const event = lineage.ofRun(before, now)
      before = now
      if (event !== undefined) expectValid(event)
      return event?.eventType
    })
    expect(types).toEqual(['START', undefined, undefined, 'COMPLETE'])
  })

  test('name the parent run, the data read and the data made of a step', () => {
    const event = lineage.ofStep(step('running'), step('done'))!
    expectValid(event)
    expect(event.eventType).toBe('COMPLETE')
    expect(event.run.facets['parent']).toMatchObject({ run: { runId: uuidOf('pipe_1') } })
    expect(event.inputs.map(({ name }) => name)).toEqual(['pipelines/texts/read/rows', 'payments'])
    expect(event.outputs[0]).toMatchObject({
      name: 'pipelines/texts/clean/rows',
      facets: { version: { datasetVersion: 'bb' }, schema: { fields: [{ name: 'text' }] } },
      outputFacets: { outputStatistics: { rowCount: 2, size: 10 } },
    })
  })

  test('say what went wrong', () => {
    const event = lineage.ofStep(step('running'), step('failed', { problem: 'No such column.' }))!
    expectValid(event)
    expect(event).toMatchObject({
      eventType: 'FAIL',
      run: { facets: { errorMessage: { message: 'No such column.' } } },
    })
    expect(lineage.ofRun(run('running'), run('cancelled'))?.eventType).toBe('ABORT')
  })

  test('tell of a version what it was trained on', () => {
    const build = {
      runId: 'run_1',
      declaration: 'trees',
      snapshots: { payments: 'aa' },
      featureSets: [],
    }
    const version = {
      model: 'fraud',
      version: 2,
      project: 'cards',
      registeredAtUs: 7_000_000,
      build,
    }
    const events = lineage.ofVersion(version as unknown as ModelVersion)
    events.forEach(expectValid)
    expect(events.map(({ eventType }) => eventType)).toEqual(['START', 'COMPLETE'])
    expect(events[1]).toMatchObject({
      job: { name: 'cards.train.trees' },
      inputs: [{ name: 'payments', facets: { version: { datasetVersion: 'aa' } } }],
      outputs: [{ name: 'models/fraud', facets: { version: { datasetVersion: '2' } } }],
    })
  })
})
