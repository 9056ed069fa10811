// Sessions of MLflow's own Python client, recorded by test/interop/record-mlflow.ts, played again:
// each answer must be what the client got when it was satisfied with it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openMlflowDoor } from '../../../test/mlflow-door.ts'
import {
  bodyOf,
  bytesOf,
  createMask,
  kindOfBody,
  type Exchange,
} from '../../../test/mlflow-wire.ts'

const folder = join(import.meta.dirname, 'golden')
const sessions = readdirSync(folder).filter((name) => name.endsWith('.json'))

test('there are recorded sessions', () => {
  expect(sessions.length).toBeGreaterThan(3)
})

test.each(sessions)('the session %s is answered as when it was recorded', async (name) => {
  const exchanges = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Exchange[]
  const { app, defects } = await openMlflowDoor()
  const mask = createMask()
  for (const { method, url, sent, type, status, answer } of exchanges) {
    const payload = bytesOf(sent, mask.unmask)
    const found = await app.inject({
      method: method as 'GET',
      url: mask.unmask(url),
      headers: type === undefined ? {} : { 'content-type': type },
      ...(payload.length > 0 && { payload }),
    })
    const body = bodyOf(found.rawPayload, kindOfBody(url), mask.answer) ?? { text: '' }
    expect({ url, status: found.statusCode, answer: body }).toEqual({ url, status, answer })
  }
  expect(defects).toEqual([])
  await app.close()
})
