// Feature values for programs: training rows, present values, and the audit of past ones.
import { decisionErrors, type EntityQuestion, type EntityValues } from '../../../decisions/index.ts'
import type { CompiledFeatureSet } from '../../../features/index.ts'
import { isAssayError } from '../../../lib/errors.ts'
import { parseTimestamp } from '../../../lib/time.ts'
import type { FeatureAudit, Verdict } from '../../contract/index.ts'
import { LIVE, onAir } from '../bank.ts'
import { serverErrors } from '../errors.ts'
import { FileAnswer, type Handlers } from '../handlers.ts'
import { plural, time, verdict } from '../present.ts'
import { resolveRange } from '../range.ts'
import type { Rooms } from '../rooms.ts'

type Operations = 'featureHistory' | 'liveFeatures' | 'auditFeatures'

export function trainingViews(rooms: Rooms): Pick<Handlers, Operations> {
  return {
    async featureHistory({ params, query, body, table }) {
      const { set, version, order, snapshots, facts, engines, columns, ...answer } =
        await rooms.work.featureHistory({
          set: params.set,
          order: query.order ?? 'as-decided',
          body: table?.body ?? { form: 'rows', rows: body.rows },
          as: table?.as === 'json' ? 'rows' : 'parquet',
        })
      if (answer.table.form === 'parquet') {
        return new FileAnswer('application/vnd.apache.parquet', answer.table.bytes, {
          'content-disposition': `attachment; filename="${encodeURIComponent(set)}.parquet"`,
          'assay-feature-set': version,
          'assay-order': order,
          'assay-snapshots': snapshots.join(', '),
          'assay-facts': Object.entries(facts)
            .map(([name, count]) => `${name}=${count}`)
            .join(', '),
          'assay-engines': engines.map((use) => `${use.engine}=${use.features}`).join(', '),
          'assay-engines-why': headerText(engines.map(({ reason }) => reason).join(' ')),
        })
      }
      const rows = answer.table.rows.map((row) => [...row])
      return {
        set,
        version,
        order,
        snapshots: [...snapshots],
        facts,
        engines: engines.map((use) => ({ ...use })),
        columns: [...columns],
        rows,
      }
    },
    async liveFeatures({ params, body }) {
      const namespace = await namespaceOf(rooms, body.namespace)
      const set = rooms.project()?.featureSets.find(({ name }) => name === params.set)
      const question = { namespace, set: params.set, rows: body.rows, atUs: atOf(body.at) }
      const found =
        body.version === 'declared' && set !== undefined
          ? await declaredValues(rooms, set, question)
          : await rooms.decide.liveValues(question)
      return {
        set: found.set,
        version: found.version,
        declared: set?.version ?? found.version,
        namespace,
        asOf: time(found.asOfUs),
        newestEvent: found.newestEventUs === null ? null : time(found.newestEventUs),
        columns: found.names,
        rows: found.values,
      }
    },
    async auditFeatures({ params, body }): Promise<FeatureAudit> {
      const set = rooms.project()?.featureSets.find(({ name }) => name === params.set)
      if (set === undefined) {
        throw decisionErrors.feature_set_not_live(`The project declares no set "${params.set}".`)
      }
      const namespace = await namespaceOf(rooms, body.namespace)
      const { fromUs, toUs } = resolveRange(body, 0)
      const found = await rooms.work.auditFeatures({
        namespace,
        features: set.features.map(({ name }) => name),
        ...(fromUs !== undefined && { fromUs }),
        ...(toUs !== undefined && { toUs }),
      })
      return {
        set: set.name,
        namespace,
        holds: found.mismatches === 0,
        sentence: sentenceOf(found),
        verdict: verdictOf(found),
        ...found,
        shown: found.shown.map((each) => ({ ...each })),
      }
    },
  }
}

/** A namespace that is there: the named one, or what is on air. Error: `namespace_not_found`. */
async function namespaceOf(rooms: Rooms, wanted: string | undefined): Promise<string> {
  if (wanted === undefined) return (await onAir(rooms)).namespace
  const known = (await rooms.decide.namespaces()).map(({ namespace }) => namespace)
  if (known.includes(wanted)) return wanted
  throw decisionErrors.namespace_not_found(
    `There is no namespace "${wanted}"; there are: ${known.join(', ')}.`,
  )
}

type LiveQuestion = EntityQuestion & { readonly namespace: string }

/**
 * Present values by the project's declaration: those of the live state where a deployment uses it,
 * else from history, which has what came in live. Replays have a history of their own, and no work is
 * done in `decide` for what it does not decide on.
 */
async function declaredValues(
  rooms: Rooms,
  set: CompiledFeatureSet,
  question: LiveQuestion,
): Promise<EntityValues> {
  const { namespace, atUs, rows } = question
  const info = (await rooms.decide.namespaces()).find((each) => each.namespace === namespace)!
  const deployed = await deployedValues(rooms, question)
  if (deployed?.version === set.version) return deployed
  if (namespace !== LIVE) {
    throw decisionErrors.feature_set_not_live(
      `No deployment uses this version of "${set.name}", and "${namespace}" is a replay; ask for ` +
        `the namespace "${LIVE}".`,
    )
  }
  const newestUs = info.newestEventTimeUs
  const asOfUs = atUs ?? Math.max(info.nowUs ?? -Infinity, newestUs ?? -Infinity)
  if (!Number.isFinite(asOfUs)) {
    throw decisionErrors.entity_invalid('No event has come yet, so there is nothing to look up.')
  }
  const source = rooms.project()!.sources.find(({ name }) => name === set.source)!
  const asked = rows.map((row) => ({ ...(row as object), [source.eventTime]: time(asOfUs) }))
  const { table, columns } = await rooms.work.featureHistory({
    set: set.name,
    order: 'as-decided',
    body: { form: 'rows', rows: asked },
    as: 'rows',
  })
  const names = set.features.map(({ name }) => name)
  const places = names.map((name) => columns.indexOf(name))
  const values = table.form === 'rows' ? table.rows : []
  return {
    set: set.name,
    version: set.version,
    asOfUs,
    newestEventUs: newestUs,
    names,
    values: values.map((row) => places.map((place) => row[place] as number | null)),
  }
}

/** Values of the live state; undefined where it does not know the set. */
async function deployedValues(
  rooms: Rooms,
  question: LiveQuestion,
): Promise<EntityValues | undefined> {
  try {
    return await rooms.decide.liveValues(question)
  } catch (error) {
    if (isAssayError(error, 'feature_set_not_live')) return undefined
    throw error
  }
}

function atOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const us = parseTimestamp(text)
  if (us !== undefined) return us
  throw serverErrors.request_invalid(`at: "${text}" is no time.`)
}

/** A header holds plain characters alone; typographic ones of a sentence have plain brothers. */
function headerText(sentence: string): string {
  return sentence.replaceAll('’', "'").replaceAll(/[^ -~]/g, '?')
}

/** Whether live equals history, as a verdict. */
function verdictOf(found: Found): Verdict {
  const { compared, mismatches, unplaced } = found
  const sentence = sentenceOf(found)
  if (mismatches > 0) {
    return verdict('alert', `Live differs from history: ${sentence}`)
  }
  if (compared === 0) return verdict('no-data', sentence)
  const status = unplaced > 0 ? 'warning' : 'ok'
  return verdict(status, `Live equals history: ${sentence}`)
}

type Found = Pick<FeatureAudit, 'events' | 'compared' | 'mismatches' | 'unplaced'>

function sentenceOf({ events, compared, mismatches, unplaced }: Found): string {
  const left =
    unplaced === 0
      ? ''
      : ` ${plural(unplaced, 'record')} could not be compared: their state is not on disk.`
  if (compared === 0) return `Nothing was recorded in that period.${left}`
  const of = `${plural(compared, 'value')} of ${plural(events, 'event')}`
  return `${plural(mismatches, 'difference')} in ${of}.${left}`
}
