import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createFolderArtifacts, sweepFolder } from './index.ts'

/** Takes in files of 8 MB, four at a time, and prints the hash of each that is there. */
const writer = `
  import { writeSync } from 'node:fs'
  import { createFolderArtifacts } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)}
  const store = createFolderArtifacts({ directory: process.argv[1] })
  async function* content(seed) {
    for (let i = 0; i < 128; i++) yield Buffer.alloc(65536, seed + ' ' + i + ' ')
  }
  const write = async (name) => {
    for (let i = 0; ; i++) {
      const { sha256 } = await store.putStream(content(name + i), 1e9)
      writeSync(1, sha256 + '\\n')
    }
  }
  await Promise.all(['a', 'b', 'c', 'd'].map(write))
`

async function writeAndKill(directory: string, forMs: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', writer, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const closed = new Promise((resolve) => child.once('close', resolve))
  const started = new Promise((resolve) => child.stdout.once('data', resolve))
  await Promise.race([started, closed])
  await wait(forMs)
  child.kill('SIGKILL')
  await closed
  return output.slice(0, output.lastIndexOf('\n')).split('\n').filter(Boolean)
}

test('after a kill every acknowledged file is whole, and of others nothing is left', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'assay-folder-crash-'))
  try {
    let swept = 0
    for (const forMs of [5, 40, 90]) {
      const acknowledged = await writeAndKill(directory, forMs)
      swept += await sweepFolder(directory)
      const names = readdirSync(directory)
      expect(names).toEqual(expect.arrayContaining(acknowledged))
      const store = createFolderArtifacts({ directory })
      for (const name of names) expect((await store.get(name))?.length).toBe(8 * 1024 * 1024)
    }
    expect(swept).toBeGreaterThan(0)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}, 60_000)
