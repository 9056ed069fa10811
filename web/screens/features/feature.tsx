/** One feature: what it is, what it rests on and feeds, what it is now and why, how it is spread. */
import { useNavigate, useParams } from '@tanstack/react-router'
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react'
import { useEffect } from 'react'
import type { Feature, FeatureSummary } from '../../../src/server/contract/index.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { useKeys } from '../../parts/keys.ts'
import { LongName, PageLink, ScreenHead } from '../../parts/layout.tsx'
import { Answered } from '../../parts/states.tsx'
import { useTimeZone } from '../../shell/bank.ts'
import { catalogueAddress, catalogueQuery, featureAddress } from './catalogue.ts'
import { Declaration } from './declaration.tsx'
import { Distribution, Figures } from './distribution.tsx'
import { FreshnessPanel } from './freshness.tsx'
import { LineagePanel } from './lineage.tsx'
import { LiveValue } from './live-value.tsx'
import { OverTime } from './over-time.tsx'
import { Presence } from './presence.tsx'

export default function FeatureScreen() {
  const { set = '', feature = '' } = useParams({ strict: false }) as Record<string, string>
  const answer = useAsk('feature', { params: { set, feature } }, { every: 30_000 })
  return (
    <>
      <Neighbours set={set} feature={feature} />
      {answer.data === undefined ? <ScreenHead title={<LongName name={feature} />} /> : null}
      <Answered answer={answer} rows={12}>
        {(data) => <FeatureBody key={`${data.set}/${data.name}`} feature={data} />}
      </Answered>
    </>
  )
}

function FeatureBody({ feature }: { readonly feature: Feature }) {
  const zone = useTimeZone()
  // In braces: newer browsers answer scrollTo with a promise, and an effect must return nothing.
  useEffect(() => {
    window.scrollTo(0, 0)
  }, [])
  return (
    <>
      <ScreenHead
        title={<LongName name={feature.name} />}
        verdict={feature.verdict}
        note={feature.words}
      />
      <div className="columns-wide-first">
        <div className="stack">
          <Declaration feature={feature} />
          <LiveValue feature={feature} zone={zone} />
          <Presence feature={feature} />
        </div>
        <div className="stack">
          <LineagePanel feature={feature} />
          <FreshnessPanel feature={feature} zone={zone} />
          <Figures feature={feature} />
        </div>
      </div>
      <div className="columns below">
        <Distribution feature={feature} />
        <OverTime feature={feature} zone={zone} />
      </div>
    </>
  )
}

/** The way back to the list as it was filtered, and to the features beside this one there. */
function Neighbours({ set, feature }: { readonly set: string; readonly feature: string }) {
  const { view } = useView()
  const navigate = useNavigate()
  const query = catalogueQuery(view)
  const { data } = useAsk('features', { query }, { staleTime: 60_000 })
  const items = data?.items ?? []
  const at = items.findIndex((one) => one.set === set && one.name === feature)
  const before = at > 0 ? items[at - 1] : undefined
  const after = at < 0 ? undefined : items[at + 1]
  const go = (to: FeatureSummary | undefined) => {
    if (to === undefined) return
    const [path = '', search = ''] = featureAddress(to, view).split('?')
    void navigate({ to: path, search: Object.fromEntries(new URLSearchParams(search)) } as never)
  }
  useKeys({ j: () => go(after), k: () => go(before) })
  return (
    <div className="decision-above">
      <PageLink to={catalogueAddress(view)}>Features</PageLink>
      <PageLink to={`/features/${encodeURIComponent(set)}`}>{set}</PageLink>
      <span className="decision-steps" hidden={at < 0}>
        <span className="quiet num">
          {at + 1} of {items.length}
        </span>
        <button
          type="button"
          className="plain-icon"
          disabled={before === undefined}
          title={before === undefined ? 'The list has none before this one' : before.name}
          aria-label="Feature before (K)"
          onClick={() => go(before)}
        >
          <IconChevronUp size={16} />
        </button>
        <button
          type="button"
          className="plain-icon"
          disabled={after === undefined}
          title={after === undefined ? 'The list has none after this one' : after.name}
          aria-label="Feature after (J)"
          onClick={() => go(after)}
        >
          <IconChevronDown size={16} />
        </button>
      </span>
    </div>
  )
}
