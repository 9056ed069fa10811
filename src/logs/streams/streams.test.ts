import { expect, test } from 'vitest'
import { faultyFiles } from '../../lib/faulty-files.ts'
import { compileLogStream, logStream } from './declaration.ts'
import { createLogStreams } from './streams.ts'

const visitors = { every: '1m', by: ['path'] }
const site = compileLogStream(
  logStream('site', { title: 'Site', from: { played: () => [], past: '1m' }, visitors }),
)

test('before it is known what is declared nothing is said to be unknown: ask again', async () => {
  const troubles: unknown[] = []
  const streams = createLogStreams({
    directory: '/streams',
    files: faultyFiles(),
    nowUs: () => 0,
    monotonicUs: () => 0,
    sleep: (_ms, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    onTrouble: (error) => troubles.push(error),
  })
  const starting = { code: 'log_streams_starting', status: 503, extra: { retryAfter: 2 } }
  const asked = () => [
    streams.send('other', ['a']),
    streams.visitors('other', 1),
    streams.templates('other', 1),
  ]
  const early = await Promise.allSettled([streams.list(), ...asked()])
  for (const each of early) expect(each).toMatchObject({ reason: starting })

  await streams.start([site], { directory: '/', played: () => [] })
  const unknown = { code: 'log_stream_unknown', status: 404 }
  for (const each of await Promise.allSettled(asked())) {
    expect(each).toMatchObject({ reason: unknown })
  }
  await expect(streams.send('site', ['a'])).rejects.toMatchObject({ code: 'log_stream_reads' })
  expect((await streams.list()).map(({ declared }) => declared.name)).toEqual(['site'])
  await streams.stop()
  expect(troubles).toEqual([])
})
