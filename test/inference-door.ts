// The door of prediction on a free port, with a model of LightGBM that the fixtures hold, for tests that
// ask it as a client does.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startInferenceServer } from '../src/server/inference/index.ts'
import { bodyOfFile, createModelHost, type ModelHost } from '../src/serving/index.ts'
import { repositoryRoot } from './source-text.ts'

const file = join(repositoryRoot, 'test/fixtures/models/lightgbm-binary.txt')

/** Rows of the model, null being missing, and the margins that LightGBM gave them. */
export const fixture = JSON.parse(readFileSync(`${file}.rows.json`, 'utf8')) as {
  readonly rows: readonly (readonly (number | null)[])[]
  readonly expected: readonly (readonly number[])[]
}

/** The probability of a row of the fixture; its objective is `binary sigmoid:1.5`. */
export function probabilityOf(row: number): number {
  return 1 / (1 + Math.exp(-1.5 * fixture.expected[row][0]))
}

export async function openTestDoor(
  options: Partial<Parameters<typeof startInferenceServer>[0]> & {
    readonly models?: ModelHost
  } = {},
) {
  const models = createModelHost(async () => {
    throw new Error('nothing is outside')
  })
  const body = bodyOfFile(readFileSync(file))
  await models.load({ format: 1, name: 'churn', version: '1', body })
  await models.load({ format: 1, name: 'churn', version: '2', body })
  const defects: unknown[] = []
  const server = await startInferenceServer({
    models,
    version: '1.2.3',
    only: 'churn',
    host: '127.0.0.1',
    port: 0,
    onDefect: (error) => defects.push(error),
    ...options,
  })
  const ask = async (
    path: string,
    body?: string | Uint8Array | object,
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const isText = typeof body === 'string' || body instanceof Uint8Array
    const response = await fetch(`${server.url}${path}`, {
      ...(body !== undefined && { method: 'POST', body: isText ? body : JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', ...headers },
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    return { status: response.status, headers: response.headers, bytes, text: bytes.toString() }
  }
  return { ...server, ask, defects }
}

export type TestDoor = Awaited<ReturnType<typeof openTestDoor>>
