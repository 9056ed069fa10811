import { expect, test } from 'vitest'
import { AssayError } from '../lib/errors.ts'
import { roleLog, troubleTeller } from './log.ts'

function logOf(form: 'text' | 'json') {
  const lines: string[] = []
  return { lines, log: roleLog('keep', { log: form }, (text) => lines.push(text)) }
}

test('for machines everything is one JSON object a line, with words for levels', () => {
  const { lines, log } = logOf('json')
  log.info({ url: 'http://x' }, 'ready')
  log.error({ error: new Error('no disk') }, 'A label was not sent')
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: 'info', time: expect.any(String), role: 'keep', url: 'http://x', message: 'ready' },
    expect.objectContaining({
      level: 'error',
      message: 'A label was not sent',
      error: expect.objectContaining({ message: 'no disk', stack: expect.any(String) }),
    }),
  ])
})

test('people hear only what went wrong, in words', () => {
  const { lines, log } = logOf('text')
  log.info({}, 'ready')
  log.error({ error: new Error('no disk'), method: 'GET' }, 'A request failed')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^keep: A request failed \{"method":"GET"\}\nError: no disk\n {4}at /)
})

test('a trouble that comes with every try is told once, a restart of another role never', () => {
  const { lines, log } = logOf('json')
  const tell = troubleTeller(log)('Sealing')
  const peer = new AssayError('peer_unavailable', { status: 503, title: '', action: '' }, 'gone')
  for (const error of [new Error('a'), new Error('a'), peer, new Error('b'), new Error('a')]) {
    tell(error)
  }
  expect(lines.map((line) => JSON.parse(line).error.message)).toEqual(['a', 'b', 'a'])
  expect(JSON.parse(lines[0]).message).toBe('Sealing failed and is tried again')
})
