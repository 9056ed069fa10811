/**
 * A graph of what comes from what: steps of a pipeline, or data, runs, versions and decisions. It
 * can be panned and zoomed, each node is a button or a link that the keyboard reaches in the order
 * of the flow, and a table behind it says the same.
 */
import dagre from '@dagrejs/dagre'
import {
  Background,
  Controls,
  Handle,
  MarkerType,
  Position,
  ReactFlow,
  type Edge,
  type Node,
  type NodeProps,
} from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { useElementSize } from '@mantine/hooks'
import { useMemo, type ReactNode } from 'react'
import { PageLink } from './layout.tsx'

/** A type, not an interface, because the library wants one with open keys. */
export type GraphNode = {
  readonly id: string
  readonly title: string
  /** What it is, above the title: step, snapshot, version. */
  readonly kind: string
  /** The figure that matters, below the title. */
  readonly figure?: string | null
  /** One of the states that `status-mark` knows; said in words too. */
  readonly state?: string
  /** Address of its own page. */
  readonly href?: string
}

export interface GraphEdge {
  readonly from: string
  readonly to: string
}

export interface GraphProps {
  /** What the graph shows, for screen readers. */
  readonly label: string
  /** In the order of the flow. */
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly selected?: string | undefined
  readonly onSelect?: (id: string) => void
}

const WIDTH = 216
const HEIGHT = 76
/** Shrunk further than this nothing can be read: then one node is in sight, the chosen or the first. */
const FITTED_SCALE_MIN = 0.55
/** How large nodes are in a graph that does not fit. */
const UNFITTED_SCALE = 0.8
const MARGIN = 18
/** Room for the buttons below the graph. */
const CONTROLS = 52

type Box = Node<
  GraphNode & { readonly onSelect: GraphProps['onSelect']; readonly isSelected: boolean },
  'box'
>

export function Graph({ label, nodes, edges, selected, onSelect }: GraphProps) {
  const places = useMemo(() => layout(nodes, edges), [nodes, edges])
  const boxes = nodes.map((node): Box => ({
    id: node.id,
    type: 'box',
    position: places.get(node.id)!,
    data: { ...node, onSelect, isSelected: node.id === selected },
    width: WIDTH,
    height: HEIGHT,
  }))
  const lines = edges.map(({ from, to }): Edge => ({
    id: `${from} → ${to}`,
    source: from,
    target: to,
    focusable: false,
    markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 },
  }))
  const { ref, width } = useElementSize()
  const size = sizeOf(places)
  const fitted = width / (size.width + 2 * MARGIN)
  const fits = fitted >= FITTED_SCALE_MIN
  const scale = fits ? Math.min(1, fitted) : UNFITTED_SCALE
  const tall = Math.max(150, Math.ceil(size.height * scale) + 2 * MARGIN + CONTROLS)
  const seen = places.get(selected ?? '') ?? places.get(nodes[0]?.id ?? '')
  return (
    <div
      className="graph"
      ref={ref}
      role="group"
      aria-label={label}
      style={{ height: `min(70vh, ${tall}px)` }}
    >
      {width === 0 ? null : (
        <ReactFlow
          key={String(fits)}
          nodes={boxes}
          edges={lines}
          nodeTypes={nodeTypes}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          elementsSelectable={false}
          onlyRenderVisibleElements={!fits}
          fitView={fits}
          fitViewOptions={{
            maxZoom: 1,
            padding: { x: `${MARGIN}px`, top: `${MARGIN}px`, bottom: `${MARGIN + CONTROLS}px` },
          }}
          defaultViewport={viewOf(seen, width, Math.min(tall, window.innerHeight * 0.7))}
          minZoom={0.1}
          maxZoom={1.5}
          zoomOnScroll={false}
          preventScrolling={false}
          proOptions={{ hideAttribution: true }}
        >
          <Background gap={22} size={1} />
          <Controls showInteractive={false} position="bottom-right" orientation="horizontal" />
        </ReactFlow>
      )}
    </div>
  )
}

/** A node in the middle, as far as nothing left of or above the first one is shown. */
function viewOf(
  place: { readonly x: number; readonly y: number } | undefined,
  width: number,
  height: number,
) {
  const { x = 0, y = 0 } = place ?? {}
  const zoom = UNFITTED_SCALE
  return {
    x: Math.min(MARGIN, width / 2 - (x + WIDTH / 2) * zoom),
    y: Math.min(MARGIN, (height - CONTROLS) / 2 - (y + HEIGHT / 2) * zoom),
    zoom,
  }
}

function BoxView({ data }: NodeProps<Box>) {
  const { id, title, kind, figure, state, href, isSelected, onSelect } = data
  const inside: ReactNode = (
    <>
      <span className="graph-kind">
        {kind}
        {state === undefined ? null : <span className={`status-mark is-${state}`}>{state}</span>}
      </span>
      <b title={title}>{title}</b>
      <span className="graph-figure" title={figure ?? ''}>
        {figure ?? ''}
      </span>
    </>
  )
  const className = `graph-node nopan${state === undefined ? '' : ` is-${state}`}${isSelected ? ' is-selected' : ''}`
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      {href === undefined ? (
        <button
          type="button"
          className={className}
          aria-pressed={isSelected}
          onClick={() => onSelect?.(id)}
        >
          {inside}
        </button>
      ) : (
        <PageLink to={href} className={className}>
          {inside}
        </PageLink>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </>
  )
}

const nodeTypes = { box: BoxView }

/** Left to right in ranks; the upper left corner of each node. */
function layout(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
): ReadonlyMap<string, { x: number; y: number }> {
  const graph = new dagre.graphlib.Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 56 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id } of nodes) graph.setNode(id, { width: WIDTH, height: HEIGHT })
  for (const { from, to } of edges) graph.setEdge(from, to)
  dagre.layout(graph)
  return new Map(
    nodes.map(({ id }) => {
      const { x = 0, y = 0 } = graph.node(id)
      return [id, { x: x - WIDTH / 2, y: y - HEIGHT / 2 }]
    }),
  )
}

/** What the whole graph takes, unscaled. */
function sizeOf(places: ReadonlyMap<string, { x: number; y: number }>) {
  let [width, height] = [0, 0]
  for (const { x, y } of places.values()) {
    width = Math.max(width, x + WIDTH)
    height = Math.max(height, y + HEIGHT)
  }
  return { width, height }
}
