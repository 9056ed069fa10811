// Many clients at once, over HTTP, against the server as a person starts it: no deadlock, no lost
// write, no failure of the server's own. `ASSAY_LOAD_OPERATIONS` makes it longer or shorter.
import { expect, test } from 'vitest'
import { endsWithTest, eventually, startServer, temporaryDirectory } from './server.ts'
import { doorClient, expectKept, runLoad, type Door, type Load } from './tracking-clients.ts'

const OPERATIONS = Number(process.env['ASSAY_LOAD_OPERATIONS'] ?? 10_000)
const CLIENTS = 32
/** The longer one took a minute on two cores that ten other programs wanted. */
const PATIENCE_MS = 300_000

async function prepare(door: Door): Promise<Pick<Load, 'experiment' | 'shared'>> {
  const http = doorClient(door)
  const { experiment_id } = await http.ask('POST', 'experiments/create', { name: 'load' })
  const { run } = await http.ask('POST', 'runs/create', { experiment_id, run_name: 'shared' })
  http.close()
  return { experiment: experiment_id, shared: run.info.run_id }
}

test(
  `${OPERATIONS} mixed operations from ${CLIENTS} clients are all answered, and all are kept`,
  async () => {
    const server = endsWithTest(await startServer({ home: temporaryDirectory('load') }))
    const load: Load = {
      ...(await prepare(server)),
      clients: CLIENTS,
      operations: OPERATIONS,
      mayFall: false,
      seed: 1,
    }
    const remembered = await runLoad(server, load)
    await expectKept(server, load, remembered)
    expect(remembered.reduce((sum, { answered }) => sum + answered, 0)).toBeGreaterThanOrEqual(
      OPERATIONS,
    )
  },
  PATIENCE_MS,
)

test(
  'what was answered is kept when the process that keeps is killed, and then the whole server',
  async () => {
    const home = temporaryDirectory('load-killed')
    const first = await startServer({ home })
    const load: Load = {
      ...(await prepare(first)),
      clients: CLIENTS,
      operations: OPERATIONS / 5,
      mayFall: true,
      seed: 2,
    }
    const working = runLoad(first, load)
    // Its failure is heard below; until then it is nobody's.
    working.catch(() => {})
    await eventually('writes are on their way', async () => {
      const http = doorClient(first)
      const body = { experiment_ids: [load.experiment], max_results: 100 }
      const { runs = [] } = await http.ask('POST', 'runs/search', body)
      http.close()
      return runs.length >= 50
    })
    process.kill(first.roleProcess('keep')!, 'SIGKILL')
    const remembered = await working
    await first.stop('SIGKILL')
    const second = endsWithTest(await startServer({ home }))
    await expectKept({ url: second.url, key: first.key }, load, remembered)
    expect(remembered.some(({ runs }) => runs.some(({ unsure }) => unsure.size > 0))).toBe(true)
  },
  PATIENCE_MS,
)
