// Keys and the audit log from the command line, on a home without a server.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openHome } from '../../src/projects/index.ts'
import { assay, type Ended } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-keys-'))
const home = join(folder, '.assay')
const run = (...args: string[]) => assay(folder, args)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a command never makes a home by looking for one', () => {
  for (const args of [['keys', 'list'], ['audit', 'verify'], ['open'], ['decide']]) {
    const { code, err } = run(...args)
    expect(code).toBe(1)
    expect(err).toContain('home_missing')
  }
})

describe('on a home', () => {
  let made: Ended
  beforeAll(async () => {
    await openHome(home, '0.1.0')
    made = run('keys', 'create', '--name', 'Payment switch', '--program')
    run('audit', 'export', 'audit.ndjson')
  })

  test('a new key is alone on standard output, and its identity on standard error', () => {
    const { code, out, err } = made
    expect(code).toBe(0)
    expect(out).toMatch(/^ak_[\w-]{43}\n$/)
    expect(err).toContain('Payment switch (caller), shown this once')
    expect(run('keys', 'list').out).toMatch(/Payment switch +script +caller .* valid/)
  })

  test('a revoked key is listed as revoked, an unknown one is refused', () => {
    run('keys', 'create', '--name', 'Ada', '--role', 'approver')
    const id = /(key_\w+) +Ada/.exec(run('keys', 'list').out)![1]
    expect(run('keys', 'revoke', id).code).toBe(0)
    expect(run('keys', 'list').out).toMatch(new RegExp(`${id} .* revoked`))
    expect(run('keys', 'revoke', 'key_none')).toMatchObject({ code: 1 })
  })

  test('a reset gives the administrator one valid key, however often it is asked for', () => {
    const first = run('keys', 'reset').out
    const second = run('keys', 'reset').out
    expect(first).toMatch(/^ak_/)
    expect(second).not.toBe(first)
    const lines = run('keys', 'list')
      .out.split('\n')
      .filter((line) => line.includes('Administrator'))
    expect(lines.filter((line) => line.endsWith('valid'))).toHaveLength(1)
  })

  test('the log verifies, and an export verifies with the key beside it alone', () => {
    expect(run('audit', 'verify')).toMatchObject({ code: 0, err: '' })
    const key = ['--public-key', 'audit.pub']
    const { code, out } = run('audit', 'verify', '--file', 'audit.ndjson', ...key)
    expect(code).toBe(0)
    expect(out).toMatch(/^intact: \d+ entries, root [0-9a-f]{64}\n/)
  })

  test('an export in which one word was changed ends with code 3', () => {
    const text = readFileSync(join(folder, 'audit.ndjson'), 'utf8')
    expect(text).toContain('"caller"')
    writeFileSync(join(folder, 'changed.ndjson'), text.replace('"caller"', '"administrator"'))
    const { code, err } = run('audit', 'verify', '--file', 'changed.ndjson')
    expect(code).toBe(3)
    expect(err).toContain('not intact')
  })

  test('an export that lost its last entries ends with code 3', () => {
    const lines = readFileSync(join(folder, 'audit.ndjson'), 'utf8').trimEnd().split('\n')
    lines.splice(-2, 1)
    writeFileSync(join(folder, 'shorter.ndjson'), `${lines.join('\n')}\n`)
    expect(run('audit', 'verify', '--file', 'shorter.ndjson').code).toBe(3)
  })

  test('an entry that was changed inside the database ends with code 3', () => {
    const database = new DatabaseSync(join(home, 'keep', 'assay.sqlite'))
    const changed = database
      .prepare("UPDATE audit_entries SET leaf = replace(leaf, 'caller', 'approver')")
      .run()
    expect(changed.changes).toBeGreaterThan(0)
    database.close()
    const { code, err } = run('audit', 'verify')
    expect(err).toContain('not intact')
    expect(code).toBe(3)
  })

  test('an export is verified with a key from elsewhere, or not at all', () => {
    const elsewhere = assay(folder, ['audit', 'verify', '--file', 'audit.ndjson', '--home', 'none'])
    expect(elsewhere).toMatchObject({ code: 2 })
    expect(elsewhere.err).toContain('--public-key')
    expect(run('audit', 'verify', '--file', 'nowhere.ndjson')).toMatchObject({ code: 1 })
  })
})
