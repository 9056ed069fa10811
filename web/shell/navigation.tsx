import {
  IconActivity,
  IconChartHistogram,
  IconDatabase,
  IconFlask2,
  IconGauge,
  IconInbox,
  IconListDetails,
  IconLock,
  IconRoute,
  IconRubberStamp,
  IconScale,
} from '@tabler/icons-react'
import { useAsk } from '../client/queries.ts'
import { rangeOf, useView, writeView } from '../client/view.ts'
import { count } from '../parts/figures.ts'
import { PageLink } from '../parts/layout.tsx'
import { useBank } from './bank.ts'

/** By a person's job, in the order in which data flows. */
export const places = [
  { path: '/', title: 'Overview', Icon: IconGauge },
  { path: '/decisions', title: 'Decisions', Icon: IconListDetails },
  { path: '/cases', title: 'Cases', Icon: IconInbox },
  { path: '/data', title: 'Data', Icon: IconDatabase },
  { path: '/features', title: 'Features', Icon: IconChartHistogram },
  { path: '/experiments', title: 'Experiments', Icon: IconFlask2 },
  { path: '/models', title: 'Models', Icon: IconRubberStamp },
  { path: '/pipelines', title: 'Pipelines', Icon: IconRoute },
  { path: '/monitoring', title: 'Monitoring', Icon: IconActivity },
  { path: '/governance', title: 'Governance', Icon: IconScale },
  { path: '/audit', title: 'Audit', Icon: IconLock },
] as const

export function Navigation({ path }: { readonly path: string }) {
  const bank = useBank()
  const { view } = useView()
  const queue = useAsk('cases', { query: { status: 'open', limit: 1 } }, { every: 5_000 })
  const open = queue.data?.capacity.open ?? 0
  const range = writeView(rangeOf(view))
  return (
    <nav id="navigation" className="navigation" aria-label="Main">
      <PageLink to="/" className="brand" aria-label="Assay, overview">
        <img src="/hallmark.svg" alt="" width={24} height={24} />
        <span className="brand-name">Assay</span>
      </PageLink>
      <ul>
        {places.map(({ path: to, title, Icon }) => {
          const here = to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`)
          return (
            <li key={to}>
              <PageLink
                to={to + range}
                className={here ? 'is-here' : ''}
                title={title}
                {...(here ? { 'aria-current': 'page' as const } : {})}
              >
                <Icon size={17} stroke={1.7} aria-hidden />
                <span className="navigation-title">{title}</span>
                {to === '/cases' && open > 0 ? (
                  <span className="navigation-count" title={`${open} to review`}>
                    {count(open)}
                  </span>
                ) : null}
              </PageLink>
            </li>
          )
        })}
      </ul>
      <p className="navigation-foot">
        <b>{bank.project.title}</b>
        {bank.project.example ? ' · example bank' : ''}
        <br />
        Assay {bank.version}
      </p>
    </nav>
  )
}
