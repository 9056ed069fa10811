// Feature values for programs: training rows, present values, and the audit of past ones.
import { decisionErrors } from '../../../decisions/index.ts'
import { parseTimestamp } from '../../../lib/time.ts'
import type { FeatureAudit } from '../../contract/index.ts'
import { onAir } from '../bank.ts'
import { serverErrors } from '../errors.ts'
import { FileAnswer, type Handlers } from '../handlers.ts'
import { plural, time } from '../present.ts'
import { resolveRange } from '../range.ts'
import type { Rooms } from '../rooms.ts'

type Operations = 'featureHistory' | 'liveFeatures' | 'auditFeatures'

export function trainingViews(rooms: Rooms): Pick<Handlers, Operations> {
  return {
    async featureHistory({ params, query, body, table }) {
      const { set, version, order, snapshots, facts, columns, ...answer } =
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
        })
      }
      const rows = answer.table.rows.map((row) => [...row])
      return {
        set,
        version,
        order,
        snapshots: [...snapshots],
        facts,
        columns: [...columns],
        rows,
      }
    },
    async liveFeatures({ params, body }) {
      const namespace = await namespaceOf(rooms, body.namespace)
      const found = await rooms.decide.liveValues({
        namespace,
        set: params.set,
        rows: body.rows,
        atUs: atOf(body.at),
      })
      const declared = rooms.project()?.featureSets.find(({ name }) => name === params.set)
      return {
        set: found.set,
        version: found.version,
        declared: declared?.version ?? found.version,
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

function atOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const us = parseTimestamp(text)
  if (us !== undefined) return us
  throw serverErrors.request_invalid(`at: "${text}" is no time.`)
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
