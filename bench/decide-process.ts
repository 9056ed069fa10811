// The decide process alone, for measurements and for `kill -9`: `node decide-process.ts HOME`. Prints
// one line of JSON when it answers; stops on SIGTERM, and when its parent is gone.
import { openLmdbDecisionIndex } from '../src/adapters/lmdb/index.ts'
import { homeAt } from '../src/projects/index.ts'
import { startDecide } from '../src/server/decide/index.ts'

const [root, checkpointEvery] = process.argv.slice(2)
const running = await startDecide({
  home: homeAt(root),
  host: '127.0.0.1',
  port: 0,
  openIndex: openLmdbDecisionIndex,
  checkpointEvery: Number(checkpointEvery ?? 20_000),
  log: {
    info: () => undefined,
    warn: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
    error: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
  },
  onFatal: (error) => {
    process.stderr.write(`${error.stack}\n`)
    process.exit(70)
  },
})
const { recoveryMs } = running.service.status()
process.stdout.write(`${JSON.stringify({ url: running.url, recoveryMs })}\n`)

let stopping = false
async function stop(): Promise<void> {
  if (stopping) return
  stopping = true
  await running.close()
  process.exit(0)
}
process.on('SIGTERM', () => void stop())
process.on('disconnect', () => void stop())
