import type { CompiledPolicy } from '../../../decisions/index.ts'
import { defineErrors, isAssayError } from '../../../lib/errors.ts'
import { formatMinor } from '../../../lib/decimal.ts'
import { DAY_US, formatTimestamp } from '../../../lib/time.ts'
import type { CompiledSource } from '../../../data/index.ts'
import type { ObjectRef, Policy, SearchResults } from '../../contract/index.ts'
import { onAir } from '../bank.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, ref, short, time, versionRef } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { casesOf, workObjects } from './work-objects.ts'

const errors = defineErrors({
  policy_not_declared: {
    status: 404,
    title: 'There is no such decision policy',
    action: 'Open Overview and follow the policy that is live.',
  },
})

const FOUND_MAX = 50

export function policyViews(rooms: Rooms): Pick<Handlers, 'policy' | 'search'> {
  return {
    async policy({ params }): Promise<Policy> {
      const project = rooms.project()
      const declared = project?.policies.find(({ name }) => name === params.policy)
      if (project === undefined || declared === undefined) {
        throw errors.policy_not_declared(`The project declares no policy ${params.policy}.`)
      }
      const live = await liveOrNone(rooms, params.policy)
      const policy = live?.policy ?? declared
      const [history, bank, identities] = await Promise.all([
        rooms.serving.history(policy.name),
        onAir(rooms),
        rooms.access.identities(),
      ])
      const people = new Map(identities.map((each) => [each.id, each]))
      const current = history.find(({ toUs }) => toUs === undefined)
      const source = project.sources.find(({ name }) => name === policy.source.name)
      const threshold = (name: 'review' | 'decline') => {
        const value = live?.thresholds[name]
        return value === undefined || value > 1 ? null : value
      }
      return {
        name: policy.name,
        version: policy.version,
        source: ref('dataset', policy.source.name),
        model: current === undefined ? null : versionRef(current.model, current.version),
        rules: await Promise.all(
          policy.rules.map(async (rule) => ({
            name: rule.name,
            expression: rule.when,
            then: rule.then ?? null,
            reason: rule.reason,
            firedLast24h: await rooms.decisions.count({
              namespace: bank.namespace,
              rule: rule.name,
              fromUs: bank.nowUs - DAY_US,
              untilUs: bank.nowUs + 1,
            }),
          })),
        ),
        thresholds: {
          review: threshold('review'),
          decline: threshold('decline'),
          declared: declaredInWords(policy),
        },
        reviewCapacityPerDay: policy.reviewCapacityPerDay,
        file: null,
        example: source === undefined ? {} : exampleEvent(source, bank.nowUs),
        versions: history.map((deployment) => ({
          version: deployment.policyHash,
          liveSince: time(deployment.fromUs),
          by: identityView(people.get(deployment.actorId), deployment.actorId),
          reason: deployment.reason,
        })),
      }
    },
    async search({ query }): Promise<SearchResults> {
      const wanted = query.q.trim().toLowerCase()
      if (wanted === '') return { items: [] }
      const limit = Math.min(query.limit ?? 20, FOUND_MAX)
      const items: SearchResults['items'] = []
      const add = (target: ObjectRef, detail: string) => {
        const hit = `${target.title} ${target.id} ${detail}`.toLowerCase().includes(wanted)
        if (hit && items.length < limit) items.push({ target, detail })
      }
      for (const set of rooms.project()?.featureSets ?? []) {
        for (const feature of set.features) {
          add(ref('feature', `${set.name}/${feature.name}`, feature.name), feature.description)
        }
      }
      for (const policy of rooms.project()?.policies ?? [])
        add(ref('policy', policy.name), 'Decision policy')
      for (const { target, detail } of await workObjects(rooms)) add(target, detail)
      for (const { dataset, rows } of await rooms.catalog.datasets())
        add(ref('dataset', dataset), `${rows} rows`)
      for (const version of await versionsLike(rooms, wanted, limit)) {
        if (items.length === limit) break
        items.push({
          target: versionRef(version.model, version.version),
          detail: `${version.build.declaration}, ${version.status}, ${short(version.hash)}`,
        })
      }
      for (const run of await rooms.tracking.runs({ limit: 200 }))
        add(ref('run', run.id, run.name), run.status)
      const { namespace } = await onAir(rooms)
      if (items.length < limit) {
        const keys = /^\d+$/.test(wanted) ? keyFilters(rooms, wanted) : []
        const cases = keys.flatMap((filter) => Object.entries(filter))
        const found = await Promise.all(
          cases.map(([column, value]) => casesOf(rooms, namespace, { column, value })),
        )
        items.push(...found.flat().slice(0, limit - items.length))
        const pages = await Promise.all([
          rooms.decisions.query({ namespace, text: wanted, limit: 10 }),
          ...keys.map((filter) => rooms.decisions.query({ namespace, keys: filter, limit: 10 })),
        ])
        const seen = new Set<string>()
        for (const row of pages.flatMap(({ rows }) => rows)) {
          const id = `${row.policy}/${row.eventId}`
          if (seen.has(id) || items.length >= limit) continue
          seen.add(id)
          items.push({
            target: ref('decision', id, `Decision ${row.eventId}`),
            detail: `${row.outcome}, ${Object.entries(row.keys)
              .map(([key, value]) => `${key} ${value}`)
              .join(', ')}`,
          })
        }
      }
      return { items }
    },
  }
}

export async function liveOrNone(rooms: Pick<Rooms, 'livePolicy'>, policy: string) {
  try {
    return await rooms.livePolicy(policy)
  } catch (error) {
    if (isAssayError(error, 'policy_not_found')) return undefined
    throw error
  }
}

/** Versions of which the model, the learner, the status or the hash is written so. */
async function versionsLike({ registry }: Rooms, wanted: string, limit: number) {
  // "card-fraud version 3", or as its address has it.
  const named = /^(.+?)(?:\/| version | )(\d+)$/.exec(wanted)
  const like = (name: 'model' | 'declaration' | 'status', text: string) =>
    ({ field: { of: 'attribute', name }, op: 'ilike', value: `%${text}%` }) as const
  const { versions } = await registry.searchVersions({
    filter: {
      any: [
        like('model', wanted),
        like('declaration', wanted),
        like('status', wanted),
        { field: { of: 'attribute', name: 'hash' }, op: 'like', value: `${wanted}%` },
        ...(named === null
          ? []
          : [
              {
                all: [
                  like('model', named[1]),
                  {
                    field: { of: 'attribute', name: 'version' },
                    op: '=',
                    value: Number(named[2]),
                  } as const,
                ],
              },
            ]),
      ],
    },
    prompts: 'with',
    order: [],
    limit,
  })
  return versions.map(({ version }) => version)
}

function keyFilters(rooms: Rooms, value: string): Record<string, string>[] {
  const keys = rooms.project()?.sources[0]?.columns.filter(({ kind }) => kind === 'key') ?? []
  return keys.map(({ name }) => ({ [name]: value }))
}

function declaredInWords({ thresholds }: CompiledPolicy): string {
  return Object.entries(thresholds)
    .map(([outcome, rule]) => {
      if (typeof rule === 'number') return `${outcome} from ${rule}`
      const options = Object.entries(rule as Record<string, unknown>).filter(
        ([name]) => name !== 'kind',
      )
      return `${outcome}: ${(rule as { kind: string }).kind.replaceAll('-', ' ')} ${options.map(([, value]) => String(value)).join(', ')}`
    })
    .join('; ')
}

/** An event to try the policy with: valid by its contract, of the bank's present time. */
function exampleEvent(source: CompiledSource, nowUs: number): Record<string, unknown> {
  const example: Record<string, unknown> = {}
  for (const column of source.columns) {
    switch (column.kind) {
      case 'id':
        example[column.name] = `try-${Math.floor(nowUs / 1e6)}`
        break
      case 'eventTime':
      case 'arrivalTime':
        example[column.name] = formatTimestamp(nowUs)
        break
      case 'key':
        example[column.name] = column.type === 'integer' ? 596 : 'example'
        break
      case 'money':
        example[column.name] = formatMinor(Math.min(column.max, 5716), column.exponent)
        break
      case 'integer':
        example[column.name] = column.min
        break
      case 'number':
        example[column.name] = column.min ?? 1
        break
      case 'category':
        example[column.name] = column.values[0]
        break
      case 'boolean':
        example[column.name] = true
        break
      case 'text':
        example[column.name] = 'example'
        break
    }
  }
  return example
}
