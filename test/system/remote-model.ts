// A model of another server, over the Open Inference Protocol, that does what a test tells it.
import * as http from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'

export type Behaviour = 'answers' | 'hangs' | 'closes' | 'trickles' | { readonly says: Said }

/** An answer as it is: status and body. */
export interface Said {
  readonly status: number
  readonly body: string
}

export interface RemoteModel {
  readonly url: string
  behaviour: Behaviour
  /** Questions for an answer since the start. */
  readonly asked: () => number
  close(): Promise<void>
}

/** Gives every row the same chance; `inputs` are its names. */
export async function startRemoteModel(
  model: string,
  inputs: readonly string[],
  chance: number,
): Promise<RemoteModel> {
  let asked = 0
  const metadata = {
    name: model,
    platform: 'elsewhere',
    inputs: inputs.map((name) => ({ name, datatype: 'FP64', shape: [-1, 1] })),
    outputs: [{ name: 'predict_proba', datatype: 'FP64', shape: [-1, 2] }],
  }
  const server = http.createServer((request, response) => {
    const send = ({ status, body }: Said) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    }
    const { behaviour } = remote
    const isQuestion = request.url?.endsWith('/infer') ?? false
    if (isQuestion) asked++
    const body = text(request)
    if (behaviour === 'hangs') return
    if (behaviour === 'closes') return request.socket.destroy()
    if (!isQuestion) return send({ status: 200, body: JSON.stringify(metadata) })
    if (typeof behaviour === 'object') return send(behaviour.says)
    if (behaviour === 'trickles') {
      response.writeHead(200).write('{"outputs": [')
      const timer = setInterval(() => response.write(' '), 20)
      response.once('close', () => clearInterval(timer))
      return
    }
    void body.then((sent) => send({ status: 200, body: answerOf(chance, rowsIn(sent)) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const remote: RemoteModel = {
    url: `http://127.0.0.1:${port}`,
    behaviour: 'answers',
    asked: () => asked,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return remote
}

function rowsIn(question: string): number {
  const { inputs } = JSON.parse(question) as { readonly inputs: readonly { shape: number[] }[] }
  return inputs[0].shape[0]
}

/** An answer with a chance for each row that is a number, or is none. */
export function answerOf(chance: unknown, rows = 1): string {
  const data = Array.from({ length: rows }, () => [0, chance]).flat()
  const output = { name: 'predict_proba', datatype: 'FP64', shape: [rows, 2], data }
  return JSON.stringify({ outputs: [output] })
}
