// What a model's record says of the past: what happened to it, what its name meant at a time, and
// how two of its versions differ.
import type { Identity } from '../../../access/index.ts'
import { parseTimestamp } from '../../../lib/time.ts'
import {
  versionDifference,
  type DifferenceGroup,
  type DifferenceGroupName,
} from '../../../registry/index.ts'
import type { Difference, HistoryEntry } from '../../contract/index.ts'
import { serverErrors } from '../errors.ts'
import type { Handlers } from '../handlers.ts'
import {
  estimate,
  identityView,
  metricTitle,
  plural,
  ref,
  time,
  timeOrNull,
  versionRef,
} from '../present.ts'
import type { Rooms } from '../rooms.ts'

type People = ReadonlyMap<string, Identity>

export function historyViews(rooms: Rooms): Pick<Handlers, 'versionDifference' | 'champions'> {
  const { registry, access, clock } = rooms
  return {
    async versionDifference({ params: { model }, query: { from, to, other = model } }) {
      const difference = versionDifference(
        await registry.version(model, from),
        await registry.version(other, to),
      )
      return {
        from: versionRef(model, from),
        to: versionRef(other, to),
        changed: difference.changed,
        sentence: sentenceOf(difference.groups, difference.changed),
        groups: difference.groups.map(groupView),
      }
    },
    async champions({ params, query: { at } }) {
      const atUs = at === undefined ? clock.nowUs() : parseTimestamp(at)
      if (atUs === undefined) throw serverErrors.request_invalid(`at: "${at}" is no time.`)
      const found = await registry.championsAt(params.model, atUs)
      const known = new Map((await access.identities()).map((each) => [each.id, each]))
      const { model } = found
      const held = (
        { version, fromUs, toUs }: { version: number; fromUs: number; toUs?: number | undefined },
        by: string,
      ) => ({
        version: versionRef(model, version),
        from: time(fromUs),
        to: timeOrNull(toUs),
        by: identityView(known.get(by), by),
      })
      const live = found.live.map((period) => ({
        policy: ref('policy', period.policy),
        ...held(period, period.startedBy),
      }))
      const aliases = found.aliases.map((period) => ({
        alias: period.alias,
        reason: period.reason,
        ...held(period, period.setBy),
      }))
      const sentence =
        live.length === 0
          ? `No version of ${model} answered traffic then.`
          : `${live.map(({ version, policy }) => `${version.title} answered ${policy.title}`).join('; ')}.`
      return { model, at: time(atUs), sentence, live, aliases }
    },
  }
}

/** Registrations, periods of traffic and aliases, newest first. */
export async function modelHistory(
  { registry }: Pick<Rooms, 'registry'>,
  model: string,
  known: People,
): Promise<HistoryEntry[]> {
  const [versions, periods, aliases] = await Promise.all([
    registry.allLabelled(model, 'with'),
    registry.liveHistory(model),
    registry.aliasHistory(model),
  ])
  const entry = (
    atUs: number,
    kind: HistoryEntry['kind'],
    version: number,
    by: string,
    told: { readonly subject?: string; readonly reason?: string } = {},
  ) => ({
    atUs,
    view: {
      at: time(atUs),
      kind,
      version: versionRef(model, version),
      by: identityView(known.get(by), by),
      subject: told.subject ?? '',
      reason: told.reason ?? '',
    },
  })
  const entries = [
    ...versions.map(({ version: { registeredAtUs, version, registeredBy } }) =>
      entry(registeredAtUs, 'registered', version, registeredBy),
    ),
    ...periods.flatMap(({ fromUs, toUs, version, policy, startedBy, endedBy }) => [
      entry(fromUs, 'live-from', version, startedBy, { subject: policy }),
      ...(toUs === undefined
        ? []
        : [entry(toUs, 'live-to', version, endedBy ?? 'system', { subject: policy })]),
    ]),
    ...aliases.flatMap(({ fromUs, toUs, version, alias, setBy, reason, endedBy }) => [
      entry(fromUs, 'alias-set', version, setBy, { subject: alias, reason }),
      ...(toUs === undefined
        ? []
        : [entry(toUs, 'alias-ended', version, endedBy ?? 'system', { subject: alias })]),
    ]),
  ]
  return entries.sort((a, b) => b.atUs - a.atUs).map(({ view }) => view)
}

const groupTitles: Readonly<Record<DifferenceGroupName, string>> = {
  learner: 'Learner',
  parameters: 'Parameters',
  data: 'Data snapshots',
  features: 'Feature sets',
  metrics: 'Metrics',
  thresholds: 'Thresholds',
  code: 'Code, environment and seed',
}

function groupView(group: DifferenceGroup): Difference['groups'][number] {
  return {
    name: group.name,
    title: groupTitles[group.name],
    changed: group.changed,
    rows: group.rows.map(({ metrics, ...row }) => ({
      ...row,
      title: (metrics === undefined ? undefined : metricTitle(row.name)) ?? row.name,
      metrics:
        metrics === undefined
          ? null
          : {
              from: metrics.from === null ? null : estimate(metrics.from),
              to: metrics.to === null ? null : estimate(metrics.to),
            },
    })),
  }
}

function sentenceOf(groups: readonly DifferenceGroup[], changed: number): string {
  if (changed === 0) return 'Nothing that is on record differs.'
  const counts = groups
    .filter((group) => group.changed > 0)
    .map((group) => `${groupTitles[group.name].toLowerCase()} ${group.changed}`)
  const verb = changed === 1 ? 'differs' : 'differ'
  return `${plural(changed, 'value')} ${verb}: ${counts.join(', ')}.`
}
