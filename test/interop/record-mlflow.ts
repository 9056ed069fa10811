// Records sessions of MLflow's Python client for src/server/mlflow/golden.test.ts:
//   ASSAY_PYTHON=…/python node test/interop/record-mlflow.ts
// Each part of mlflow_client.py becomes one file of exchanges, one a line.
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMlflowDoor } from '../mlflow-door.ts'
import { bodyOf, createMask, kindOfBody, type Exchange } from '../mlflow-wire.ts'
import { repositoryRoot } from '../source-text.ts'

const parts = process.argv.slice(2)
const recorded = parts.length > 0 ? parts : ['tracking', 'datasets', 'artifacts', 'models']
const golden = join(repositoryRoot, 'src/server/mlflow/golden')
mkdirSync(golden, { recursive: true })
for (const part of recorded) {
  const exchanges = await record(part)
  const lines = exchanges.map((exchange) => JSON.stringify(exchange)).join(',\n')
  writeFileSync(join(golden, `${part}.json`), `[\n${lines}\n]\n`)
  process.stderr.write(`${part}: ${exchanges.length} exchanges, ${lines.length} bytes\n`)
}

async function record(part: string): Promise<Exchange[]> {
  const { app } = await openMlflowDoor()
  const mask = createMask()
  const exchanges: Exchange[] = []
  const door = createServer(async (request, response) => {
    const sent = await whole(request)
    const { method = 'GET', url = '/', headers } = request
    const type = headers['content-type']
    const answer = await app.inject({
      method: method as 'GET',
      url,
      headers: type === undefined ? {} : { 'content-type': type },
      ...(sent.length > 0 && { payload: sent }),
    })
    // Requests first: they name what earlier answers made up.
    const kind = kindOfBody(url)
    const body = bodyOf(sent, kind, mask.request)
    exchanges.push({
      method,
      url: mask.request(url),
      ...(body && { sent: body }),
      ...(type !== undefined && { type }),
      status: answer.statusCode,
      answer: bodyOf(answer.rawPayload, kind, mask.answer) ?? { text: '' },
    })
    const { 'transfer-encoding': _, connection: __, ...kept } = answer.headers
    response.writeHead(answer.statusCode, kept as Record<string, string>)
    response.end(answer.rawPayload)
  })
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  const { port } = door.address() as AddressInfo
  await runClient(part, `http://127.0.0.1:${port}`)
  door.closeAllConnections()
  door.close()
  await app.close()
  return exchanges
}

/** In a folder of its own and as nobody in particular, because runs are tagged with both. */
async function runClient(part: string, url: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mlflow-session-'))
  try {
    copyFileSync(join(repositoryRoot, 'test/interop/mlflow_client.py'), join(folder, 'session.py'))
    const client = spawn(process.env['ASSAY_PYTHON'] ?? 'python3', ['session.py', url, part], {
      cwd: folder,
      env: { ...process.env, LOGNAME: 'ann', USER: 'ann', HOME: folder },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const status = await new Promise((resolve) => client.once('exit', resolve))
    if (status !== 0) throw new Error(`The session ${part} failed with ${String(status)}.`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function whole(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
