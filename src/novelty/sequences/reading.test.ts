import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { readSessions } from './reading.ts'

const folder = mkdtempSync(join(tmpdir(), 'sessions-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function fileOf(content: string | Uint8Array): string {
  const path = join(folder, `${files++}.txt`)
  writeFileSync(path, content)
  return path
}
async function read(content: string | Uint8Array) {
  const sessions: [string[], number][] = []
  const outcome = await readSessions(fileOf(content), (session, line) =>
    sessions.push([session, line]),
  )
  return { sessions, outcome }
}

describe('sessions of a file', () => {
  test('are its lines, plain or gzip, whatever the spaces', async () => {
    const plain = await read('5 22 login\n\n  E9\t5 \r\n5')
    expect(plain.sessions).toEqual([
      [['5', '22', 'login'], 1],
      [['E9', '5'], 3],
      [['5'], 4],
    ])
    expect(plain.outcome).toMatchObject({ sessions: 3, empty: 1, rejected: 0 })
    const zipped = await read(gzipSync('5 22 login\nE9 5\n5\n'))
    expect(zipped.outcome.hash).toBe(plain.outcome.hash)
  })

  test('are read where some lines are none, which are counted', async () => {
    const long = `${'x'.repeat(300)} 5`
    const wide = '5 '.repeat(700_000)
    const bytes = Buffer.concat([
      Buffer.from(`1 2\n${long}\n2 1\n${wide}\n3\n`),
      Buffer.from([0x31, 0xff, 0x0a]),
      Buffer.from('4 \u0000\n5 6\n7 8'),
    ])
    const { sessions, outcome } = await read(bytes)
    expect(sessions.map(([, line]) => line)).toEqual([1, 3, 5, 8, 9])
    expect(outcome).toMatchObject({
      sessions: 5,
      rejected: 4,
      firstRejected: { line: 2, reason: 'An event id has 300 characters, more than 256.' },
    })
  })

  test.each([
    ['binary garbage', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 151) % 256))],
    ['blank lines alone', '\n \n\t\n'],
    ['one line without end', 'x '.repeat(1_500_000)],
    ['more bad lines than good', 'ok\n\u0001\n\u0002\n'],
  ])('%s are refused', async (_, content) => {
    await expect(read(content)).rejects.toMatchObject({ code: 'sessions_unusable' })
  })

  test('an empty file, a missing one and a broken gzip are refused by name', async () => {
    await expect(read('')).rejects.toMatchObject({ code: 'file_empty' })
    await expect(readSessions(join(folder, 'none'), () => {})).rejects.toMatchObject({
      code: 'file_not_found',
    })
    const cut = gzipSync('1 2 3\n'.repeat(1000)).subarray(0, 30)
    await expect(read(cut)).rejects.toMatchObject({ code: 'file_truncated' })
    await expect(read('PAR1')).rejects.toThrow(/Parquet/)
  })
})
