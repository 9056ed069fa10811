import { afterAll, describe, expect, test } from 'vitest'
import { fixture, openTestDoor, probabilityOf } from '../../../test/inference-door.ts'

const door = await openTestDoor()
afterAll(() => door.close(0))
const { ask } = door

const columns = ['Column_0', 'Column_1', 'Column_2', 'Column_3']
const rows = fixture.rows.slice(0, 4)
const records = rows.map((row) => Object.fromEntries(columns.map((name, j) => [name, row[j]])))
const csv = [columns.join(','), ...rows.map((row) => row.map((v) => v ?? '').join(','))].join('\n')

const asked = async (body: object | string, type = 'application/json') => {
  const { status, text } = await ask('/invocations', body, { 'content-type': type })
  return { status, answer: JSON.parse(text) as Record<string, unknown> }
}

describe('/invocations', () => {
  const byColumn = Object.fromEntries(columns.map((name, j) => [name, rows.map((row) => row[j])]))
  const forms: [string, object | string, string?][] = [
    ['dataframe_split', { dataframe_split: { columns, index: [0, 1, 2, 3], data: rows } }],
    ['dataframe_records', { dataframe_records: records, params: {} }],
    ['instances of records', { instances: records }],
    ['instances of rows, as Vertex AI has them', { instances: rows, parameters: null }],
    ['inputs by column', { inputs: byColumn }],
    ['inputs of rows', { inputs: rows }],
    ['text/csv', csv, 'text/csv; charset=utf-8'],
  ]
  test.each(forms)('takes %s', async (_, body, type) => {
    const { status, answer } = await asked(body, type)
    expect(status).toBe(200)
    const predictions = answer['predictions'] as { predict: number; predict_proba: number[] }[]
    expect(predictions).toHaveLength(4)
    predictions.forEach(({ predict, predict_proba: [, yes] }, row) => {
      expect(yes).toBeCloseTo(probabilityOf(row), 12)
      expect(predict).toBe(yes >= 0.5 ? 1 : 0)
    })
  })

  test.each([
    ['no form', {}, 'has 0 of'],
    ['two forms', { instances: rows, inputs: rows }, 'has 2 of'],
    ['parameters', { instances: rows, params: { temperature: 1 } }, 'no params'],
    ['no list', { instances: 1 }, 'no list'],
    ['no rows', { instances: [] }, 'has 0 rows'],
    ['rows of another width', { instances: [[1, 2]] }, 'Row 0 has 2 values; the model takes 4'],
    ['rows that do not fit their columns', { dataframe_split: { columns, data: [[1]] } }, 'Row 0'],
    ['a column twice', { dataframe_split: { columns: ['a', 'a'], data: [[1, 2]] } }, 'twice'],
    ['a record that is none', { dataframe_records: [1] }, 'Record 0'],
    ['unknown columns', { dataframe_records: [{ a: 1 }] }, 'input "a" is not one of the model'],
    ['texts for numbers', { instances: [['a', 1, 2, 3]] }, 'BYTES[1]; the model takes FP64'],
  ])('refuses %s', async (_, body, words) => {
    const { status, answer } = await asked(body)
    expect([status, Object.keys(answer)]).toEqual([400, ['error']])
    expect(answer['error']).toContain(words)
  })

  test('refuses other types of content', async () => {
    expect((await asked('a', 'text/plain')).status).toBe(415)
    expect((await asked('', 'application/json')).status).toBe(400)
    expect((await asked('a,b\n1', 'text/csv')).answer['error']).toContain('Line 2')
  })

  test('has the addresses that Vertex AI asks for', async () => {
    const route = '/v1/endpoints/7:predict'
    const vertex = await openTestDoor({
      aliases: new Map([
        [route, '/invocations'],
        ['/alive', '/ping'],
      ]),
    })
    expect((await vertex.ask(route, { instances: rows, parameters: {} })).status).toBe(200)
    expect((await vertex.ask('/alive')).status).toBe(200)
    await vertex.close(0)
  })

  test('is offered only where there is one model', async () => {
    const many = await openTestDoor({ only: undefined })
    expect((await many.ask('/invocations', { instances: rows })).status).toBe(404)
    expect((await many.ask('/v2')).status).toBe(200)
    await many.close(0)
  })
})
