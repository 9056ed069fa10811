import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openSqlite } from './index.ts'

const moduleOf = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)

/** Makes identities through the access room, eight at a time, and prints each that is on disk. */
const writer = `
  import { writeSync } from 'node:fs'
  import { openSqlite } from ${moduleOf('index.ts')}
  import { createAccess, systemActor } from ${moduleOf('../../access/index.ts')}
  import * as audit from ${moduleOf('../../audit/index.ts')}
  import { systemClock } from ${moduleOf('../../lib/clock.ts')}
  import { systemIds, systemRandomBytes } from ${moduleOf('../../lib/ids.ts')}
  const { unit, ...stores } = openSqlite(process.argv[1])
  const signer = audit.createCheckpointSigner(audit.generateSigningKey(), 'crash-test')
  const base = { unit, clock: systemClock, ids: systemIds }
  const log = await audit.createAuditLog(stores.audit, { ...base, signer })
  const access = createAccess({ ...base, store: stores.access, audit: log, random: systemRandomBytes })
  const by = { actor: systemActor, reason: 'A crash test' }
  const write = async (name) => {
    for (let i = 0; ; i++) {
      const identity = await access.createIdentity({ name: name + i, kind: 'person', roles: [] }, by)
      writeSync(1, identity.id + '\\n')
    }
  }
  await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(write))
`

/** Runs the writer for a while, kills it without warning, and returns what it acknowledged. */
async function writeAndKill(file: string, forMs: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', writer, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const started = new Promise((resolve) => child.stdout.once('data', resolve))
  await Promise.race([started, closed])
  await wait(forMs)
  child.kill('SIGKILL')
  await closed
  return output.slice(0, output.lastIndexOf('\n')).split('\n').filter(Boolean)
}

test('a process killed at any time leaves each change with its audit entry, or neither', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'assay-sqlite-'))
  const file = path.join(directory, 'assay.sqlite')
  const acknowledged: string[] = []
  try {
    for (let round = 0; round < 4; round++) {
      acknowledged.push(...(await writeAndKill(file, (round * 23) % 70)))
      const stores = openSqlite(file)
      const made = (await stores.access.identities()).map((identity) => identity.id)
      const records = await stores.audit.read(0, 1_000_000)
      await stores.close()
      expect(records.map((record) => record.entry.object.id).toSorted()).toEqual(made.toSorted())
      expect(made).toEqual(expect.arrayContaining(acknowledged))
    }
    expect(acknowledged.length).toBeGreaterThan(4)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
