/** A thread that helps to evaluate nodes, until it is told to stop. */
import { workerData } from 'node:worker_threads'
import {
  CONTROL_LENGTH,
  JOB_LENGTH,
  type PartKernels,
  SIGNAL,
  SLEEPERS,
  STOP,
  workParts,
} from './team-protocol.ts'
import type { TeamData } from './team.ts'

declare const WebAssembly: {
  readonly Instance: new (module: object, imports: object) => { readonly exports: object }
}

/** About ten microseconds: the next node usually comes sooner than a sleeping thread would wake. */
const SPINS = 2000

const { module, memory, control: controlAt, jobs: jobsAt } = workerData as TeamData
const instance = new WebAssembly.Instance(module, { env: { memory } })
const control = new Int32Array(memory.buffer, controlAt, CONTROL_LENGTH)
const jobs = new Float64Array(memory.buffer, jobsAt, JOB_LENGTH)

let seen = 0
while (Atomics.load(control, STOP) === 0) {
  workParts(control, jobs, instance.exports as PartKernels)
  seen = awaitSignal(seen)
}

function awaitSignal(last: number): number {
  for (let spin = 0; spin < SPINS; spin++) {
    const now = Atomics.load(control, SIGNAL)
    if (now !== last) return now
  }
  Atomics.add(control, SLEEPERS, 1)
  Atomics.wait(control, SIGNAL, last)
  Atomics.sub(control, SLEEPERS, 1)
  return Atomics.load(control, SIGNAL)
}
