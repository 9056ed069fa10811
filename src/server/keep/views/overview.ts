import type { LabelState, OutcomeBucket } from '../../../decisions/index.ts'
import { isAssayError } from '../../../lib/errors.ts'
import { worst } from '../../../monitoring/index.ts'
import { DAY_US } from '../../../lib/time.ts'
import type { Overview, Replay, Session } from '../../contract/index.ts'
import type { Identity } from '../../../access/index.ts'
import type { ReplayState } from '../../../pipelines/index.ts'
import { clockView, onAir, type OnAir } from '../bank.ts'
import type { Handlers } from '../handlers.ts'
import {
  count,
  identityView,
  money,
  plural,
  rate,
  ref,
  short,
  time,
  timeOrNull,
  verdict,
  versionRef,
} from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { queueVerdict } from './cases.ts'
import { firstVersion } from './first-version.ts'
import { watch, type Watched } from './monitoring.ts'
import { outcomeRateView } from './outcome-rates.ts'

const TREND_POINTS = 30

export function overviewViews(
  rooms: Rooms,
): Pick<Handlers, 'overview' | 'replay' | 'commandReplay'> {
  const pace = createPace(rooms)
  return {
    async overview({ query, identity }): Promise<Overview> {
      const watched = await watch(rooms, query)
      const [tiles, live, strip, open] = await Promise.all([
        tilesOf(rooms, watched),
        liveNow(rooms, identity),
        stripOf(rooms),
        rooms.decisions.caseFigures(watched.bank.namespace, 0),
      ])
      const { report } = watched
      const alerts = [...alertsOf(watched), ...(await pausedOf(rooms, watched.bank))]
      return {
        clock: clockView(watched.bank, rooms.project()),
        range: watched.range.view,
        verdict: (await noPolicy(rooms)) ?? summary(watched, alerts, open.open, live !== null),
        alerts,
        tiles,
        live,
        outcomes: report.outcomes.map(outcomeRateView),
        latency: await latencyNow(rooms),
        decisionsPerMinute: await pace(watched.bank.namespace),
        strip,
      }
    },
    async replay() {
      return replayView(await replayState(rooms))
    },
    async commandReplay({ body }) {
      return replayView(await rooms.work.commandReplay(body))
    },
  }
}

export async function sessionView(
  rooms: Rooms,
  identity: Identity | undefined,
  version: string,
): Promise<Session> {
  const project = rooms.project()
  const bank = await onAir(rooms)
  return {
    identity: identity === undefined ? null : identityView(identity, identity.id),
    roles: identity === undefined ? [] : [...identity.roles],
    project: {
      name: project?.name ?? '',
      title: project?.title ?? 'Assay',
      example: project?.example ?? false,
      policy: project?.policies[0]?.name ?? null,
    },
    clock: clockView(bank, project),
    version,
  }
}

/** Of a project of features or pipelines alone; undefined for every other. */
async function noPolicy(rooms: Rooms): Promise<Overview['verdict'] | undefined> {
  const project = rooms.project()
  if (project === undefined || project.policies.length > 0) return undefined
  const history = await rooms.serving.history()
  const answering = history.filter(({ toUs }) => toUs === undefined).map(({ policy }) => policy)
  const rest =
    answering.length === 0
      ? ', so nothing is decided here'
      : `; what was deployed before goes on answering: ${answering.join(', ')}`
  return verdict('no-data', `${project.title} declares no policy${rest}.`)
}

function summary(
  { report }: Watched,
  alerts: Overview['alerts'],
  open: number,
  isLive: boolean,
): Overview['verdict'] {
  if (!isLive)
    return verdict(
      'no-data',
      'Nothing answers traffic yet; the pipeline below shows how far it is.',
    )
  const queue = open === 0 ? 'nothing to review' : `${count(open)} to review`
  const warned = alerts.length === 0 ? 'no alerts' : plural(alerts.length, 'alert')
  const recall = report.performance.find(({ metric }) => metric === 'recall')
  const first =
    recall === undefined || recall.live === null
      ? 'Deciding; no labels have come home yet'
      : recall.verdict.status === 'ok'
        ? 'Reviews find fraud as expected'
        : recall.verdict.status === 'no-data'
          ? 'Deciding; too few labels to judge'
          : 'Reviews find less fraud than at testing'
  const { status } =
    alerts.length === 0 ? { status: 'ok' as const } : worst(alerts.map((each) => each.verdict))
  return verdict(status, `${first}; ${queue}; ${warned}.`)
}

function alertsOf({ report }: Watched): Overview['alerts'] {
  const monitoring = ref('screen', '/monitoring', 'Monitoring')
  const verdicts = [
    ...report.drift.map((figures) => figures.verdict),
    report.ratesVerdict,
    report.latencyVerdict,
    report.rulesVerdict,
    ...report.performance.map((metric) => metric.verdict),
  ]
  return verdicts
    .filter(({ status }) => status === 'alert' || status === 'warning')
    .map((each) => ({ verdict: each, target: monitoring }))
}

/** Rules that ask for nothing now: of those that paused themselves nobody may know yet. */
async function pausedOf(
  { serving, policyDesk }: Rooms,
  { namespace }: OnAir,
): Promise<Overview['alerts']> {
  const live = (await serving.history()).filter(({ toUs }) => toUs === undefined)
  const paused = await Promise.all(
    live.map(async ({ policy }) => {
      try {
        return await policyDesk.paused(namespace, policy)
      } catch (error) {
        // What decides is starting again, or this namespace has no such policy.
        if (isAssayError(error)) return []
        throw error
      }
    }),
  )
  return paused.flat().map(({ policy, rule, actor, reason }) => ({
    verdict: verdict(
      actor === 'assay' ? 'alert' : 'warning',
      `Rule ${rule} ${actor === 'assay' ? 'paused itself' : 'is paused'}: ${reason}`,
    ),
    target: ref('policy', policy),
  }))
}

async function tilesOf(
  rooms: Rooms,
  { report, bank, policy, range }: Watched,
): Promise<Overview['tiles']> {
  const column = rooms.project()?.sources[0]?.columns.find(({ kind }) => kind === 'money')
  const currency = column?.kind === 'money' ? column.currency : 'EUR'
  const exponent = column?.kind === 'money' ? column.exponent : 2
  const untilUs = range.toUs ?? bank.nowUs + 1
  const fromUs = range.fromUs ?? rooms.project()?.replay?.fromUs ?? untilUs - 30 * DAY_US
  const buckets = await rooms.decisions.outcomesOver({
    namespace: bank.namespace,
    policy,
    fromUs,
    untilUs,
    bucketUs: Math.max(
      3_600_000_000,
      Math.ceil((untilUs - fromUs) / TREND_POINTS / 3_600_000_000) * 3_600_000_000,
    ),
  })
  const labelled = buckets
    .filter(({ label }) => label !== 'none')
    .reduce((sum, { n }) => sum + n, 0)
  const total = buckets.reduce((sum, { n }) => sum + n, 0)
  const known =
    total === 0
      ? 'no decisions yet'
      : `labels for ${count(labelled)} of ${count(total)} decisions so far`
  const { stopped, missed, genuineDeclined } = report.money
  const declinedLabelled = buckets
    .filter(({ outcome, label }) => outcome === 'decline' && label !== 'none')
    .reduce((sum, { n }) => sum + n, 0)
  const today = bank.nowUs - (bank.nowUs % DAY_US)
  const figures = await rooms.decisions.caseFigures(bank.namespace, today)
  const perDay = await rooms.reviewCapacity()
  const noData = labelled === 0
  return {
    fraudStopped: {
      amount: money(stopped.amountMinor, currency, exponent),
      count: stopped.n,
      note: `${plural(stopped.n, 'payment')} held back and confirmed as fraud (a declined one rarely gets a label); ${known}`,
      verdict: noData
        ? verdict('no-data', 'No labels yet.')
        : verdict('ok', `${stopped.n} confirmed.`),
      trend: trendOf(buckets, (o, l) => o !== 'allow' && l === 'positive', true),
    },
    fraudMissed: {
      amount: money(missed.amountMinor, currency, exponent),
      count: missed.n,
      note: `${plural(missed.n, 'payment')} allowed and confirmed as fraud; ${known}`,
      verdict: noData
        ? verdict('no-data', 'No labels yet.')
        : verdict('ok', `${missed.n} confirmed so far.`),
      trend: trendOf(buckets, (o, l) => o === 'allow' && l === 'positive', true),
    },
    genuineDeclined: {
      rate: rate(genuineDeclined.n, declinedLabelled),
      count: genuineDeclined.n,
      note: 'Of declined payments that people judged, those they called genuine. A declined payment has no natural label.',
      verdict:
        declinedLabelled === 0
          ? verdict('no-data', 'No declined payment was judged yet.')
          : verdict('ok', `${genuineDeclined.n} of ${count(declinedLabelled)} judged.`),
      trend: trendOf(buckets, (o, l) => o === 'decline' && l === 'negative', false),
    },
    reviewQueue: {
      open: figures.open,
      capacityPerDay: perDay,
      decidedToday: figures.closedSince,
      oldestOpenedAt: timeOrNull(figures.oldestOpenedAtUs),
      note: perDay === null ? 'No capacity is declared.' : `People can review ${perDay} a day.`,
      verdict: queueVerdict(figures.open, perDay),
    },
  }
}

function trendOf(
  buckets: readonly OutcomeBucket[],
  holds: (outcome: OutcomeBucket['outcome'], label: LabelState) => boolean,
  amounts: boolean,
) {
  const starts = [...new Set(buckets.map(({ startUs }) => startUs))].toSorted((a, b) => a - b)
  return starts.slice(-60).map((startUs) => ({
    at: time(startUs),
    value: buckets
      .filter((bucket) => bucket.startUs === startUs && holds(bucket.outcome, bucket.label))
      .reduce((sum, bucket) => sum + (amounts ? bucket.amountMinor / 100 : bucket.n), 0),
  }))
}

async function liveNow(rooms: Rooms, identity: Identity): Promise<Overview['live']> {
  const policy = rooms.project()?.policies[0]
  const deployment = policy && (await rooms.serving.current(policy.name))
  if (policy === undefined || deployment === undefined) return null
  const [version, standing, target, identities] = await Promise.all([
    rooms.registry.version(deployment.model, deployment.version),
    rooms.governance.standing(deployment.model, deployment.version),
    rooms.serving.rollbackTarget({ policy: policy.name }),
    rooms.access.identities(),
  ])
  const people = new Map(identities.map((each) => [each.id, each]))
  const threshold = (name: string) => {
    const value = deployment.thresholds[name]
    // Above 1 no score reaches it: the outcome comes from rules alone.
    return value === undefined || value > 1 ? null : value
  }
  return {
    policy: ref('policy', policy.name),
    policyVersion: deployment.policyHash,
    model: versionRef(deployment.model, deployment.version),
    modelHash: deployment.modelHash,
    learner: version.kind,
    liveSince: time(deployment.fromUs),
    deployedBy: identityView(people.get(deployment.actorId), deployment.actorId),
    approvedBy: standing.approvals
      .filter((approval) => approval.verdict === 'approve')
      .map((approval) => ({
        id: approval.identityId,
        name: approval.identityName,
        kind: approval.identityKind,
      })),
    thresholds: { review: threshold('review'), decline: threshold('decline') },
    rollbackTo: target === undefined ? null : versionRef(target.model, target.version),
    rollback:
      target === undefined
        ? { allowed: false, reason: 'No earlier deployment was approved.' }
        : identity.roles.includes('administrator')
          ? { allowed: true, reason: null }
          : { allowed: false, reason: 'Only an administrator rolls back.' },
  }
}

async function latencyNow(rooms: Rooms): Promise<Overview['latency']> {
  const status = await statusOf(rooms)
  if (status === undefined) {
    return {
      p50Us: null,
      p99Us: null,
      n: 0,
      normalP99Us: null,
      verdict: verdict('alert', 'Decisions are not being answered.'),
    }
  }
  const { latency } = status
  const p99 = latency.p99Us
  return {
    ...latency,
    normalP99Us: null,
    verdict:
      p99 === null
        ? verdict('no-data', 'No decision was measured yet.')
        : verdict(
            p99 > 100_000 ? 'warning' : 'ok',
            `99 % were answered durably within ${(p99 / 1000).toFixed(1)} ms (the last ${count(latency.n)}).`,
          ),
  }
}

async function statusOf(rooms: Rooms) {
  try {
    return await rooms.decide.status()
  } catch (error) {
    if (isAssayError(error)) return undefined
    throw error
  }
}

/** Decisions a minute by the machine's clock, over up to the last minute in which somebody looked. */
function createPace(rooms: Rooms): (namespace: string) => Promise<number | null> {
  const minuteUs = 60_000_000
  let seen: { readonly namespace: string; readonly atUs: number; readonly total: number }[] = []
  return async (namespace) => {
    const now = {
      namespace,
      atUs: rooms.clock.nowUs(),
      total: await rooms.decisions.count({ namespace }),
    }
    seen = [
      ...seen.filter((each) => each.namespace === namespace && now.atUs - each.atUs <= minuteUs),
      now,
    ]
    const [first] = seen
    const passedUs = now.atUs - first.atUs
    return passedUs < 2_000_000 ? null : ((now.total - first.total) * minuteUs) / passedUs
  }
}

async function stripOf(rooms: Rooms): Promise<Overview['strip']> {
  const project = rooms.project()
  const [datasets, counts, first, bank] = await Promise.all([
    rooms.catalog.datasets(),
    rooms.registry.statusCounts(),
    firstVersion(rooms.registry, { status: 'live' }),
    onAir(rooms),
  ])
  const events = datasets.filter(({ kind }) => kind === 'source')
  const rows = events.reduce((sum, each) => sum + each.rows, 0)
  const open = datasets.reduce((sum, each) => sum + each.quarantinedOpen, 0)
  const features = project?.featureSets.reduce((sum, set) => sum + set.features.length, 0) ?? 0
  const live = first?.version
  const versions = Object.values(counts).reduce((sum, n) => sum + n, 0)
  const refused = counts.refused ?? 0
  const decided = await rooms.decisions.count({ namespace: bank.namespace })
  const ap = live?.metrics['average_precision']
  const none = verdict('no-data', 'Not there yet.')
  return [
    {
      stage: 'data',
      figure: count(rows),
      unit: `rows, ${count(open)} in quarantine`,
      verdict:
        rows === 0
          ? none
          : verdict(
              open === 0 ? 'ok' : 'warning',
              open === 0 ? 'All rows keep the contract.' : `${plural(open, 'row')} to mend.`,
            ),
      target:
        events[0] === undefined
          ? ref('screen', '/data', 'Data')
          : ref('dataset', events[0].dataset),
    },
    {
      stage: 'features',
      figure: count(features),
      unit: `features in ${plural(project?.featureSets.length ?? 0, 'set')}`,
      verdict:
        features === 0 ? none : verdict('ok', 'Declared once, the same live and in history.'),
      target: ref('screen', '/features', 'Features'),
    },
    {
      stage: 'model',
      figure: ap === undefined ? '–' : ap.value.toFixed(3),
      unit: `average precision, ${live?.build.declaration ?? 'no model live'}`,
      verdict: live === undefined ? none : verdict('ok', `Version ${live.version} is live.`),
      target:
        live === undefined
          ? ref('screen', '/models', 'Models')
          : versionRef(live.model, live.version),
    },
    {
      stage: 'gate',
      figure: count(versions - refused),
      unit: `passed, ${count(refused)} refused`,
      verdict: versions === 0 ? none : verdict('ok', 'Gate and two approvals for every version.'),
      target: ref('screen', '/governance', 'Governance'),
    },
    {
      stage: 'live',
      figure: count(decided),
      unit: `decisions by ${live === undefined ? 'nobody' : short(live.modelHash)}`,
      verdict: decided === 0 ? none : verdict('ok', 'Each on disk before it was answered.'),
      target: ref('screen', '/decisions', 'Decisions'),
    },
  ]
}

const noReplay: ReplayState = {
  state: 'none',
  namespace: null,
  simulatedNowUs: null,
  fromUs: null,
  untilUs: null,
  speed: '600',
  progress: 0,
  decisions: 0,
  labels: 0,
  firstLabelsUs: null,
  problem: null,
}

async function replayState(rooms: Rooms): Promise<ReplayState> {
  try {
    return await rooms.work.replay()
  } catch (error) {
    // The role that plays is starting or was started again; the page asks once more soon.
    if (isAssayError(error, 'peer_unavailable', 'peer_failed')) return noReplay
    throw error
  }
}

function replayView(state: ReplayState): Replay {
  const sentences: Readonly<Record<ReplayState['state'], string>> = {
    none: 'Nothing is being replayed.',
    waiting: 'Getting ready; the replay starts once a version is live.',
    playing:
      state.speed === 'max'
        ? 'Playing as fast as decisions are made.'
        : `Playing at ${state.speed} times the speed of time.`,
    paused: 'Paused.',
    finished: 'The tape has ended; play it again in a namespace of its own.',
    failed: state.problem ?? 'The replay failed.',
  }
  return {
    state: state.state,
    namespace: state.namespace,
    simulatedNow: timeOrNull(state.simulatedNowUs),
    from: timeOrNull(state.fromUs),
    to: timeOrNull(state.untilUs),
    speed: state.speed,
    progress: Math.min(1, Math.max(0, state.progress)),
    decisions: state.decisions,
    labels: state.labels,
    firstLabelsAt: timeOrNull(state.firstLabelsUs),
    sentence: state.problem ?? sentences[state.state],
  }
}
