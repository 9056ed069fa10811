// The small bank, deciding: a service on a disk in memory that fails when a test tells it to.
import { createMemoryIndex, decideRemote, openDecisionService } from '../src/decisions/index.ts'
import type {
  AnswerBody,
  DecisionService,
  OnlineStore,
  OutsideModels,
  StateMemory,
} from '../src/decisions/index.ts'
import { manualClock } from '../src/lib/clock.ts'
import { isAssayError } from '../src/lib/errors.ts'
import { faultyFiles } from '../src/lib/faulty-files.ts'
import { deployment, memoryDeployments, startUs } from './small-bank.ts'

export const openServices: DecisionService[] = []
/** Closes what a test opened. */
export async function closeServices(): Promise<void> {
  for (const service of openServices.splice(0)) await service.close().catch(() => undefined)
}

export interface BankOptions {
  readonly files?: ReturnType<typeof faultyFiles>
  readonly checkpointEvery?: number
  readonly segmentBytes?: number
  readonly inFlightMax?: number
  readonly stateMemory?: StateMemory
  readonly online?: OnlineStore
  readonly bases?: string
  readonly outsideModels?: OutsideModels
  readonly deployments?: ReturnType<typeof memoryDeployments>
}

export async function openBank({
  files = faultyFiles(),
  deployments = memoryDeployments(),
  ...rest
}: BankOptions = {}) {
  const clock = manualClock(startUs + 10_000_000_000)
  const fatal: Error[] = []
  const warnings: string[] = []
  const service = await openDecisionService({
    directory: '/decide',
    files,
    clock,
    deployments,
    openIndex: async () => createMemoryIndex(),
    removeDirectory: async () => undefined,
    onFatal: (error) => fatal.push(error),
    onWarning: (message) => warnings.push(message),
    ...rest,
  })
  openServices.push(service)
  const remote = decideRemote(service)
  await remote.openNamespace({ namespace: 'live', clock: 'wall' })
  const decide = async (body: unknown, policy = 'card') =>
    (await service.decide({ namespace: 'live', policy, body })).body
  const answer = async (body: unknown) => JSON.parse(await decide(body)) as AnswerBody
  return { service, remote, files, clock, deployments, fatal, warnings, decide, answer }
}

export async function deployedBank(options: BankOptions = {}) {
  const made = await openBank(options)
  const hash = made.deployments.add(deployment())
  const request = { namespace: 'live', deployment: hash, actor: 'ann', reason: 'first' }
  await made.remote.switchDeployment(request)
  return { ...made, hash }
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return isAssayError(error) ? error.code : String(error)
  }
  return 'none'
}
