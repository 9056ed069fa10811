/** One feature set: what it is, the values of any entity now, and whether live equals history. */
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import type { Features, FeatureSummary, LiveFeatures } from '../../../src/server/contract/index.ts'
import { call, type ProblemError } from '../../client/api.ts'
import { useAsk } from '../../client/queries.ts'
import { fullDateTime, withUnit } from '../../parts/figures.ts'
import {
  Facts,
  Hash,
  LongName,
  ObjectLink,
  ObjectLinks,
  PageLink,
  Panel,
  ScreenHead,
} from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty, Failed, Loading } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { LookupForm, lookupSearch, useLookup, type Lookup } from './lookup.tsx'
import { SetAudit } from './set-audit.tsx'

type FeatureSet = Features['sets'][number]

export default function FeatureSetScreen() {
  const { set: name = '' } = useParams({ strict: false }) as Record<string, string>
  const answer = useAsk('features', { query: { set: name } }, { staleTime: 60_000 })
  return (
    <>
      <div className="decision-above">
        <PageLink to="/features">Features</PageLink>
      </div>
      {answer.data === undefined ? <ScreenHead title={<LongName name={name} />} /> : null}
      <Answered answer={answer} rows={12}>
        {({ sets, items }) => {
          const set = sets.find((one) => one.name === name)
          return set === undefined ? (
            <>
              <ScreenHead title={<LongName name={name} />} />
              <Empty title="There is no such feature set">
                The project declares{' '}
                {sets.length === 0 ? 'none yet' : sets.map((one) => one.name).join(', ')}.{' '}
                <PageLink to="/features">All features</PageLink>
              </Empty>
            </>
          ) : (
            <SetBody key={name} set={set} features={items} />
          )
        }}
      </Answered>
    </>
  )
}

function SetBody({
  set,
  features,
}: {
  readonly set: FeatureSet
  readonly features: readonly FeatureSummary[]
}) {
  return (
    <>
      <ScreenHead
        title={<LongName name={set.name} />}
        {...(set.description === '' ? {} : { note: set.description })}
      />
      <div className="columns-wide-first">
        <ValuesNow set={set} features={features} />
        <div className="stack">
          <Panel title="The set">
            <Facts facts={factsOf(set)} />
          </Panel>
          <SetAudit set={set.name} />
        </div>
      </div>
    </>
  )
}

function factsOf(set: FeatureSet) {
  return [
    { name: 'Owner', value: set.owner },
    { name: 'Version', value: <Hash hash={set.version} /> },
    {
      name: 'Features',
      value: (
        <PageLink to={`/features?set=${encodeURIComponent(set.name)}`}>
          {set.features} in the catalogue
        </PageLink>
      ),
    },
    { name: 'Source', value: <ObjectLink target={set.source} /> },
    set.file === null ? null : { name: 'Declared in', value: <code>{set.file}</code> },
    {
      name: 'Used by',
      value:
        set.usedBy.length === 0 ? (
          'no model: none was trained on this version yet'
        ) : (
          <ObjectLinks targets={set.usedBy} more={set.usedByMore} />
        ),
    },
  ]
}

function ValuesNow({
  set,
  features,
}: {
  readonly set: FeatureSet
  readonly features: readonly FeatureSummary[]
}) {
  const zone = useTimeZone()
  const lookup = useLookup(set.lookup)
  const params = { set: set.name }
  const answer = useQuery<LiveFeatures, ProblemError>({
    queryKey: ['liveFeatures', params, lookup.asked],
    queryFn: ({ signal }) =>
      call('liveFeatures', { params, body: { rows: [lookup.values] }, signal }),
    enabled: lookup.isAsked,
    retry: false,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  })
  const keys = set.lookup.filter(({ role }) => role === 'key').map(({ column }) => column)
  return (
    <Panel title="Values now" className="live-value set-values">
      {keys.length === 0 ? (
        <p>Its features follow from the event alone; there is no entity to look up.</p>
      ) : (
        <LookupForm
          fields={set.lookup}
          lookup={lookup}
          isBusy={answer.isFetching}
          again={() => void answer.refetch()}
        />
      )}
      {keys.length === 0 ? null : !lookup.isAsked ? (
        <Empty title="Whose values?">
          Enter {keys.join(' or ')}. Features of a key that is left out are missing.
        </Empty>
      ) : answer.isError ? (
        <Failed error={answer.error} again={() => void answer.refetch()} />
      ) : answer.data === undefined ? (
        <Loading rows={6} />
      ) : (
        <Values live={answer.data} features={features} lookup={lookup} zone={zone} />
      )}
    </Panel>
  )
}

function Values({
  live,
  features,
  lookup,
  zone,
}: {
  readonly live: LiveFeatures
  readonly features: readonly FeatureSummary[]
  readonly lookup: Lookup
  readonly zone: string
}) {
  const known = new Map(features.map((one) => [one.name, one]))
  const [values = []] = live.rows
  const search = lookupSearch(lookup.asked)
  return (
    <div aria-live="polite">
      <p className="quiet">
        As of <span className="num">{fullDateTime(live.asOf, zone)}</span>, version{' '}
        <Hash hash={live.version} />
        {live.version === live.declared
          ? ''
          : '. The project declares another version by now; it is live once it is deployed'}
      </p>
      <SmallTable
        label="Values now"
        head={[{ title: 'Feature' }, { title: 'Value', right: true }, { title: 'Why' }]}
        rows={live.columns.map((name, i) => {
          const value = values[i] ?? null
          const one = known.get(name)
          return {
            key: name,
            cells: [
              <span key="name">
                <LongName name={name} />
                <span className="quiet block">{one?.words}</span>
              </span>,
              value === null ? (
                <span key="value" className="quiet">
                  missing
                </span>
              ) : (
                withUnit(value, one?.unit ?? null)
              ),
              one?.entity == null ? (
                <span key="why" className="quiet num">
                  of the event
                </span>
              ) : (
                <PageLink
                  key="why"
                  to={`/features/${live.set}/${name}?${search}`}
                  aria-label={`Events behind ${name}`}
                >
                  Events
                </PageLink>
              ),
            ],
          }
        })}
      />
    </div>
  )
}
