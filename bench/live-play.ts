// Rows played through the real decision service as live traffic, for measurements that compare answers
// and values: nothing waits for the disk.
import { rm } from 'node:fs/promises'
import type { CompiledLabels, CompiledSource, Frame } from '../src/data/index.ts'
import {
  createMemoryIndex,
  openDecisionService,
  type DecideRemote,
  type DecisionService,
  type DeploymentFiles,
} from '../src/decisions/index.ts'
import { monotonicUs, systemClock } from '../src/lib/clock.ts'
import { nodeFiles, type FileSystem } from '../src/lib/files.ts'
import { createReplay } from '../src/pipelines/index.ts'

export function openHastyService(
  directory: string,
  deployments: DeploymentFiles,
): Promise<DecisionService> {
  return openDecisionService({
    directory,
    files: hastyFiles,
    clock: systemClock,
    deployments,
    openIndex: async () => createMemoryIndex(),
    removeDirectory: (folder) => rm(folder, { recursive: true }),
    onFatal: (error) => {
      throw error
    },
  })
}

const hastyFiles: FileSystem = {
  ...nodeFiles,
  open: async (file, mode) => ({
    ...(await nodeFiles.open(file, mode)),
    sync: async () => undefined,
  }),
  syncDirectory: async () => undefined,
}

export interface Played {
  readonly source: CompiledSource
  readonly policy: string
  readonly labels: CompiledLabels
  readonly frame: Frame
  readonly labelsFrame: Frame
  /** Event times in [fromUs, untilUs). */
  readonly fromUs: number
  readonly untilUs: number
}

/** Decides on the rows of a period in a namespace, with their labels; resolves when all are answered. */
export async function playLive(
  { source, policy, labels, frame, labelsFrame, fromUs, untilUs }: Played,
  namespace: string,
  decide: DecideRemote,
): Promise<void> {
  const replay = createReplay(
    {
      source,
      policy,
      labels: labels.name,
      labelValues: labels.values,
      events: frame,
      labelArrivals: labelsFrame,
      fromUs,
      untilUs,
      firstLabelsUs: fromUs + labels.delayUs,
    },
    'max',
    {
      decide,
      prepare: async () => undefined,
      monotonicMs: () => monotonicUs() / 1000,
      sleep: (ms) => new Promise((wake) => setTimeout(wake, ms)),
    },
  )
  await replay.start(namespace)
  while (replay.state().state === 'playing' && replay.state().problem === null) {
    await new Promise((wake) => setTimeout(wake, 20))
  }
  await replay.stop()
  const { problem } = replay.state()
  if (problem !== null) throw new Error(`The replay stopped: ${problem}`)
}
