// A model of another server, asked over the protocol.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { openRemote } from '../src/serving/index.ts'
import { runtimeCases } from '../src/serving/prediction/runtime.cases.ts'
import { openTestDoor } from './inference-door.ts'

const policy = { allowPrivate: false }
const door = await openTestDoor()
afterAll(() => door.close(0))

describe('a model of another server', () => {
  runtimeCases(() => openRemote({ url: door.url, model: 'churn' }, policy))
})

const metadata = {
  name: 'm',
  platform: 'other',
  inputs: [{ name: 'a', datatype: 'FP64', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'FP64', shape: [-1] }],
}
const inputs = [{ name: 'a', datatype: 'FP64', shape: [1], data: Float64Array.of(1) }] as const

/** A server that tells its metadata and answers inference as it is told. */
async function serverOf(infer: RequestListener, told: object = metadata): Promise<string> {
  const server = createServer((request, response) => {
    if (request.method === 'POST') return infer(request, response)
    response.end(JSON.stringify(told))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const answering =
  (body: object | string, status = 200): RequestListener =>
  (_, response) => {
    response.statusCode = status
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

describe('what goes wrong with another server', () => {
  test.each([
    ['http://10.0.0.1', 'neither https nor http on this machine'],
    ['https://10.0.0.1', 'not a public address'],
    ['https://user:secret@example.com', 'would be shown'],
    ['ftp://127.0.0.1', 'neither https'],
  ])('the address %s is refused', async (url, words) => {
    await expect(openRemote({ url, model: 'm' }, policy)).rejects.toMatchObject({
      code: 'served_model_invalid',
      detail: expect.stringContaining(words) as string,
    })
  })

  test.each<[string, RequestListener, string, number]>([
    ['that is full', answering({ error: 'busy' }, 503), 'remote_unavailable', 503],
    ['that refuses', answering({ error: 'no' }, 400), 'inference_failed', 500],
    ['that answers no JSON', answering('<html>'), 'inference_failed', 500],
    ['that leaves an output out', answering({ outputs: [] }), 'inference_failed', 500],
    [
      'that gives another shape',
      answering({ outputs: [{ name: 'y', datatype: 'FP64', shape: [2], data: [1] }] }),
      'inference_failed',
      500,
    ],
    [
      'that gives another type',
      answering({ outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: [1] }] }),
      'inference_failed',
      500,
    ],
    ['that ends the connection', (_, response) => response.destroy(), 'remote_unavailable', 503],
    ['that says nothing', () => {}, 'inference_timeout', 504],
  ])('a server %s is told so', async (_, infer, code, status) => {
    const url = await serverOf(infer)
    const model = await openRemote({ url, model: 'm' }, { ...policy, deadlineMs: 300 })
    await expect(model.predict(inputs)).rejects.toMatchObject({ code, status })
    await model.close()
  })

  test('a server that does not tell what its model takes is not asked', async () => {
    const url = await serverOf(answering({}), { ...metadata, inputs: [] })
    await expect(openRemote({ url, model: 'm' }, policy)).rejects.toThrow(
      'does not tell the inputs',
    )
  })

  test('no more requests are on their way than may be', async () => {
    const url = await serverOf(() => {})
    const model = await openRemote(
      { url, model: 'm' },
      { ...policy, deadlineMs: 300, inFlightMax: 2 },
    )
    const settled = await Promise.allSettled([1, 2, 3].map(async () => model.predict(inputs)))
    expect(
      settled.map((each) => each.status === 'rejected' && (each.reason as { code: string }).code),
    ).toEqual(['inference_timeout', 'inference_timeout', 'overloaded'])
    await model.close()
  })
})
