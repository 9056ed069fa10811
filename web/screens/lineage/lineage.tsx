import { SegmentedControl } from '@mantine/core'
import { objectAddress } from '../../../src/server/contract/objects.ts'
import { lineageKinds, type LineageGraph } from '../../../src/server/contract/lineage.ts'
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { Graph } from '../../parts/graph.tsx'
import { ObjectLink, PageLink, Panel, ScreenHead } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { Answered, Empty } from '../../parts/states.tsx'

type Node = LineageGraph['nodes'][number]
type Kind = Node['kind']

const directions = [
  { value: 'up', label: 'Came from' },
  { value: 'both', label: 'Both' },
  { value: 'down', label: 'Led to' },
] as const

/** What one thing came from and what came of it; its address names the thing. */
export default function LineageScreen() {
  const { view, change } = useView()
  const kind = lineageKinds.find((each) => each === view['kind'])
  const id = typeof view['id'] === 'string' ? view['id'] : ''
  const direction = directions.find(({ value }) => value === view['direction'])?.value ?? 'both'
  return (
    <>
      <ScreenHead
        title="Lineage"
        note="Data, features, runs, versions, deployments and decisions, as their records name one another."
        actions={
          <SegmentedControl
            size="xs"
            aria-label="Direction"
            data={[...directions]}
            value={direction}
            onChange={(chosen) => change({ direction: chosen === 'both' ? undefined : chosen })}
          />
        }
      />
      {kind === undefined || id === '' ? (
        <Panel>
          <Empty title="Nothing is chosen yet">
            Open a run in <PageLink to="/experiments">Experiments</PageLink>, a version in{' '}
            <PageLink to="/models">Models</PageLink>, a snapshot in{' '}
            <PageLink to="/data">Data</PageLink> or a <PageLink to="/decisions">decision</PageLink>,
            and follow “Lineage” there.
          </Empty>
        </Panel>
      ) : (
        <Known kind={kind} id={id} direction={direction} />
      )}
    </>
  )
}

function Known({
  kind,
  id,
  direction,
}: {
  readonly kind: Kind
  readonly id: string
  readonly direction: 'up' | 'down' | 'both'
}) {
  const answer = useAsk('lineage', { query: { kind, id, direction } }, { keepPrevious: true })
  return (
    <Answered answer={answer}>
      {({ nodes, edges, cut }) => (
        <div className="stack">
          <Graph
            label={`Lineage of ${nodes[0]?.title ?? id}`}
            nodes={nodes.map(({ key, kind: of, title, detail, target }) => ({
              id: key,
              kind: words[of],
              title,
              figure: detail,
              ...(target !== null && { href: objectAddress(target) }),
            }))}
            edges={edges}
            selected={nodes[0]?.key}
          />
          {cut ? (
            <p className="quiet">More hangs on it than the 200 things that are shown.</p>
          ) : null}
          <Panel title="As a table" flush>
            <Table nodes={nodes} edges={edges} />
          </Panel>
        </div>
      )}
    </Answered>
  )
}

function Table({ nodes, edges }: Pick<LineageGraph, 'nodes' | 'edges'>) {
  const titles = new Map(nodes.map(({ key, title }) => [key, title]))
  const before = Map.groupBy(edges, ({ to }) => to)
  return (
    <SmallTable
      label="Lineage"
      pinned
      head={[{ title: 'Name' }, { title: 'What' }, { title: 'State' }, { title: 'Came from' }]}
      rows={nodes.map(({ key, kind, title, detail, target }) => ({
        key,
        cells: [
          target === null ? <b key="name">{title}</b> : <ObjectLink key="name" target={target} />,
          words[kind],
          detail,
          (before.get(key) ?? []).map(({ from }) => titles.get(from) ?? from).join(', '),
        ],
      }))}
    />
  )
}

const words: Readonly<Record<Kind, string>> = {
  file: 'file',
  snapshot: 'data',
  'outside-data': 'data elsewhere',
  'feature-set': 'feature set',
  'pipeline-run': 'pipeline run',
  product: 'product',
  run: 'run',
  'logged-model': 'logged model',
  version: 'version',
  deployment: 'deployment',
  decision: 'decision',
}
