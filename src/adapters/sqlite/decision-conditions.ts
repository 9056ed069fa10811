import { sql, type RawBuilder } from 'kysely'
import {
  decodeCursor,
  NO_SCORE,
  type CurrentLabel,
  type DecisionFilter,
  type DecisionOrder,
  type DecisionRow,
} from '../../decisions/index.ts'
import { fromJson } from './values.ts'

/** The columns of one decision, named apart where a case is read beside it. */
export interface DecisionColumns extends Omit<
  DecisionRow,
  'keys' | 'rules' | 'late' | 'label' | 'challenger' | 'unanswered'
> {
  challenger: string | null
  unanswered: string | null
  keys: string
  rules: string
  late: number
  labelValue: string | null
  labelPositive: number | null
  labelArrivalTimeUs: number | null
  labelAuthor: string | null
}

export function decisionOf(columns: DecisionColumns): DecisionRow {
  const { keys, rules, late, labelValue, labelPositive, labelArrivalTimeUs, labelAuthor } = columns
  const label: CurrentLabel | null =
    labelValue === null
      ? null
      : {
          value: labelValue,
          positive: labelPositive === 1,
          arrivalTimeUs: labelArrivalTimeUs!,
          author: labelAuthor!,
        }
  return {
    namespace: columns.namespace,
    sequence: columns.sequence,
    policy: columns.policy,
    source: columns.source,
    eventId: columns.eventId,
    eventTimeUs: columns.eventTimeUs,
    receivedAtUs: columns.receivedAtUs,
    clockUs: columns.clockUs,
    keys: fromJson(keys),
    amountMinor: columns.amountMinor,
    currency: columns.currency,
    score: columns.score === NO_SCORE ? null : columns.score,
    outcome: columns.outcome,
    mainReason: columns.mainReason,
    rules: fromJson(rules),
    late: late === 1,
    deployment: columns.deployment,
    policyVersion: columns.policyVersion,
    modelVersion: columns.modelVersion,
    modelName: columns.modelName,
    modelNumber: columns.modelNumber,
    latencyUs: columns.latencyUs,
    ...(columns.challenger !== null && { challenger: columns.challenger }),
    ...(columns.unanswered !== null && { unanswered: fromJson<never>(columns.unanswered) }),
    label,
  }
}

type Condition = RawBuilder<unknown>

/** The WHERE clause of a filter over `decisions AS d`. */
export function matching(filter: DecisionFilter): Condition {
  const parts: Condition[] = [sql`d.namespace = ${filter.namespace}`]
  const add = <T>(value: T | undefined, condition: (value: T) => Condition) => {
    if (value !== undefined) parts.push(condition(value))
  }
  add(filter.policy, (policy) => sql`d.policy = ${policy}`)
  add(filter.outcomes, (o) => sql`d.outcome IN (SELECT value FROM json_each(${JSON.stringify(o)}))`)
  add(filter.fromUs, (us) => sql`d.eventTimeUs >= ${us}`)
  add(filter.untilUs, (us) => sql`d.eventTimeUs < ${us}`)
  add(filter.text, (text) => sql`instr(d.searchText, ${text.toLowerCase()}) > 0`)
  for (const [name, value] of Object.entries(filter.keys ?? {})) {
    parts.push(sql`d.sequence IN (SELECT k.sequence FROM decisions_keys AS k
      WHERE k.namespace = ${filter.namespace} AND k.name = ${name} AND k.value = ${value})`)
  }
  add(filter.rule, (rule) => sql`EXISTS (SELECT 1 FROM json_each(d.rules) WHERE value = ${rule})`)
  add(filter.scoreMin, (score) => sql`d.score >= ${score}`)
  add(filter.amountMinorMin, (amount) => sql`d.amountMinor >= ${amount}`)
  add(filter.amountMinorMax, (amount) => sql`d.amountMinor <= ${amount}`)
  add(filter.label, (label) =>
    label === 'none'
      ? sql`d.labelValue IS NULL`
      : sql`d.labelPositive = ${label === 'positive' ? 1 : 0}`,
  )
  add(filter.late, (late) => sql`d.late = ${late ? 1 : 0}`)
  return sql.join(parts, sql` AND `)
}

/** An amount that is missing comes after all others. */
const amount = sql`coalesce(d.amountMinor, ${sql.lit(Number.MIN_SAFE_INTEGER)})`

/** ORDER BY of each order, all columns in one direction. */
export const orderBy: Readonly<Record<DecisionOrder, Condition>> = {
  oldest: sql`d.eventTimeUs, d.sequence`,
  newest: sql`d.eventTimeUs DESC, d.sequence DESC`,
  score: sql`d.score DESC, d.eventTimeUs DESC, d.sequence DESC`,
  amount: sql`${amount} DESC, d.eventTimeUs DESC, d.sequence DESC`,
}

/** What comes after a page in an order; everything where there is no page before. */
export function afterCursor(order: DecisionOrder, after: string | undefined): Condition {
  const cursor = decodeCursor(after)
  if (cursor === undefined) return sql`TRUE`
  const { eventTimeUs, sequence, score, amountMinor } = cursor
  const time = sql`${eventTimeUs}, ${sequence}`
  switch (order) {
    case 'oldest':
      return sql`(d.eventTimeUs, d.sequence) > (${time})`
    case 'newest':
      return sql`(d.eventTimeUs, d.sequence) < (${time})`
    case 'score':
      return sql`(d.score, d.eventTimeUs, d.sequence) < (${score ?? NO_SCORE}, ${time})`
    case 'amount': {
      const least = amountMinor ?? Number.MIN_SAFE_INTEGER
      return sql`(${amount}, d.eventTimeUs, d.sequence) < (${least}, ${time})`
    }
  }
}
