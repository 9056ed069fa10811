import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCsv } from '../../../test/csv.ts'
import { Identity, Money, Nullable, PageOf, routes } from '../contract/index.ts'
import { columnsOf, csv, exportRows } from './export.ts'

const Row = Type.Object({
  id: Type.String(),
  amount: Nullable(Money),
  by: Nullable(Identity),
  tags: Type.Array(Type.String()),
  parts: Type.Array(Type.Object({ n: Type.Integer() })),
  details: Type.Unknown(),
})
const names = [
  'id',
  'amount',
  'amount_currency',
  'by_id',
  'by_name',
  'by_kind',
  'tags',
  'parts',
  'details',
]

test('columns follow from the schema: money as text, objects by their parts, the rest as JSON', () => {
  const columns = columnsOf(Row)
  expect(columns.map(({ name }) => name)).toEqual(names)
  const full = {
    id: 'a',
    amount: { minor: -5, currency: 'EUR', exponent: 2 },
    by: { id: 'i', name: 'Ada', kind: 'person' },
    tags: ['x', 'y'],
    parts: [{ n: 1 }],
    details: { deep: [1] },
  }
  expect(columns.map(({ read }) => read(full))).toEqual([
    'a',
    '-0.05',
    'EUR',
    'i',
    'Ada',
    'person',
    'x; y',
    '[{"n":1}]',
    '{"deep":[1]}',
  ])
  const bare = { id: 'b', amount: null, by: null, tags: [], parts: [], details: 7 }
  expect(columns.map(({ read }) => read(bare))).toEqual([
    'b',
    null,
    null,
    null,
    null,
    null,
    '',
    '',
    7,
  ])
})

test('every list that is exported has columns, none twice', () => {
  for (const { name, response } of routes.filter((route) => route.exports)) {
    const { items } = response.properties as Record<string, { items: typeof Row }>
    const columns = columnsOf(items.items).map((column) => column.name)
    expect(columns.length, name).toBeGreaterThan(5)
    expect(new Set(columns).size, name).toBe(columns.length)
  }
})

test('what is written as CSV is read as it was', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('"', ',', '\r\n', '\n', ''),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), (rows) => {
      const harmless = rows.map((row) => row.map((text) => text.replace(/^[=+\-@\t\r]/, '')))
      expect(parseCsv(csv(['a', 'b'], harmless))).toEqual([['a', 'b'], ...harmless])
    }),
  )
})

test('a text that a spreadsheet would compute is kept from it, a number is not touched', () => {
  expect(csv(['a'], [['=1+1'], ['@cmd'], ['-12.30'], ['+5'], [-3], [null]])).toBe(
    "a\r\n'=1+1\r\n'@cmd\r\n-12.30\r\n+5\r\n-3\r\n\r\n",
  )
})

interface Sent {
  readonly headers: Record<string, string>
  body?: unknown
}

/** Exports a list of so many rows that pages hold a thousand, as a route does. */
async function exported(total: number, format: 'csv' | 'parquet'): Promise<Sent> {
  const sent: Sent = { headers: {} }
  const reply = {
    header: (name: string, value: string) => ((sent.headers[name] = value), reply),
    type: (value: string) => ((sent.headers['content-type'] = value), reply),
    send: (body: unknown) => ((sent.body = body), reply),
  }
  const handler = async (call: unknown) => {
    const { limit, cursor = '0' } = (call as { query: { limit: number; cursor?: string } }).query
    const from = Number(cursor)
    const items = Array.from({ length: Math.min(limit, total - from) }, (_, i) => ({ n: from + i }))
    return { items, next: from + limit < total ? String(from + limit) : null }
  }
  await exportRows({
    reply: reply as never,
    name: 'rows',
    response: PageOf(Type.Object({ n: Type.Integer() })),
    format,
    call: { query: { limit: 3 } } as never,
    handler,
    parquet: async (columns, rows) => Buffer.from(`${columns.join()} ${rows.length}`),
  })
  return sent
}

test('an export holds all pages, whatever limit was asked for', async () => {
  const { headers, body } = await exported(2500, 'csv')
  expect((await text(body as Readable)).trim().split('\r\n')).toHaveLength(2501)
  expect(headers).toMatchObject({
    'content-disposition': 'attachment; filename="rows.csv"',
    'content-type': 'text/csv; charset=utf-8',
  })
  expect(String((await exported(0, 'parquet')).body)).toBe('n 0')
})

test('a list that is too long for memory is refused as Parquet, and whole as CSV', async () => {
  const { body } = await exported(300_001, 'csv')
  let bytes = 0
  for await (const chunk of body as Readable) bytes += String(chunk).length
  expect(bytes).toBeGreaterThan(300_001 * 3)
  await expect(exported(300_001, 'parquet')).rejects.toMatchObject({ code: 'export_too_large' })
})

test('a list with chosen columns has one for each, and those of the first page on every page', async () => {
  const sent: Sent = { headers: {} }
  const reply = {
    header: () => reply,
    type: () => reply,
    send: (body: unknown) => ((sent.body = body), reply),
  }
  const asked: (string | undefined)[] = []
  const handler = async (call: unknown) => {
    const { query } = call as { query: { columns?: string; cursor?: string } }
    asked.push(query.columns)
    const items = [{ id: asked.length, values: [1, 'x'] }]
    const columns = [{ key: 'metrics.a,b' }, { key: 'params.c' }]
    return { columns, items, next: query.cursor === undefined ? 'more' : null }
  }
  await exportRows({
    reply: reply as never,
    name: 'rows',
    response: Type.Object({
      items: Type.Array(Type.Object({ id: Type.Integer(), values: Type.Array(Type.Unknown()) })),
    }),
    format: 'csv',
    call: { query: {} } as never,
    handler,
    parquet: async () => Buffer.of(),
  })
  expect(await text(sent.body as Readable)).toBe('id,"metrics.a,b",params.c\r\n1,1,x\r\n2,1,x\r\n')
  expect(asked).toEqual([undefined, 'metrics.a%2Cb,params.c'])
})
