/** The trees of a random forest in their order, grown by several threads. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import {
  type BaggedTree,
  createTreeMaker,
  type ForestGround,
  keepTree,
} from './random-forest-bag.ts'

/** What a thread is started with. */
export type ForestTeamData = {
  readonly ground: ForestGround
  readonly control: Int32Array
  readonly port: MessagePort
  readonly trees: number
  readonly ahead: number
}

/** Words of `control`: the next tree to be grown, how many were taken, news, and an end. */
const NEXT = 0
const TAKEN = 1
const NEWS = 2
const STOP = 3
const CONTROL_LENGTH = 4

/** Trees that a thread may be ahead of the one who takes them: each holds the rows of its bag. */
const AHEAD = 4
/** How long a sleep lasts at most, in ms; what is waited for usually ends it. */
const SLEEP_MS = 100
/** After so many sleeps without news the thread that has the tree may have died. */
const SLEEPS_MAX = 20

/**
 * The index of a tree that nobody grows yet, −1 where there is none. Waits where the trees that were
 * grown are too far ahead of those that were taken.
 */
export function claimTree(control: Int32Array, trees: number, ahead: number): number {
  const index = Atomics.add(control, NEXT, 1)
  if (index >= trees) return -1
  for (;;) {
    const taken = Atomics.load(control, TAKEN)
    if (Atomics.load(control, STOP) === 1) return -1
    if (index < taken + ahead) return index
    Atomics.wait(control, TAKEN, taken, SLEEP_MS)
  }
}

/** Wakes whoever waits for trees. */
export function say(control: Int32Array): void {
  Atomics.add(control, NEWS, 1)
  Atomics.notify(control, NEWS)
}

/**
 * Hands every tree to `take`, in order. The caller grows trees too, so that threads which start late,
 * or not at all, only make it slower; the trees are the same however many threads there are.
 */
export function growForest(
  ground: ForestGround,
  trees: number,
  threads: number,
  take: (tree: BaggedTree) => void,
): void {
  if (threads === 1 || trees === 1) {
    const grow = createTreeMaker(ground)
    for (let index = 0; index < trees; index++) take(grow(index))
    return
  }
  const ahead = AHEAD * threads
  const shared = shareGround(ground)
  const control = new Int32Array(new SharedArrayBuffer(CONTROL_LENGTH * 4))
  const ports: MessagePort[] = []
  for (let helper = 1; helper < threads; helper++) {
    ports.push(startHelper({ ground: shared, control, trees, ahead }))
  }
  try {
    gather(createTreeMaker(shared), { control, ports, trees }, take)
  } finally {
    Atomics.store(control, STOP, 1)
    Atomics.notify(control, TAKEN)
    for (const port of ports) port.close()
  }
}

type Work = {
  readonly control: Int32Array
  readonly ports: readonly MessagePort[]
  readonly trees: number
}

function gather(
  grow: (index: number) => BaggedTree,
  { control, ports, trees }: Work,
  take: (tree: BaggedTree) => void,
): void {
  const grown = new Map<number, BaggedTree | null>()
  let sleeps = 0
  for (let next = 0; next < trees;) {
    const news = Atomics.load(control, NEWS)
    receive(ports, grown)
    const tree = sleeps < SLEEPS_MAX ? grown.get(next) : null
    if (tree !== undefined) {
      grown.delete(next)
      take(tree ?? grow(next))
      sleeps = 0
      next++
      Atomics.store(control, TAKEN, next)
      Atomics.notify(control, TAKEN)
      continue
    }
    // The tree that is waited for may be one that nobody grows yet.
    const index = Atomics.add(control, NEXT, 1)
    if (index < trees) grown.set(index, keepTree(grow(index)))
    else sleeps = Atomics.wait(control, NEWS, news, SLEEP_MS) === 'timed-out' ? sleeps + 1 : 0
  }
}

/** Trees that came; one that was not waited for any longer is let go with the others at the end. */
function receive(ports: readonly MessagePort[], grown: Map<number, BaggedTree | null>): void {
  for (const port of ports) {
    for (
      let got = receiveMessageOnPort(port);
      got !== undefined;
      got = receiveMessageOnPort(port)
    ) {
      const { index, tree } = got.message as { index: number; tree: BaggedTree | null }
      grown.set(index, tree)
    }
  }
}

function startHelper(data: Omit<ForestTeamData, 'port'>): MessagePort {
  const { port1, port2 } = new MessageChannel()
  const workerData: ForestTeamData = { ...data, port: port2 }
  const worker = new Worker(new URL('./random-forest-worker.ts', import.meta.url), {
    workerData,
    transferList: [port2],
  })
  worker.unref()
  // A thread that cannot start claims no tree, and the others grow them all.
  worker.on('error', () => {})
  port1.unref()
  return port1
}

/** The same ground with its long lists in memory that threads share. */
function shareGround(ground: ForestGround): ForestGround {
  const { binned, labels, weights } = ground
  // A list that lies on a page of compiled kernels would be handed over with the whole page.
  const codes = binned.codes.map((list) => list?.slice())
  return {
    ...ground,
    labels: sharedNumbers(labels),
    weights: sharedNumbers(weights),
    binned: {
      ...binned,
      cuts: [],
      codeBins: [],
      byRow: new Uint8Array(0),
      byColumn: sharedBytes(binned.byColumn),
      codes,
      missing: binned.missing.slice(),
      hasMissing: binned.hasMissing.slice(),
    },
  }
}

function sharedNumbers(values: Float64Array): Float64Array {
  const copy = new Float64Array(new SharedArrayBuffer(values.byteLength))
  copy.set(values)
  return copy
}

function sharedBytes(values: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(values.byteLength))
  copy.set(values)
  return copy
}
