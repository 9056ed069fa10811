// The table of endpoints in the reference is written from the tables that answer them. After a
// change of those: `UPDATE=1 npm test -- test/mlflow-docs.test.ts` writes it anew.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Endpoint, Field } from '../src/server/mlflow/endpoint.ts'
import { endpoints } from '../src/server/mlflow/tables.ts'
import { repositoryRoot } from './source-text.ts'

const page = join(repositoryRoot, 'docs', 'reference', 'mlflow.md')
const [begin, end] = ['<!-- endpoints: written by test/mlflow-docs.test.ts -->', '<!-- end -->']

test('the page lists every endpoint with its fields, as the server has them', () => {
  const text = readFileSync(page, 'utf8')
  const [before, rest] = text.split(begin)
  const after = rest.split(end)[1]
  const expected = `${before}${begin}\n${table()}\n${end}${after}`
  if (process.env['UPDATE'] === '1') writeFileSync(page, expected)
  expect(readFileSync(page, 'utf8')).toBe(expected)
})

test('no endpoint stands in the tables twice', () => {
  const names = endpoints.map(({ method, path }) => `${method} ${path.replaceAll(/[:*]\w+/g, '*')}`)
  expect(names.filter((name, place) => names.indexOf(name) !== place)).toEqual([])
})

function table(): string {
  const rows = endpoints.map(
    ({ method, path, action, fields }) =>
      `| ${method} | \`${path}\` | ${described(fields)} | ${action} |`,
  )
  return ['| method | path | fields | needs |', '|---|---|---|---|', ...rows].join('\n')
}

function described(fields: Endpoint['fields']): string {
  const parts = Object.entries(fields).map(([name, field]) =>
    `${name}${field.required ? '\\*' : ''} ${kindOf(field)}`.trim(),
  )
  return parts.join('; ')
}

function kindOf(field: Field): string {
  switch (field.kind) {
    case 'text':
      return ''
    case 'whole':
    case 'number': {
      const { min, max } = field
      if (min !== undefined && max !== undefined) return `(${min} … ${max})`
      if (min !== undefined) return `(from ${min})`
      return field.kind === 'whole' ? '(integer)' : '(number)'
    }
    case 'flag':
      return '(true, false)'
    case 'choice':
      return `(${field.names.join(', ')})`
    case 'list':
      return `[${kindOf(field.item)}]${field.itemsMax === undefined ? '' : ` ≤ ${field.itemsMax}`}`
    case 'record':
      return `{${Object.keys(field.fields).join(', ')}}`
  }
}
