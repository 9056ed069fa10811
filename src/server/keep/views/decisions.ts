import {
  caseId,
  type DecisionQuery,
  type DecisionRow as KnownRow,
  type Explanation as KnownExplanation,
  type Outcome,
  type StoredDecision,
} from '../../../decisions/index.ts'
import { formatFeatureValue, sayFeature, type CompiledFeature } from '../../../features/index.ts'
import { monotonicUs } from '../../../lib/clock.ts'
import { parseMinor } from '../../../lib/decimal.ts'
import type {
  Decision,
  DecisionRow,
  DecisionsQuery,
  Explanation,
  Reason,
  Recomputed,
} from '../../contract/index.ts'
import { keyColumns, onAir } from '../bank.ts'
import { serverErrors } from '../errors.ts'
import type { Handlers } from '../handlers.ts'
import { money, moneyText, plural, ref, time, timeOrNull, verdict } from '../present.ts'
import { resolveRange } from '../range.ts'
import type { Rooms } from '../rooms.ts'
import { auditProof } from './proof.ts'
import { storyOf } from './story.ts'
import { timelinesOf } from './timelines.ts'

const REASONS_SHOWN = 8
const OUTCOMES: readonly Outcome[] = ['allow', 'review', 'decline']

export function decisionViews(
  rooms: Rooms,
): Pick<Handlers, 'decisions' | 'decision' | 'decisionExplanation' | 'recomputeDecision'> {
  return {
    async decisions({ query }) {
      const filter = await filterOf(rooms, query)
      const [page, total] = await Promise.all([
        rooms.decisions.query(filter),
        rooms.decisions.count(filter),
      ])
      return { items: page.rows.map((row) => rowView(rooms, row)), next: page.next, total }
    },
    async decision({ params, query }) {
      const { namespace } =
        query.namespace === undefined ? await onAir(rooms) : { namespace: query.namespace }
      return decisionView(rooms, { namespace, ...params }, query)
    },
    async decisionExplanation({ params }) {
      const { namespace } = await onAir(rooms)
      const explained = await rooms.decide.explain({ namespace, ...params })
      const { record } = await rooms.decide.decision({ namespace, ...params })
      const usual = await usualValues(rooms, record.versions.model)
      const view = explanationView(explained, featuresOf(rooms), usual)
      if (view !== null) return view
      throw serverErrors.explanation_missing(`No model answered on event ${record.eventId}.`)
    },
    async recomputeDecision({ params }): Promise<Recomputed> {
      const { namespace } = await onAir(rooms)
      const startUs = monotonicUs()
      const { record } = await rooms.decide.decision({ namespace, ...params })
      const result = await rooms.work.recompute({ namespace, sequence: record.sequence })
      const differences = result.identical ? [] : result.differences
      return {
        identical: result.identical,
        compared: result.compared,
        differences: differences.map(({ field, recorded, recomputed }) => ({
          name: field,
          recorded: JSON.stringify(recorded),
          recomputed: JSON.stringify(recomputed),
        })),
        verdict: result.identical
          ? verdict(
              'ok',
              `Identical: ${plural(result.compared, 'value')} computed again, 0 differences.`,
            )
          : verdict('alert', `${plural(differences.length, 'value')} differ from the record.`),
        tookMs: (monotonicUs() - startUs) / 1000,
      }
    },
  }
}

/** The query of the read model that a view's filters stand for. */
export async function filterOf(rooms: Rooms, query: DecisionsQuery): Promise<DecisionQuery> {
  const bank = await onAir(rooms)
  const range = resolveRange(query, bank.nowUs)
  const source = rooms.project()?.sources[0]
  const columns = keyColumns(source)
  const amount = source?.columns.find(({ kind }) => kind === 'money')
  const exponent = amount?.kind === 'money' ? amount.exponent : 2
  const amountBound = (name: 'amountMin' | 'amountMax') => {
    const text = query[name]
    if (text === undefined) return undefined
    const minor = parseMinor(text, exponent)
    if (minor !== undefined) return minor
    throw serverErrors.request_invalid(`${name}: "${text}" is no amount; write 100 or 99.50.`)
  }
  return {
    namespace: query.namespace ?? bank.namespace,
    policy: query.policy,
    outcomes: outcomesOf(query.outcome),
    fromUs: range.fromUs,
    untilUs: range.toUs,
    keys: {
      ...(query.customer !== undefined &&
        columns.customer !== undefined && { [columns.customer]: query.customer }),
      ...(query.terminal !== undefined &&
        columns.terminal !== undefined && { [columns.terminal]: query.terminal }),
    },
    text: query.text,
    rule: query.rule,
    amountMinorMin: amountBound('amountMin'),
    amountMinorMax: amountBound('amountMax'),
    label:
      query.label === undefined
        ? undefined
        : ({ fraud: 'positive', genuine: 'negative', none: 'none' } as const)[query.label],
    order: query.order,
    limit: query.limit,
    after: query.cursor,
  }
}

function outcomesOf(text: string | undefined): Outcome[] | undefined {
  if (text === undefined || text === '') return undefined
  return text.split(',').map((each) => {
    const outcome = OUTCOMES.find((known) => known === each)
    if (outcome !== undefined) return outcome
    throw serverErrors.request_invalid(`outcome: "${each}" is none of ${OUTCOMES.join(', ')}.`)
  })
}

export function rowView(rooms: Rooms, row: KnownRow): DecisionRow {
  const columns = keyColumns(rooms.project()?.sources[0])
  const key = (column: string | undefined) =>
    column === undefined ? null : (row.keys[column] ?? null)
  return {
    policy: row.policy,
    eventId: row.eventId,
    namespace: row.namespace,
    sequence: row.sequence,
    eventTime: time(row.eventTimeUs),
    decidedAt: time(row.receivedAtUs),
    customer: key(columns.customer),
    terminal: key(columns.terminal),
    amount:
      row.amountMinor === null || row.currency === null
        ? null
        : money(row.amountMinor, row.currency),
    outcome: row.outcome,
    score: row.score,
    mainReason: row.mainReason,
    rulesFired: [...row.rules],
    label: row.label === null ? null : row.label.positive ? 'fraud' : 'genuine',
    labelArrivedAt: timeOrNull(row.label?.arrivalTimeUs),
    caseId: row.outcome === 'review' ? caseId(row.namespace, row.policy, row.eventId) : null,
    latencyUs: row.latencyUs,
  }
}

async function decisionView(
  rooms: Rooms,
  key: { namespace: string; policy: string; eventId: string },
  query: DecisionsQuery,
): Promise<Decision> {
  const [stored, explained, row] = await Promise.all([
    rooms.decide.decision(key),
    rooms.decide.explain(key),
    rooms.decisions.get(key.namespace, key.policy, key.eventId),
  ])
  const { record } = stored
  const features = featuresOf(rooms)
  const shown = rowView(rooms, row ?? rowOfRecord(rooms, stored))
  return {
    ...shown,
    sentence: sentenceOf(stored, shown),
    thresholds: { review: record.thresholds.review, decline: record.thresholds.decline },
    // Reasons of an allowed payment are made on demand; the page asks when a person does.
    explanation:
      record.outcome === 'allow'
        ? null
        : explanationView(explained, features, await usualValues(rooms, record.versions.model)),
    timelines: await timelinesOf(rooms, record, shown),
    rules: explained.rules.map((rule) => ({
      name: rule.name,
      fired: rule.fired,
      failed: rule.failed,
      expression: rule.when,
      then: rule.then,
      reason: rule.reason,
    })),
    path: pathOf(stored, explained),
    story: await storyOf(rooms, record, key),
    evidence: {
      features: stored.featureNames.map((name, index) =>
        featureValue(name, record.features[index] ?? null, features),
      ),
      versions: versionsOf(stored),
      bodyHash: record.bodyHash,
      proof: await auditProof(rooms, key.namespace, record.sequence),
      record,
    },
    neighbours: await neighboursOf(rooms, shown, record.eventTimeUs, query),
  }
}

/** Features by name with the set that declares them, of the project that was applied last. */
export function featuresOf(
  rooms: Rooms,
): ReadonlyMap<string, { feature: CompiledFeature; set: string }> {
  const sets = rooms.project()?.featureSets ?? []
  return new Map(
    sets.flatMap((set) =>
      set.features.map((feature) => [feature.name, { feature, set: set.name }]),
    ),
  )
}

/** What each watched feature was on average when the version was tested. */
async function usualValues(rooms: Rooms, modelHash: string): Promise<ReadonlyMap<string, number>> {
  const reference = await rooms.references.read(modelHash)
  const means = (reference?.columns ?? []).flatMap(({ column, mean }) =>
    mean === null ? [] : [[column, mean] as const],
  )
  return new Map(means)
}

function explanationView(
  explained: KnownExplanation,
  features: ReturnType<typeof featuresOf>,
  usual: ReadonlyMap<string, number>,
): Explanation | null {
  const { base, margin } = explained
  if (base === null || margin === null) return null
  const shown = explained.contributions.filter(({ contribution }) => contribution !== 0)
  const side = (sign: 1 | -1) =>
    shown
      .filter(({ contribution }) => Math.sign(contribution) === sign)
      .toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
      .slice(0, REASONS_SHOWN)
  const listed = [...side(1), ...side(-1)]
  const view = (each: (typeof shown)[number]): Reason => {
    const known = features.get(each.feature)
    return {
      feature: each.feature,
      sentence: withUsual(each.sentence, known?.feature, usual.get(each.feature)),
      value: each.value,
      valueText:
        known === undefined
          ? String(each.value ?? '–')
          : formatFeatureValue(known.feature, each.value ?? Number.NaN),
      contribution: each.contribution,
      target:
        known === undefined ? null : ref('feature', `${known.set}/${each.feature}`, each.feature),
    }
  }
  const inList = new Set(listed)
  return {
    towards: side(1).map(view),
    against: side(-1).map(view),
    others: explained.contributions
      .filter((each) => !inList.has(each))
      .reduce((sum, each) => sum + each.contribution, 0),
    base,
    margin,
    unit: explained.marginUnit,
    method: `Exact path-dependent SHAP values, in ${explained.marginUnit}: base and contributions add up to the margin.`,
  }
}

/** A figure says more beside what is usual; a yes or no says enough alone. */
function withUsual(
  sentence: string,
  feature: CompiledFeature | undefined,
  usual: number | undefined,
): string {
  if (feature === undefined || usual === undefined || feature.unit === 'flag') return sentence
  return `${sentence}; usual is ${formatFeatureValue(feature, usual)}`
}

function sentenceOf({ record }: StoredDecision, row: DecisionRow): string {
  const done = { allow: 'Allowed', review: 'Sent to review', decline: 'Declined' }[record.outcome]
  const amount =
    row.amount === null
      ? ''
      : ` ${moneyText(row.amount.minor, row.amount.currency, row.amount.exponent)}`
  const why = row.mainReason === null ? 'nothing spoke against it' : lowerFirst(row.mainReason)
  return `${done}${amount}: ${why}.`
}

const byWhat = {
  rule: 'the strongest rule',
  typology: 'a typology',
  score: 'the score',
  default: 'what is declared for when no model answers',
} as const

function pathOf({ record }: StoredDecision, explained: KnownExplanation): Decision['path'] {
  const fired = explained.rules.filter((rule) => rule.fired)
  const { timings, thresholds } = record
  return [
    {
      step: 'contract',
      sentence: `The event keeps its contract${record.late ? ', and it came late' : ''}.`,
      tookUs: timings.contractUs,
    },
    {
      step: 'features',
      sentence: `${plural(record.features.length, 'feature')} as of the event.`,
      tookUs: timings.featuresUs,
    },
    {
      step: 'rules',
      sentence:
        fired.length === 0
          ? `None of ${plural(explained.rules.length, 'rule')} fired.`
          : `Fired: ${fired.map(({ name }) => name).join(', ')}.`,
      tookUs: null,
    },
    {
      step: 'model',
      sentence:
        record.score === null
          ? `No model answered: ${(record.unanswered ?? []).map(({ by, why }) => `${by}: ${why}`).join('; ')}`
          : `${record.versions.modelName} version ${record.versions.modelNumber} scores ${record.score.toFixed(4)}; review from ${thresholds.review.toFixed(4)}, decline from ${thresholds.decline > 1 ? 'never' : thresholds.decline.toFixed(4)}.`,
      tookUs: timings.decisionUs,
    },
    {
      step: 'outcome',
      sentence: `${record.outcome}, by ${byWhat[record.path]}.`,
      tookUs: null,
    },
  ]
}

function featureValue(
  name: string,
  value: number | null,
  features: ReturnType<typeof featuresOf>,
): Decision['evidence']['features'][number] {
  const known = features.get(name)
  const number = value ?? Number.NaN
  return {
    name,
    target: ref('feature', `${known?.set ?? ''}/${name}`, name),
    value,
    valueText:
      known === undefined ? String(value ?? '–') : formatFeatureValue(known.feature, number),
    words: known === undefined ? name : sayFeature(known.feature, number),
    sourceEvents: null,
  }
}

function versionsOf({ record }: StoredDecision): Decision['evidence']['versions'] {
  const { versions } = record
  return [
    { title: 'Decision policy', target: ref('policy', record.policy), hash: versions.policy },
    {
      title: 'Model',
      target: ref(
        'version',
        `${versions.modelName}/${versions.modelNumber}`,
        `${versions.modelName} version ${versions.modelNumber}`,
      ),
      hash: versions.model,
    },
    { title: 'Contract', target: ref('dataset', record.source), hash: versions.source },
    ...versions.featureSets.map((hash) => ({
      title: 'Feature set',
      target: ref('screen', '/features', 'Features'),
      hash,
    })),
    { title: 'Deployment', target: ref('policy', record.policy), hash: versions.deployment },
  ]
}

async function neighboursOf(
  rooms: Rooms,
  row: DecisionRow,
  eventTimeUs: number,
  query: DecisionsQuery,
): Promise<Decision['neighbours']> {
  const filter = await filterOf(rooms, { ...query, namespace: row.namespace })
  const { newer, older } = await rooms.decisions.neighbours(filter, {
    eventTimeUs,
    sequence: row.sequence,
  })
  const key = (each: KnownRow | null) =>
    each === null ? null : { policy: each.policy, eventId: each.eventId }
  return { newer: key(newer), older: key(older) }
}

/** A decision so fresh that the read model has not heard of it, in the read model's words. */
function rowOfRecord(rooms: Rooms, { record }: StoredDecision): KnownRow {
  const source = rooms.project()?.sources.find(({ name }) => name === record.source)
  const amount = source?.columns.find(({ kind }) => kind === 'money')
  const keys = source?.columns.filter(({ kind }) => kind === 'key') ?? []
  const value = amount === undefined ? undefined : record.event[amount.name]
  return {
    namespace: record.namespace,
    sequence: record.sequence,
    policy: record.policy,
    source: record.source,
    eventId: record.eventId,
    eventTimeUs: record.eventTimeUs,
    receivedAtUs: record.receivedAtUs,
    clockUs: record.clockUs,
    keys: Object.fromEntries(keys.map(({ name }) => [name, String(record.event[name])])),
    amountMinor: typeof value === 'number' ? value : null,
    currency: amount?.kind === 'money' ? amount.currency : null,
    score: record.score,
    outcome: record.outcome,
    mainReason: record.reasons[0]?.sentence ?? null,
    rules: record.rules,
    late: record.late,
    deployment: record.versions.deployment,
    policyVersion: record.versions.policy,
    modelVersion: record.versions.model,
    modelName: record.versions.modelName,
    modelNumber: record.versions.modelNumber,
    latencyUs: 0,
    label: null,
  }
}

export const lowerFirst = (text: string): string =>
  /^[A-Z][a-z]/.test(text) ? text[0].toLowerCase() + text.slice(1) : text
