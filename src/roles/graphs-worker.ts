// The thread of graphs-thread.ts. It reaches `keep` and `decide` over the local sockets as `work` does.
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { duckdbSnapshots } from '../adapters/duckdb/index.ts'
import type { DecideRemote } from '../decisions/index.ts'
import { systemClock } from '../lib/clock.ts'
import { remote } from '../lib/rpc.ts'
import { homeAt } from '../projects/index.ts'
import { keepGraphsLive, liveEventsOf } from './graph-tables.ts'
import type { GraphProblem, GraphsTask } from './graphs-thread.ts'
import type { ServicesForWork } from './services.ts'

const MEMORY = { memory: '2GB', threads: 2 }

const { home: root, project } = workerData as GraphsTask
const home = homeAt(root)
const catalog = remote<ServicesForWork['catalog']>(home.socket('keep'), 'catalog')
const snapshots = duckdbSnapshots({ directory: home.snapshots, ...MEMORY })

const port = parentPort!
const tell = (message: GraphProblem) => port.postMessage(message)

keepGraphsLive(project, {
  read: liveEventsOf(home, { catalog, snapshots }),
  decide: remote<DecideRemote>(home.socket('decide'), 'decide'),
  nowUs: systemClock.nowUs,
  sleep,
  onProblem: (graph, problem) => {
    const message: GraphProblem = { graph, problem: String((problem as Error).stack ?? problem) }
    tell(message)
  },
})
