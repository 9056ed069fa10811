import { describe, expect, test } from 'vitest'
import type { RunColumn, RunRow } from '../../../src/server/contract/index.ts'
import { differingColumns, keysOf, keyText, nextOrder, orderOf, rowsUnder } from './runs-query.ts'

const column = (key: string): RunColumn => {
  const [kinds = '', name = ''] = key.split('.')
  return { key, name, title: name, kind: kinds.slice(0, -1) as RunColumn['kind'], sortable: true }
}
const row = (values: RunRow['values']) => ({ values }) as RunRow

describe('the address of a table of runs', () => {
  test('a key with a comma or a per cent sign survives a list of keys', () => {
    const keys = ['params.a,b', 'metrics.50%', 'tags.x']
    expect(keysOf(keys.map(keyText).join(','))).toEqual(keys)
  })

  test('pressing the head of a metric puts the largest first, then the smallest, then neither', () => {
    const auc = column('metrics.auc')
    const first = nextOrder(auc, undefined)
    expect(first).toBe('metrics.auc desc')
    const second = nextOrder(auc, orderOf(first))
    expect(second).toBe('metrics.auc asc')
    expect(nextOrder(auc, orderOf(second))).toBeUndefined()
  })

  test('a name that ends in a word of order is still a name', () => {
    expect(orderOf('params.sort desc')).toEqual({ key: 'params.sort', descending: true })
    expect(orderOf('params.mean asc desc')).toEqual({ key: 'params.mean asc', descending: true })
  })
})

test('rows of a page with a column more stand under the columns of the first page', () => {
  const [a, b, c] = [column('metrics.a'), column('metrics.b'), column('metrics.c')]
  const page = { columns: [a, c, b], items: [row([1, 3, 2])] }
  expect(rowsUnder([a, b], page).map(({ values }) => values)).toEqual([[1, 2]])
  expect(rowsUnder([a, c, b], page)).toBe(page.items)
  expect(rowsUnder([b, column('metrics.d')], page)[0]?.values).toEqual([2, null])
})

describe('only what differs', () => {
  const columns = [column('params.depth'), column('params.jobs'), column('metrics.auc')]

  test('leaves out columns that are the same in all shown runs, missing being a value too', () => {
    const rows = [row(['6', '4', 0.9]), row(['6', '4', null])]
    expect(differingColumns(columns, rows).map(({ name }) => name)).toEqual(['auc'])
  })

  test('leaves one run its columns', () => {
    expect(differingColumns(columns, [row(['6', '4', 0.9])])).toHaveLength(3)
  })
})
