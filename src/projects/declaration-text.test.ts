import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { repositoryRoot } from '../../test/source-text.ts'
import { findDeclarations } from './declaration-text.ts'
import { shapeOf } from './source-shape.ts'

/** The text of the lines at which a feature was found, parts joined by a line of dots. */
function linesOf(text: string, set: string, feature: string): string | undefined {
  const sets = [{ name: set, features: [{ name: feature }] }]
  const { places } = findDeclarations([{ path: 'features.ts', text }], sets)
  const place = places.find((each) => each.feature === feature)
  return place?.lines
    .map(({ from, to }) =>
      text
        .split('\n')
        .slice(from - 1, to)
        .join('\n'),
    )
    .join('\n…\n')
}

const example = `
import { featureSet } from 'assay'

export const first = featureSet('first', payments, (tx) => {
  const customer = tx.per('customer_id')
  return [
    // What is paid.
    tx.value('amount').as('AMOUNT'),
    ...customer
      .count()
      .over('1d', '7d')
      .as((w) => \`COUNT_\${w.days}D\`),
    tx.value('amount').as('COUNT_SMALL_7D'),
  ]
})

export const second = featureSet('second', payments, (tx) => {
  // The customer’s own past.
  const customer = tx.per('customer_id', 'shop_id')
  const usual = customer
    .mean('amount')
    .over(span(30))
  return [usual.as('USUAL'), tx.value('amount').dividedBy(usual).as("RATIO, 'quoted'")]
})

function span(days: number) {
  return \`\${days}d\` as const
}
`

test('a feature is found as it was written, with the comment above it', () => {
  expect(linesOf(example, 'first', 'AMOUNT')).toBe(
    "    // What is paid.\n    tx.value('amount').as('AMOUNT'),",
  )
})

test('a family is found by the name that its template makes, with the constants it names', () => {
  expect(linesOf(example, 'first', 'COUNT_7D')).toBe(
    "  const customer = tx.per('customer_id')\n…\n" +
      "    ...customer\n      .count()\n      .over('1d', '7d')\n      .as((w) => `COUNT_${w.days}D`),",
  )
})

test('of two names that fit, the one that says more is meant', () => {
  expect(linesOf(example, 'first', 'COUNT_SMALL_7D')).toBe(
    "    tx.value('amount').as('COUNT_SMALL_7D'),",
  )
})

test('constants are those that the feature sees, and those that they name in turn', () => {
  expect(linesOf(example, 'second', 'USUAL')).toBe(
    [
      '  // The customer’s own past.',
      "  const customer = tx.per('customer_id', 'shop_id')",
      '  const usual = customer',
      "    .mean('amount')",
      '    .over(span(30))',
      `  return [usual.as('USUAL'), tx.value('amount').dividedBy(usual).as("RATIO, 'quoted'")]`,
      '…',
      'function span(days: number) {',
      '  return `${days}d` as const',
      '}',
    ].join('\n'),
  )
})

test('a set that is not in the files, and a feature made in some other way, are left out', () => {
  const sets = [
    { name: 'first', features: [{ name: 'ELSEWHERE' }] },
    { name: 'third', features: [{ name: 'AMOUNT' }] },
  ]
  const { files, places } = findDeclarations([{ path: 'features.ts', text: example }], sets)
  expect(places).toEqual([
    { set: 'first', feature: null, file: 'features.ts', lines: [{ from: 4, to: 4 }] },
  ])
  expect(files).toHaveLength(1)
  expect(findDeclarations([{ path: 'other.ts', text: 'export {}' }], sets).files).toEqual([])
})

test('every feature of the example bank is found in its file', () => {
  const text = readFileSync(join(repositoryRoot, 'examples/card-fraud/features.ts'), 'utf8')
  const names = ['CUSTOMER_ID_AVG_AMOUNT_30DAY_WINDOW', 'TERMINAL_ID_RISK_1DAY_WINDOW']
  for (const name of names) expect(linesOf(text, 'handbook', name)).toContain('DAY_WINDOW`')
  const own = ['CUSTOMER_MAX_14D_VS_30D', 'TERMINAL_RISK_SMALL_3D', 'CUSTOMER_COUNT_1H']
  for (const name of own) expect(linesOf(text, 'card-behaviour', name)).toContain('.as(')
  expect(linesOf(text, 'card-behaviour', 'TERMINAL_RISK_SMALL_7D_AGO_28D')).toContain('AGO_')
})

test('texts and comments are told from code, templates within templates too', () => {
  const source = 'a(\'}\', /* ] */ `x${b(`}${c}`)}y`) // )\n[d, "\\""]'
  const { code, texts, brackets } = shapeOf(source)
  expect(code).toHaveLength(source.length)
  expect(code.replaceAll(/\s+/g, ' ')).toBe('a( , b( c ) ) [d, ]')
  expect(texts.map(({ from, to }) => source.slice(from, to))).toEqual([
    "'}'",
    '`}${c}`',
    '`x${b(`}${c}`)}y`',
    '"\\""',
  ])
  expect(brackets.map(({ from, to }) => source.slice(from, to))).toEqual([
    source.slice(1, source.indexOf(' // ')),
    '(`}${c}`)',
    '[d, "\\""]',
  ])
})

test('any text at all is read to its end', () => {
  const signs = fc.constantFrom(...'`$\\{}()[]\'"/*\n,;abc .=>')
  fc.assert(
    fc.property(fc.array(signs, { maxLength: 60 }), (parts) => {
      const text = `${parts.join('')}featureSet('s', [x.as('F')])`
      expect(shapeOf(text).code).toHaveLength(text.length)
      const sets = [{ name: 's', features: [{ name: 'F' }] }]
      for (const { lines } of findDeclarations([{ path: 'f', text }], sets).places) {
        for (const { from, to } of lines) expect(from).toBeLessThanOrEqual(to)
      }
    }),
  )
})
