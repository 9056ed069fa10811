/** The present value of any entity, and the events inside each window behind it. */
import { useQuery } from '@tanstack/react-query'
import type { ExplainedFeature, Feature } from '../../../src/server/contract/index.ts'
import { call, type ProblemError } from '../../client/api.ts'
import { fullDateTime, currencyIn, plural, withUnit } from '../../parts/figures.ts'
import { Facts, Hash, Panel } from '../../parts/layout.tsx'
import { Empty, Failed, Loading } from '../../parts/states.tsx'
import { LookupForm, useLookup } from './lookup.tsx'
import { WindowEvents } from './window-events.tsx'

interface Props {
  readonly feature: Feature
  readonly zone: string
}

export function LiveValue({ feature, zone }: Props) {
  const lookup = useLookup(feature.lookup)
  const keys = feature.lookup.filter(({ role }) => role === 'key')
  const params = { set: feature.set, feature: feature.name }
  const answer = useQuery<ExplainedFeature, ProblemError>({
    queryKey: ['explainFeature', params, lookup.asked],
    queryFn: ({ signal }) =>
      call('explainFeature', { params, body: { values: lookup.values }, signal }),
    enabled: lookup.isAsked,
    retry: false,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  })
  if (keys.length === 0) return <NoEntity feature={feature} />
  return (
    <Panel title="Value now, and why" className="live-value">
      <LookupForm
        fields={feature.lookup}
        lookup={lookup}
        isBusy={answer.isFetching}
        again={() => void answer.refetch()}
      />
      {!lookup.isAsked ? (
        <Empty title="Whose value?">
          Enter {keys.map(({ column }) => column).join(' and ')} to see the value as of now, and the
          events it rests on.
        </Empty>
      ) : answer.isError ? (
        <Failed error={answer.error} again={() => void answer.refetch()} />
      ) : answer.data === undefined ? (
        <Loading rows={4} />
      ) : (
        <Explained explained={answer.data} feature={feature} zone={zone} />
      )}
    </Panel>
  )
}

function NoEntity({ feature }: { readonly feature: Feature }) {
  const columns = feature.lookup.map(({ column }) => column).join(', ')
  return (
    <Panel title="Value now, and why">
      <p>
        Its value follows from the event alone{columns === '' ? ', from its time' : `: ${columns}`}.
        There is no entity to look up; each decision’s evidence shows its value.
      </p>
    </Panel>
  )
}

function Explained({
  explained,
  feature: { unit, source },
  zone,
}: {
  readonly explained: ExplainedFeature
  readonly feature: Feature
  readonly zone: string
}) {
  const { value, valueText, sentence, asOf, windows, version } = explained
  // Nothing at all is known of the entity; missing is what cannot be calculated from what is known.
  const isAbsent = windows.length > 0 && windows.every((one) => one.count === 0)
  return (
    <div className="explained" aria-live="polite">
      <p className="big-figure num">
        {value === null
          ? isAbsent
            ? 'Absent'
            : 'Missing'
          : currencyIn(unit) === null
            ? valueText
            : withUnit(value, unit)}
      </p>
      <p>{sentence}</p>
      <Facts
        facts={[
          { name: 'As of', value: <span className="num">{fullDateTime(asOf, zone)}</span> },
          { name: 'Version', value: <Hash hash={version} /> },
          explained.newestEventAt === null
            ? null
            : {
                name: 'Newest event',
                value: (
                  <>
                    <span className="num">{fullDateTime(explained.newestEventAt, zone)}</span>, of
                    any entity
                  </>
                ),
              },
          {
            name: 'Rests on',
            value:
              windows.length === 0
                ? 'no window'
                : [...new Set(windows.map((one) => plural(one.count, 'event')))].join(' and '),
          },
        ]}
      />
      {windows.map((one) => (
        <WindowEvents key={one.words} window={one} own={source} zone={zone} />
      ))}
    </div>
  )
}
