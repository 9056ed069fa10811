/** A thread that grows trees of a random forest until all are claimed. */
import { workerData } from 'node:worker_threads'
import { createTreeMaker, keepTree } from './random-forest-bag.ts'
import { claimTree, type ForestTeamData, say } from './random-forest-team.ts'

const { ground, control, port, trees, ahead } = workerData as ForestTeamData
const grow = createTreeMaker(ground)

for (let index = claimTree(control, trees, ahead); index >= 0;) {
  try {
    port.postMessage({ index, tree: keepTree(grow(index)) })
  } catch {
    // Whoever gathers the trees grows it again, and meets what is wrong there.
    port.postMessage({ index, tree: null })
  }
  say(control)
  index = claimTree(control, trees, ahead)
}
port.close()
