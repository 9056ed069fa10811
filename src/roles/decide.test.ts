import { mkdtempSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listenLocally } from '../lib/rpc.ts'
import { openHome } from '../projects/index.ts'
import { usualHousekeeping } from './config.ts'
import { startDecide } from './decide.ts'

test('a home whose decide answers elsewhere is refused before its journal is touched', async () => {
  const home = await openHome(mkdtempSync(join(tmpdir(), 'assay-home-')), '0.1.0')
  const neighbour = createServer((socket) => socket.end())
  await listenLocally(neighbour, home.socket('decide'))
  const config = {
    home: home.root,
    project: '.',
    data: null,
    port: 0,
    host: '127.0.0.1',
    replay: false,
    log: 'text',
    stateMemoryBytes: null,
    online: null,
    housekeeping: usualHousekeeping,
    page: '.',
  } as const
  await expect(startDecide(config, () => {})).rejects.toMatchObject({ code: 'server_running' })
  expect(readdirSync(home.decide)).toEqual([])
  neighbour.close()
})
