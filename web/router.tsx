/** Every address of the page and the screen behind it; a screen's code is fetched when it is seen. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from '@tanstack/react-router'
import { followClientLink } from './client/client-links.ts'
import { parseView, writeView } from './client/view.ts'
import { Empty, Failed } from './parts/states.tsx'
import { Shell } from './shell/shell.tsx'

const root = createRootRoute({
  component: () => (
    <Shell>
      <Outlet />
    </Shell>
  ),
  notFoundComponent: () => (
    <Empty title="There is nothing at this address">
      Look for what you want with <kbd>Ctrl</kbd> <kbd>K</kbd>.
    </Empty>
  ),
})

type Screen = Parameters<typeof lazyRouteComponent>[0]

const screens: readonly (readonly [string, Screen])[] = [
  ['/', () => import('./screens/overview/overview.tsx')],
  // Whoever comes from a sign-in link goes on to the overview; the shell asks for the key before.
  ['/sign-in', () => import('./screens/overview/overview.tsx')],
  ['/decisions', () => import('./screens/decisions/decisions.tsx')],
  ['/decisions/live', () => import('./screens/decisions/live.tsx')],
  ['/decisions/$policy/$eventId', () => import('./screens/decisions/decision.tsx')],
  ['/policies/$policy', () => import('./screens/decisions/policy.tsx')],
  ['/policies/$policy/drafts/$draft', () => import('./screens/decisions/policy-draft.tsx')],
  ['/lists', () => import('./screens/lists/lists.tsx')],
  ['/policies/$policy/backtest', () => import('./screens/decisions/backtest.tsx')],
  ['/cases', () => import('./screens/cases/cases.tsx')],
  ['/cases/$caseId', () => import('./screens/cases/cases.tsx')],
  ['/calls', () => import('./screens/cases/calls.tsx')],
  ['/data', () => import('./screens/data/datasets.tsx')],
  ['/data/quarantine', () => import('./screens/data/quarantine.tsx')],
  ['/data/$dataset', () => import('./screens/data/dataset.tsx')],
  ['/data/$dataset/difference', () => import('./screens/data/difference.tsx')],
  ['/features', () => import('./screens/features/features.tsx')],
  ['/features/$set', () => import('./screens/features/feature-set.tsx')],
  ['/features/$set/$feature', () => import('./screens/features/feature.tsx')],
  ['/experiments', () => import('./screens/experiments/runs.tsx')],
  ['/experiments/compare', () => import('./screens/experiments/compare.tsx')],
  ['/experiments/connect', () => import('./screens/connect/connect.tsx')],
  ['/experiments/learn', () => import('./screens/learning/learn.tsx')],
  ['/experiments/learn/$learningId', () => import('./screens/learning/learning.tsx')],
  ['/experiments/$runId', () => import('./screens/experiments/run.tsx')],
  ['/models', () => import('./screens/models/models.tsx')],
  ['/models/$model', () => import('./screens/models/model.tsx')],
  ['/models/$model/difference', () => import('./screens/models/difference.tsx')],
  ['/models/$model/$version', () => import('./screens/models/version.tsx')],
  ['/endpoints', () => import('./screens/endpoints/endpoints.tsx')],
  ['/endpoints/$policy', () => import('./screens/endpoints/endpoint.tsx')],
  ['/visitors', () => import('./screens/visitors/visitors.tsx')],
  ['/pipelines', () => import('./screens/pipelines/pipelines.tsx')],
  ['/pipelines/$pipelineRunId', () => import('./screens/pipelines/pipeline-run.tsx')],
  ['/lineage', () => import('./screens/lineage/lineage.tsx')],
  ['/monitoring', () => import('./screens/monitoring/monitoring.tsx')],
  ['/monitoring/actions', () => import('./screens/monitoring/actions.tsx')],
  ['/governance', () => import('./screens/governance/governance.tsx')],
  ['/audit', () => import('./screens/audit/audit.tsx')],
]

export function createPageRouter() {
  followClientLink()
  window.addEventListener('hashchange', () => {
    if (followClientLink()) window.location.reload()
  })
  const children = screens.map(([path, load]) =>
    createRoute({
      getParentRoute: () => root,
      path,
      component: lazyRouteComponent(load as () => Promise<{ default: () => React.ReactNode }>),
      validateSearch: (search: Record<string, unknown>) => search,
    }),
  )
  return createRouter({
    routeTree: root.addChildren(children),
    parseSearch: parseView,
    stringifySearch: writeView,
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultErrorComponent: ({ error, reset }) => <Failed error={error} again={reset} />,
  })
}
