// The rpc service `decide`: what other processes may ask, answered from a DecisionService.
import { monotonicUs } from '../lib/clock.ts'
import { isAssayError, toProblem } from '../lib/errors.ts'
import { baseFile, baseName } from './base-files.ts'
import { copyCheckpoint, readCheckpoint } from './checkpoint.ts'
import { livePolicy, durably, invalidEvent, plainVector } from './deciding.ts'
import { changeList, changeModel, changeRule } from './changes.ts'
import { readDeployment } from './deployed.ts'
import { circumstancesOf, recomputeDecision, rowOf } from './engine.ts'
import { decisionErrors } from './errors.ts'
import { expired } from './expired.ts'
import { explainLiveFeature } from './feature-explanation.ts'
import { decisionKey } from './keys.ts'
import { liveValues } from './live-features.ts'
import {
  appendRecord,
  findKey,
  isRecent,
  nextSequence,
  pauseAndRebuild,
  refusePaused,
} from './namespace.ts'
import type { Namespace } from './namespace.ts'
import { readPayload } from './payload.ts'
import { checkpointNow, installDeployment, prepareState, replaceBase } from './recovery.ts'
import { engineOf } from './recorded-engines.ts'
import { answerOf, decodeRecord } from './records.ts'
import { createQuestionQueue } from './question-queue.ts'
import { changeHold, holdsIn, removableIn, removeSegments } from './removal.ts'
import type {
  BaseRecord,
  DecisionRecord,
  DeployRecord,
  ExpiredRecord,
  JournalRecord,
  Sequenced,
} from './records.ts'
import type {
  DecideAnswer,
  DecideRemote,
  DecisionKey,
  PlayAnswer,
  RecordsPage,
  StoredDecision,
} from './remote.ts'
import type { DecisionService } from './service.ts'

const RECORDS_MAX = 5000
/** Decisions between two turns of the event loop, so that other requests are answered meanwhile. */
const EVENTS_PER_TURN = 32
/** Of a tape, where nobody waits for one answer; well below the requests that may be in flight. */
const STEPS_PER_TURN = 128
const EVENTS_MAX = 10_000
const WAIT_POLL_MS = 20
const BASE_LOADING = 'A new base of live state is being loaded.'

/** Makes the service that `serveRpc` offers as `decide`. */
export function decideRemote(service: DecisionService): DecideRemote {
  const within = (name: string) => service.namespace(name)
  const inTurn = createQuestionQueue()
  return {
    status: async () => service.status(),
    namespaces: async () => service.namespaces(),
    openNamespace: ({ namespace, clock }) => service.openNamespace(namespace, clock),
    removeNamespace: ({ namespace }) => service.removeNamespace(namespace),
    loadBase: ({ namespace, ...request }) => loadBase(within(namespace), request),
    switchDeployment: ({ namespace, ...request }) => switchDeployment(within(namespace), request),
    replayClock: async ({ namespace, nowUs }) => moveClock(within(namespace), nowUs),
    play: (request) => play(service, request),
    decideMany: (request) => decideMany(service, request),
    ingest: (request) => service.ingest(request),
    records: (request) => records(within(request.namespace), request),
    decision: (key) => decision(within(key.namespace), key),
    async explain(key) {
      const { record, engine } = await madeBy(within(key.namespace), key)
      const vector = Float64Array.from(record.features, (value) => value ?? Number.NaN)
      const row = rowOf(record.event, engine.document)
      return engine.explain(row, vector, circumstancesOf(record))
    },
    async recompute(key) {
      const { record, engine } = await madeBy(within(key.namespace), key)
      return recomputeDecision(engine, record)
    },
    liveFeatures: async ({ namespace, policy, event }) =>
      liveFeatures(within(namespace), policy, event),
    explainFeature: ({ namespace, ...question }) =>
      inTurn(() => explainLiveFeature(within(namespace), question)),
    liveValues: ({ namespace, ...question }) =>
      inTurn(() => liveValues(within(namespace), question)),
    sealed: ({ namespace }) => within(namespace).journal.sealed(),
    async deployment({ deployment }) {
      const [first] = service.namespaces()
      return await readDeployment(
        within(first?.namespace ?? 'live').options.deployments,
        deployment,
      )
    },
    changeList: ({ namespace, ...change }) => changeList(within(namespace), change),
    changeRule: ({ namespace, ...change }) => changeRule(within(namespace), change),
    listEntries: async ({ namespace, list }) => within(namespace).controls.entries(list),
    controls: async ({ namespace, policy }) => {
      const { controls } = within(namespace)
      return { paused: controls.paused(policy), suspended: controls.suspended(policy) ?? null }
    },
    changeModel: ({ namespace, ...change }) => changeModel(within(namespace), change),
    removable: ({ namespace, beforeUs }) => removableIn(within(namespace), beforeUs),
    removeRecords: ({ namespace, ...request }) => removeSegments(within(namespace), request),
    holds: ({ namespace }) => holdsIn(within(namespace)),
    changeHold: ({ namespace, ...change }) => changeHold(within(namespace), change),
    checkpoint: ({ namespace }) => checkpointNow(within(namespace)),
  }
}

function moveClock(replay: Namespace, nowUs: number): void {
  if (replay.clockKind !== 'replay') {
    throw decisionErrors.namespace_invalid(
      `The namespace "${replay.name}" follows the machine's clock.`,
    )
  }
  replay.replayIsDriven = true
  replay.replayNowUs = Math.max(replay.replayNowUs ?? 0, nowUs)
}

/** A step enters state before the next one is looked at, and they share their way to the disk. */
async function play(
  service: DecisionService,
  { namespace, policy, labels, author, steps }: Parameters<DecideRemote['play']>[0],
): Promise<PlayAnswer[]> {
  if (steps.length > EVENTS_MAX) {
    throw decisionErrors.batch_too_large(`The request has ${steps.length} steps.`)
  }
  const answers: PlayAnswer[] = []
  for (let from = 0; from < steps.length; from += STEPS_PER_TURN) {
    const turn = steps.slice(from, from + STEPS_PER_TURN).map(async (step): Promise<PlayAnswer> => {
      moveClock(service.namespace(namespace), step.atUs)
      if ('event' in step) {
        return { step: 'event', answer: await decideOne(service, namespace, policy, step.event) }
      }
      if ('source' in step) {
        const taken = { namespace, source: step.source, rows: [step.row], author }
        const [answer] = await service.ingest(taken)
        return { step: 'row', answer }
      }
      const rows = [step.label]
      const [answer] = await service.ingest({ namespace, source: labels, rows, author })
      return { step: 'label', answer }
    })
    answers.push(...(await Promise.all(turn)))
  }
  return answers
}

async function decideOne(
  service: DecisionService,
  namespace: string,
  policy: string,
  body: unknown,
): Promise<DecideAnswer> {
  try {
    const decided = await service.decide({ namespace, policy, body })
    return { ok: true, status: 200, body: decided.body, replayed: decided.replayed }
  } catch (error) {
    if (!isAssayError(error)) throw error
    return { ok: false, status: error.status, problem: toProblem(error) }
  }
}

async function decideMany(
  service: DecisionService,
  { namespace, policy, events }: Parameters<DecideRemote['decideMany']>[0],
): Promise<DecideAnswer[]> {
  if (events.length > EVENTS_MAX) {
    throw decisionErrors.batch_too_large(`The request has ${events.length} events.`)
  }
  const answers: DecideAnswer[] = []
  for (let from = 0; from < events.length; from += EVENTS_PER_TURN) {
    const turn = events
      .slice(from, from + EVENTS_PER_TURN)
      .map((body) => decideOne(service, namespace, policy, body))
    answers.push(...(await Promise.all(turn)))
  }
  return answers
}

/**
 * Starts state from a checkpoint of history. The file is copied into the namespace, so that recovery
 * never depends on what others keep.
 */
async function loadBase(
  namespace: Namespace,
  {
    path: file,
    supersedes = [],
  }: { readonly path: string; readonly supersedes?: readonly string[] },
): Promise<{ sequence: number; checkpoint: string }> {
  refusePaused(namespace)
  const { files, clock } = namespace.options
  const checkpoint = await readCheckpoint(file, files)
  // Whoever asks again after a crash gets what is there.
  if (namespace.base === checkpoint.hash) {
    return { sequence: namespace.journal.lastSequence, checkpoint: checkpoint.hash }
  }
  const { hash, head } = checkpoint
  await copyCheckpoint(baseFile(namespace.directory, hash), checkpoint, files)
  // Reading and copying take time, in which another base or a full disk may have come first.
  refusePaused(namespace)
  namespace.pause = { reason: BASE_LOADING, retryAfter: 1, isLoading: true }
  try {
    await namespace.journal.flush()
    const sequence = nextSequence(namespace)
    await replaceBase(namespace, checkpoint, hash, sequence, supersedes)
    const record: BaseRecord = {
      type: 'base',
      checkpoint: hash,
      file: baseName(hash),
      lastSequence: head.lastSequence,
      newestEventTimeUs: head.newestEventTimeUs,
      layout: head.layout,
      supersedes,
      ...(head.journal && { journal: head.journal }),
      ...(head.madeOf && { madeOf: head.madeOf }),
      receivedAtUs: clock.nowUs(),
    }
    namespace.generation++
    const { durable } = appendRecord(namespace, record, sequence)
    await durably(durable)
    return { sequence, checkpoint: hash }
  } catch (error) {
    // State may be half of the one and half of the other.
    if (!isAssayError(error)) pauseAndRebuild(namespace, error)
    throw error
  } finally {
    if (namespace.pause?.isLoading) namespace.pause = undefined
  }
}

async function switchDeployment(
  namespace: Namespace,
  request: { readonly deployment: string; readonly actor: string; readonly reason: string },
): Promise<{ sequence: number }> {
  refusePaused(namespace)
  const document = await readDeployment(namespace.options.deployments, request.deployment)
  refusePaused(namespace)
  const current = namespace.policies.get(document.policy.name)
  if (current?.deployment === request.deployment) return { sequence: current.sequence }
  prepareState(namespace, document)
  const record: DeployRecord = {
    type: 'deploy',
    policy: document.policy.name,
    ...request,
    receivedAtUs: namespace.options.clock.nowUs(),
  }
  const sequence = nextSequence(namespace)
  installDeployment(namespace, document, request.deployment, sequence)
  const { durable } = appendRecord(namespace, record, sequence)
  await durably(durable)
  return { sequence }
}

async function records(
  namespace: Namespace,
  request: { readonly after: number; readonly limit: number; readonly waitMs?: number | undefined },
): Promise<RecordsPage> {
  const { journal, name } = namespace
  const { after, waitMs = 0 } = request
  const untilUs = monotonicUs() + Math.min(waitMs, 30_000) * 1000
  while (journal.durableSequence <= after && monotonicUs() < untilUs) {
    await new Promise((resolve) => setTimeout(resolve, WAIT_POLL_MS))
  }
  const found: Sequenced<JournalRecord>[] = []
  const layouts: Record<string, string[]> = {}
  const limit = Math.max(1, Math.min(request.limit, RECORDS_MAX))
  for await (const { sequence, payload } of journal.read(after + 1)) {
    const record = { ...decodeRecord(payload), namespace: name, sequence }
    found.push(record)
    if ('layout' in record)
      layouts[record.layout] ??= [...(namespace.layouts.get(record.layout) ?? [])]
    if (found.length >= limit) break
  }
  return { records: found, lastSequence: journal.durableSequence, layouts }
}

async function find(namespace: Namespace, { policy, eventId }: DecisionKey) {
  const known = findKey(namespace, decisionKey(policy, eventId))
  if (known === undefined) {
    throw decisionErrors.decision_not_found(
      `Policy "${policy}" has no decision on event ${eventId}.`,
    )
  }
  if (isRecent(known)) {
    await durably(known.durable)
    return {
      sequence: known.sequence,
      record: known.record as DecisionRecord,
      answer: known.answer!,
    }
  }
  const payload = await readPayload(namespace, known.sequence)
  const record = decodeRecord(payload) as DecisionRecord | ExpiredRecord
  if (record.type === 'expired') throw expired(record)
  return { sequence: known.sequence, record, answer: answerOf(payload) }
}

async function decision(namespace: Namespace, key: DecisionKey): Promise<StoredDecision> {
  const { sequence, record, answer } = await find(namespace, key)
  const featureNames = [...(namespace.layouts.get(record.layout) ?? [])]
  return { record: { ...record, namespace: namespace.name, sequence }, answer, featureNames }
}

/** A recorded decision and the engine that made it. */
async function madeBy(namespace: Namespace, key: DecisionKey) {
  const { record } = await find(namespace, key)
  const engine = await engineOf(namespace, record.versions.deployment, record.layout)
  return { record, engine }
}

function liveFeatures(namespace: Namespace, policy: string, event: unknown) {
  const { source } = livePolicy(namespace, policy)
  const { state } = namespace
  const parsed = source.parser.fromJson(event)
  if (!parsed.ok) throw invalidEvent(source, parsed.failures)
  if (state === undefined) throw decisionErrors.not_ready('Live state is not loaded yet.')
  const vector = state.isTooLate(source.eventTimeUs(parsed.row))
    ? state.missing()
    : state.peek(parsed.row)
  return { names: [...state.layout.names], values: plainVector(vector) }
}
