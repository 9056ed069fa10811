// Prediction as a person starts it: at the door of a server, with its other processes dead; and one
// model in a small process of its own, from a file, from a home, and from another server.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { grpcClient } from '../grpc-client.ts'
import { engineModel } from '../inference-models.ts'
import { serve } from './serve.ts'
import { allDone, endsWithTest, eventually, startServer, temporaryDirectory } from './server.ts'

vi.setConfig({ testTimeout: 180_000 })

const { model, rows, probabilities } = await engineModel('churn')
const table = { name: 'input', datatype: 'FP64', shape: [rows.length, 3], data: rows.flat() }

async function freePort(): Promise<number> {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  holder.close()
  return port
}

async function ask(url: string, inputs: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${url}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ inputs }),
  })
  const answer = (await response.json()) as {
    readonly error?: string
    readonly outputs: readonly { readonly data: readonly number[] }[]
  }
  return { status: response.status, ...answer }
}

test('a server answers for its approved versions, also with its other processes dead', async () => {
  const grpcPort = await freePort()
  const server = endsWithTest(
    await startServer({
      home: temporaryDirectory('inference'),
      args: ['--no-replay', '--grpc-port', String(grpcPort)],
    }),
  )
  await server.printed(allDone)
  const url = `${server.url}/v2/models/tiny-fraud`
  const headers = { authorization: `Bearer ${server.key}` }
  await eventually('the model is served', async () => (await fetch(`${url}/ready`, { headers })).ok)
  const metadata = (await (await fetch(url, { headers })).json()) as { inputs: unknown[] }
  const shape = [1, metadata.inputs.length]
  const data = Array.from({ length: shape[1] }, () => 1)
  const one = { name: 'input', datatype: 'FP64', shape, data }
  const before = await ask(url, [one], headers)
  expect([before.status, before.outputs]).toMatchObject([200, [{ data: [0] }, {}]])
  expect((await ask(url, [one])).status).toBe(401)
  expect((await ask(url, [one, one], headers)).error).toContain('is there twice')

  const nobody = grpcClient(grpcPort)
  const client = grpcClient(grpcPort, server.key)
  onTestFinished(() => {
    nobody.close()
    client.close()
  })
  const contents = { fp64_contents: data }
  const message = { model_name: 'tiny-fraud', inputs: [{ ...one, data: undefined, contents }] }
  await expect(nobody.call('ModelInfer', message)).rejects.toMatchObject({ code: 16 })
  expect(await client.call('ModelInfer', message)).toMatchObject({
    outputs: [{}, { contents: { fp64_contents: before.outputs[1].data } }],
  })

  process.kill(server.roleProcess('keep')!, 'SIGKILL')
  process.kill(server.roleProcess('work')!, 'SIGKILL')
  expect(await ask(url, [one], headers)).toEqual(before)
  await server.stop()

  const edge = await serve('tiny-fraud@1', '--home', server.home, '--model-name', 'edge')
  expect(await ask(edge.url, [one])).toMatchObject({ outputs: before.outputs })
  expect(await edge.stop()).toBe(0)
})

test('a file is served in a process of its own, and by another one that asks it', async () => {
  const file = join(temporaryDirectory('serve'), 'churn.json')
  writeFileSync(file, JSON.stringify(model))
  const edge = await serve(file, '--grpc-port', '0')
  const given = await ask(edge.url, [table])
  expect(given.outputs[1].data).toEqual(probabilities.flat())

  const golden = join(temporaryDirectory('golden'), 'golden.json')
  const chances = { name: 'predict_proba', datatype: 'FP64', shape: [rows.length, 2] }
  const expectChances = (data: readonly number[]) =>
    writeFileSync(golden, JSON.stringify({ inputs: [table], outputs: [{ ...chances, data }] }))
  expectChances(given.outputs[1].data)
  expect(await (await serve(file, '--golden', golden)).stop()).toBe(0)
  expectChances(given.outputs[1].data.toReversed())
  await expect(serve(file, '--golden', golden)).rejects.toThrow(
    /rows differ from the golden set by more than 0\.00001: row 0: "predict_proba" is/,
  )

  const asking = await serve(edge.url, '--model-name', 'further')
  const columns = ['f0', 'f1', 'f2'].map((name, j) => {
    return { name, datatype: 'FP64', shape: [rows.length], data: rows.map((row) => row[j]) }
  })
  expect(await ask(asking.url, columns)).toMatchObject({ outputs: given.outputs })
  const strict = await ask(asking.url, [{ ...columns[0], datatype: 'FP32' }])
  expect(strict.error).toContain('input "f0" is FP32[5]; the model takes FP64[-1]')

  expect(await edge.stop()).toBe(0)
  expect((await ask(asking.url, columns)).status).toBe(503)
  expect(await asking.stop()).toBe(0)
})
