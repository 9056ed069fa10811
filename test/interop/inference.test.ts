// The clients that people have, unmodified: Triton's over HTTP and gRPC, KServe's over both.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { engineModel } from '../inference-models.ts'
import { openTestDoor, type TestDoor } from '../inference-door.ts'
import { repositoryRoot } from '../source-text.ts'
import { needs, toolPath } from '../tools.ts'

const script = join(repositoryRoot, 'test/interop/inference_client.py')
const { models, rows, probabilities } = await engineModel('churn')
let door: TestDoor

beforeAll(async () => {
  door = await openTestDoor({ models, grpcPort: 0 })
})
afterAll(() => door.close(0))

interface Session {
  readonly live: boolean
  readonly ready: boolean
  readonly model_ready: boolean
  readonly answers: Readonly<Record<string, Answer>>
  readonly by_name?: number[][]
  readonly unknown?: [string, string]
  readonly server?: { readonly extensions: string[] }
  readonly model?: { readonly name: string; readonly inputs: { readonly name: string }[] }
}

interface Answer {
  readonly predict: number[]
  readonly predict_proba: number[][]
}

async function sessionOf(client: string): Promise<Session> {
  const address = client.endsWith('grpc') ? `127.0.0.1:${door.grpcPort}` : new URL(door.url).host
  const child = spawn(toolPath('inference-clients'), [script, client, address, 'churn'])
  child.stdin.end(JSON.stringify(rows))
  const [said, trouble, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ])
  expect(code, trouble).toBe(0)
  // KServe's client greets on standard output; the last line is the answer.
  return JSON.parse(said.trim().split('\n').at(-1)!) as Session
}

describe.skipIf(!needs('inference-clients'))('an unmodified client', () => {
  test.each([
    ['triton-http', ['json', 'binary']],
    ['triton-grpc', ['raw']],
    ['kserve-rest', ['json', 'binary']],
    ['kserve-grpc', ['contents', 'raw']],
  ])('%s is answered in every form that it knows', async (client, forms) => {
    const session = await sessionOf(client)
    expect(session).toMatchObject({ live: true, ready: true, model_ready: true })
    expect(Object.keys(session.answers)).toEqual(forms)
    for (const answer of Object.values(session.answers)) {
      expect(answer.predict_proba).toEqual(probabilities)
      expect(answer.predict).toEqual(probabilities.map(([, yes]) => (yes >= 0.5 ? 1 : 0)))
    }
    if (client.startsWith('triton')) {
      expect(session.by_name).toEqual(probabilities)
      expect(session.unknown).toEqual([
        client === 'triton-http' ? '404' : 'StatusCode.NOT_FOUND',
        'No model nobody is served here.',
      ])
      expect(session.server?.extensions).toEqual(['binary_tensor_data'])
      expect(session.model?.inputs.map(({ name }) => name)).toEqual(['f0', 'f1', 'f2'])
    }
  })
})
