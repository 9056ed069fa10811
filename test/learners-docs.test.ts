// The reference page of learners says what they can do and what their defaults are. After a change:
// `UPDATE=1 npm test -- test/learners-docs.test.ts` writes the table of abilities anew.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { estimators } from '../src/learning/estimator.ts'
import {
  capabilitiesOf,
  isolationForest,
  kMeans,
  type LearnerSpec,
  oneClassSvm,
  randomForest,
} from '../src/learning/index.ts'
import { repositoryRoot } from './source-text.ts'

const page = join(repositoryRoot, 'docs', 'reference', 'learners.md')
const [start, end] = ['<!-- capabilities -->\n', '<!-- end -->']

/** Sections whose tables list every parameter with its default. */
const sections: Record<string, LearnerSpec> = {
  'Random forest': randomForest(),
  'Isolation forest': isolationForest(),
  'One-class SVM': oneClassSvm(),
  'k-means': kMeans(),
}

test('what learners can do is documented as they declare it', () => {
  const text = readFileSync(page, 'utf8')
  const [head, tail] = [text.indexOf(start) + start.length, text.indexOf(end)]
  const expected = `${text.slice(0, head)}\n${table()}\n\n${text.slice(tail)}`
  if (process.env['UPDATE'] === '1') writeFileSync(page, expected)
  expect(readFileSync(page, 'utf8')).toBe(expected)
})

test.each(Object.entries(sections))(
  '%s: every parameter is documented with its default',
  (name, spec) => {
    const section = readFileSync(page, 'utf8').split(`\n## ${name}\n`)[1]?.split('\n## ')[0] ?? ''
    for (const [parameter, value] of Object.entries(spec.params)) {
      expect(section).toContain(`| \`${parameter}\` | \`${JSON.stringify(value)}\` |`)
    }
  },
)

function table(): string {
  const kinds = Object.keys(estimators) as LearnerSpec['kind'][]
  const rows = kinds.map((kind) => {
    const { tasks, ...abilities } = capabilitiesOf(kind)
    const { missing, categorical, weights, earlyStopping, explains, threads } = abilities
    const marks = [missing, categorical, weights, earlyStopping, explains, threads]
    return `| \`${kind}\` | ${[tasks.join(', '), ...marks.map((yes) => (yes ? 'yes' : '–'))].join(' | ')} |`
  })
  return [
    '| kind | tasks | missing | categories | weights | early stopping | explains | threads |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
