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
import type { ReactNode } from 'react'
import { useAsk } from '../client/queries.ts'
import { rangeOf, useView, writeView } from '../client/view.ts'
import { count } from '../parts/figures.ts'
import { PageLink } from '../parts/layout.tsx'
import { useBank } from './bank.ts'

interface Place {
  readonly path: string
  readonly title: string
  readonly Icon: typeof IconLock
  /** What people of that job look for by itself. */
  readonly within?: readonly { readonly path: string; readonly title: string }[]
}

/** By a person's job, in the order in which data flows. */
export const places: readonly Place[] = [
  { path: '/', title: 'Overview', Icon: IconGauge },
  {
    path: '/decisions',
    title: 'Decisions',
    Icon: IconListDetails,
    within: [
      { path: '/decisions/live', title: 'Live' },
      { path: '/lists', title: 'Lists' },
    ],
  },
  {
    path: '/cases',
    title: 'Cases',
    Icon: IconInbox,
    within: [{ path: '/calls', title: 'Calls' }],
  },
  {
    path: '/data',
    title: 'Data',
    Icon: IconDatabase,
    within: [{ path: '/visitors', title: 'Visitors' }],
  },
  { path: '/features', title: 'Features', Icon: IconChartHistogram },
  { path: '/experiments', title: 'Experiments', Icon: IconFlask2 },
  {
    path: '/models',
    title: 'Models',
    Icon: IconRubberStamp,
    within: [{ path: '/endpoints', title: 'Endpoints' }],
  },
  { path: '/pipelines', title: 'Pipelines', Icon: IconRoute },
  {
    path: '/monitoring',
    title: 'Monitoring',
    Icon: IconActivity,
    within: [{ path: '/monitoring/actions', title: 'Actions' }],
  },
  { path: '/governance', title: 'Governance', Icon: IconScale },
  { path: '/audit', title: 'Audit', Icon: IconLock },
]

/** Whether an address is of a place, and not of one within it that has its own line. */
function isHere(path: string, { path: to, within = [] }: Omit<Place, 'title' | 'Icon'>): boolean {
  if (to === '/') return path === '/'
  const isIn = (place: string) => path === place || path.startsWith(`${place}/`)
  return isIn(to) && !within.some((each) => isIn(each.path))
}

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
        {places.map((place) => (
          <li
            key={place.path}
            className={place.within?.some((each) => isHere(path, each)) ? 'has-here' : undefined}
          >
            <NavigationLink place={place} path={path} range={range}>
              <place.Icon size={17} stroke={1.7} aria-hidden />
              <span className="navigation-title">{place.title}</span>
              {place.path === '/cases' && open > 0 ? (
                <span className="navigation-count" title={`${open} to review`}>
                  {count(open)}
                </span>
              ) : null}
            </NavigationLink>
            {place.within === undefined ? null : (
              <ul className="navigation-within">
                {place.within.map((each) => (
                  <li key={each.path}>
                    <NavigationLink place={each} path={path} range={range}>
                      {each.title}
                    </NavigationLink>
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
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

function NavigationLink({
  place,
  path,
  range,
  children,
}: {
  readonly place: Omit<Place, 'Icon'>
  readonly path: string
  readonly range: string
  readonly children: ReactNode
}) {
  const here = isHere(path, place)
  return (
    <PageLink
      to={place.path + range}
      className={here ? 'is-here' : ''}
      title={place.title}
      {...(here ? { 'aria-current': 'page' as const } : {})}
    >
      {children}
    </PageLink>
  )
}
