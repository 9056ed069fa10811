// The thread of one back-test. It reaches `keep` over the local socket as `work` does.
import { parentPort, workerData } from 'node:worker_threads'
import { isAssayError, type ErrorDefinition } from '../lib/errors.ts'
import { remote } from '../lib/rpc.ts'
import type { BacktestAsked, BacktestEvidence, BacktestProgress } from '../pipelines/index.ts'
import { homeAt } from '../projects/index.ts'
import { backtestHome } from './backtest-home.ts'
import type { ServicesForWork } from './services.ts'

export interface BacktestTask {
  readonly home: string
  readonly asked: BacktestAsked
}

export type BacktestMessage =
  | { readonly progress: BacktestProgress }
  | { readonly evidence: BacktestEvidence }
  | { readonly refusal: ErrorDefinition & { readonly code: string; readonly detail: string } }

const task = workerData as BacktestTask
const home = homeAt(task.home)
const keep = <Name extends keyof ServicesForWork>(service: Name) =>
  remote<ServicesForWork[Name]>(home.socket('keep'), service)
const say = (message: BacktestMessage) => parentPort?.postMessage(message, [])

try {
  const evidence = await backtestHome(task.asked, {
    home,
    catalog: keep('catalog'),
    registry: keep('registry'),
    onProgress: (progress) => say({ progress }),
  })
  say({ evidence })
} catch (error) {
  // Anything else is a defect, and ends the thread.
  if (!isAssayError(error)) throw error
  const { code, status, title, action, detail } = error
  say({ refusal: { code, status, title, action, detail } })
}
