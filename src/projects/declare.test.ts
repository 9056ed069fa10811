import { expect, test } from 'vitest'
import tiny from '../../test/projects/tiny/project.ts'
import { eventTime, id, key, source } from '../data/index.ts'
import { featureSet, graphSnapshots } from '../features/index.ts'
import { boostedTrees } from '../learning/index.ts'
import { compileProject, project } from './declare.ts'
import type { ProjectDeclaration } from './declare.ts'

test('a project compiles to data that survives JSON, under a version that follows from it', () => {
  const compiled = compileProject(tiny)
  expect(JSON.parse(JSON.stringify(compiled))).toEqual(compiled)
  expect(compileProject(tiny).version).toBe(compiled.version)
  expect(compileProject({ ...tiny, seed: 8 }).version).not.toBe(compiled.version)
})

const [features] = tiny.featureSets
const [trees] = tiny.models
const other = { ...tiny.sources[0], name: 'other' }
const logins = source('logins', { columns: { id: id(), at: eventTime(), user: key('integer') } })
const besides = featureSet('besides', tiny.sources[0], (tx) => [
  tx
    .other(logins, { by: { user: 'customer_id' as never } })
    .count()
    .over('1d')
    .as('LOGINS'),
])
const visits = graphSnapshots('visits', {
  of: tiny.sources[0],
  from: 'customer_id' as never,
  to: 'terminal_id' as never,
  window: '7d',
  every: '1d',
  graph: ['density'],
})
const dense = featureSet('dense', tiny.sources[0], (tx) => [
  tx.lookup(visits.graph).value('density').as('DENSITY'),
])
const ofOther = { ...visits, options: { ...visits.options, of: other } }

test('the tables of graphs are sources of the project, after those that it declares', () => {
  const { sources, graphs } = compileProject({
    ...tiny,
    graphs: [visits],
    featureSets: [features, dense],
  })
  expect(sources.map(({ name }) => name)).toEqual(['payments', 'visits-graph'])
  expect(graphs).toMatchObject([{ name: 'visits', of: 'payments', windowUs: 7 * 86_400e6 }])
  expect(compileProject(tiny)).not.toHaveProperty('graphs')
})

const faults: [name: string, change: Partial<ProjectDeclaration>, message: RegExp][] = [
  ['has a name that no address can hold', { name: 'Tiny Bank' }, /lower-case letters/],
  ['reads a source that is not declared', { sources: [other] }, /reads "payments"; add it/],
  [
    'looks at a further source that is not declared',
    { featureSets: [features, besides] },
    /"besides" reads "logins"; add it/,
  ],
  [
    'looks a graph up that is not declared',
    { featureSets: [features, dense] },
    /"dense" reads "visits-graph"; add it to sources, or "visits" to graphs/,
  ],
  [
    'makes a graph of a source that is not declared',
    { graphs: [ofOther] },
    /the graph "visits" is made of "other"; add it to sources/,
  ],
  ['declares two graphs of one name', { graphs: [visits, visits] }, /"visits" is declared twice/],
  ['declares no model', { models: [] }, /models is empty/],
  ['declares two models of one name', { models: [trees, trees] }, /"trees" is declared twice/],
  ['learns from features that are not declared', { featureSets: [{ ...features }] }, /add it to/],
  [
    'learns two classes with a learner of numbers',
    { models: [{ ...trees, learner: boostedTrees({ objective: 'squared' }) }] },
    /"trees" has a regression learner/,
  ],
  ['learns a label that is not declared', { labels: [{ ...tiny.labels[0] }] }, /add it to labels/],
  ['names scripts that approve and is no example', { example: false }, /remove approvers/],
  ['has no data', { data: { describe: '', fileName: 'x.csv' } }, /neither generate nor file/],
  [
    'replays a day that is none',
    { replay: { from: '2018-02-30', until: '2018-03-01', speed: 1 } },
    /not a day/,
  ],
  [
    'replays backwards',
    { replay: { from: '2018-03-02', until: '2018-03-01', speed: 1 } },
    /lies before/,
  ],
]
test.each(faults)('a project that %s is refused', (_, change, message) => {
  const { kind: _kind, name, ...options } = { ...tiny, ...change }
  expect(() => compileProject(project(name, options))).toThrow(message)
})
