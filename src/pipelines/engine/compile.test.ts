import { expect, test } from 'vitest'
import { check } from '../../data/index.ts'
import { compilePipeline, compilePipelines } from './compile.ts'
import { approval, given, pipeline, step, type PipelineDeclaration } from './declare.ts'
import type { OutputKind } from './kinds.ts'
import { cron, freshness, partitionBy } from './when.ts'

const rowsOf = step('rows', {
  inputs: { raw: 'file' },
  params: { days: { default: 7, min: 1 }, day: '' },
  outputs: { rows: 'table', facts: 'metrics', text: 'file' },
  run: async () => {},
})
const learn = step('learn', {
  inputs: { rows: 'table', facts: 'json' },
  outputs: { model: 'json' },
  run: async () => {},
})

const made = (options: Partial<Parameters<typeof pipeline>[1]>) =>
  pipeline('texts', {
    steps() {
      const rows = rowsOf({ inputs: { raw: given.file('a.csv') } })
      return { rows }
    },
    ...options,
  })

test('steps are put in an order in which each comes after those it reads', () => {
  const compiled = compilePipeline(
    pipeline('texts', {
      params: { days: 3 },
      steps({ params }) {
        const rows = rowsOf({
          inputs: { raw: given.file('a.csv') },
          params: { days: params.days },
        })
        const learnt = learn({ inputs: { rows: rows.outputs.rows, facts: rows.outputs.facts } })
        return { learnt, look: approval({ question: 'Good?', after: [learnt] }), rows }
      },
    }),
  )
  expect(compiled.steps.map(({ name }) => name)).toEqual(['rows', 'learnt', 'look'])
  expect(compiled.steps[0]).toMatchObject({
    declared: 'rows',
    params: { days: { from: 'param', param: 'days' }, day: { from: 'value', value: '' } },
  })
  expect(JSON.parse(JSON.stringify(compiled))).toEqual(compiled)
})

test('wiring an output of another kind is an error of types, and of the declaration', () => {
  const rows = rowsOf({ inputs: { raw: given.file('a.csv') } })
  // @ts-expect-error a file is no table
  const wrong = learn({ inputs: { rows: rows.outputs.text, facts: rows.outputs.facts } })
  expect(() => compilePipeline(pipeline('texts', { steps: () => ({ rows, wrong }) }))).toThrow(
    'wrong.inputs.rows takes table, and is wired to file',
  )
})

test('inputs and parameters that a step has not are errors of types, and of the declaration', () => {
  // @ts-expect-error every input is wired
  const open = rowsOf({ inputs: {} })
  expect(() => compilePipeline(pipeline('texts', { steps: () => ({ open }) }))).toThrow(
    'open.inputs.raw is not wired to anything',
  )
  const raw = given.file('a.csv')
  // @ts-expect-error days is a number
  const typed = rowsOf({ inputs: { raw }, params: { days: 'seven' } })
  expect(() => compilePipeline(pipeline('texts', { steps: () => ({ typed }) }))).toThrow(
    'typed.params.days: it is a number, and "seven" is a string',
  )
})

test.each<[string, PipelineDeclaration, string]>([
  [
    'a name that is none',
    made({ steps: () => ({ 'not a name': rowsOf({ inputs: { raw: given.file('a') } }) }) }),
    '"not a name" is no name',
  ],
  [
    'a file outside',
    made({ steps: () => ({ rows: rowsOf({ inputs: { raw: given.file('../a') } }) }) }),
    'does not lie in the project',
  ],
  [
    'a partition where there are none',
    made({ steps: () => ({ rows: rowsOf({ inputs: { raw: given.file('{partition}') } }) }) }),
    'names a partition, and there are none',
  ],
  [
    'a step that is missing',
    made({
      steps: () => ({
        learnt: learn({
          inputs: {
            rows: given.table('a'),
            facts: rowsOf({ inputs: { raw: given.file('a') } }).outputs.facts,
          },
        }),
      }),
    }),
    'a step that is not among steps',
  ],
  ['no steps', made({ steps: () => ({}) }), 'it has 0 steps'],
  ['a clock that is none', made({ triggers: [cron('sometimes')] }), 'cron("sometimes")'],
  [
    'a clock in no zone',
    made({ triggers: [cron('0 3 * * *', { timeZone: 'Moon/Crater' })] }),
    'cron(',
  ],
  [
    'a duration that is none',
    made({ triggers: [freshness('soon')] }),
    'freshness("soon") is no duration',
  ],
  [
    'partitions backwards',
    made({ partitions: partitionBy.day({ from: '2026-02-01', until: '2026-01-01' }) }),
    'until lies before from',
  ],
  [
    'a month that is none',
    made({ partitions: partitionBy.month({ from: '2026-13' }) }),
    '"2026-13" is no month',
  ],
  ['too much at once', made({ parallel: 1000 }), 'parallel is a whole number'],
])('%s is refused', (_what, declaration, said) => {
  expect(() => compilePipeline(declaration)).toThrow(said)
})

test('checks are of tables, and must be able to fail', () => {
  const with_ = (kind: OutputKind, checks: Parameters<typeof check.rows>[0]) =>
    pipeline('texts', {
      steps: () => ({
        one: step('one', {
          outputs: { out: { kind, checks: [check.rows(checks)] } },
          run: async () => {},
        })({}),
      }),
    })
  expect(() => compilePipeline(with_('json', { min: 1 }))).toThrow('checks are of tables')
  expect(() => compilePipeline(with_('table', {}))).toThrow('give min, max or both')
  expect(() => compilePipeline(with_('table', { min: 2, max: 1 }))).toThrow('min is above max')
})

test('a product of another pipeline must be made by one of the project', () => {
  const texts = pipeline('texts', {
    steps: () => ({ rows: rowsOf({ inputs: { raw: given.file('a') } }) }),
    products: ({ rows }) => ({ rows: rows.outputs.rows, facts: rows.outputs.facts }),
  })
  const training = pipeline('training', {
    steps: () => ({ learnt: learn({ inputs: texts.products }) }),
  })
  expect(compilePipelines([training, texts])).toHaveLength(2)
  expect(() => compilePipelines([training])).toThrow('reads texts/rows, which no pipeline')
  expect(() => compilePipelines([texts, texts])).toThrow('the same name')
})
