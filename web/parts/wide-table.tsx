/**
 * A table with more rows and columns than fit: only the cells on screen are in the document, the
 * first columns stay in sight. Columns have fixed widths; numbers stand right.
 */
import { useMediaQuery } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, type ReactNode } from 'react'

export interface WideColumn<Row> {
  readonly key: string
  /** The name in words, also where the head shows more than words. */
  readonly title: string
  readonly head?: ReactNode
  /** Pixels. */
  readonly width: number
  readonly align?: 'right'
  readonly sorted?: 'ascending' | 'descending' | undefined
  /** Called when its head is pressed. */
  readonly onSort?: (() => void) | undefined
  readonly cell: (row: Row) => ReactNode
}

export interface WideTableProps<Row> {
  readonly label: string
  readonly rows: readonly Row[]
  /** They stay in sight at the left. */
  readonly pinned: readonly WideColumn<Row>[]
  readonly columns: readonly WideColumn<Row>[]
  readonly rowKey: (row: Row) => string
  readonly rowClass?: (row: Row) => string
  /** Where the keyboard is. */
  readonly at?: number | undefined
  readonly onOpen?: (row: Row) => void
  /** Called as the end comes near, where there is more. */
  readonly onEnd?: (() => void) | undefined
  readonly total?: number | null
  readonly height?: string
}

const ROW_HEIGHT = 34
/** On a narrow page the rest must have room beside what is pinned. */
const PINNED_NARROW = 140
const HEAD_HEIGHT = 32

export function WideTable<Row>(props: WideTableProps<Row>) {
  const { label, rows, columns, rowKey, onOpen, onEnd, at } = props
  const isNarrow = useMediaQuery('(max-width: 560px)', false, { getInitialValueInEffect: false })
  const pinned = isNarrow
    ? props.pinned.map((one) => ({ ...one, width: Math.min(one.width, PINNED_NARROW) }))
    : props.pinned
  const scroller = useRef<HTMLDivElement>(null)
  const pinnedWidth = pinned.reduce((sum, one) => sum + one.width, 0)
  const down = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    scrollPaddingStart: HEAD_HEIGHT,
  })
  const across = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => scroller.current,
    estimateSize: (i) => columns[i]?.width ?? 100,
    overscan: 3,
    scrollPaddingStart: pinnedWidth,
  })
  // The sizes of columns are kept by place; another choice of columns has other sizes.
  const widths = columns.map((one) => one.width).join()
  useEffect(() => across.measure(), [across, widths])

  const shown = down.getVirtualItems()
  const lastShown = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (onEnd !== undefined && rows.length > 0 && lastShown > rows.length - 30) onEnd()
  }, [lastShown, rows.length, onEnd])
  useEffect(() => {
    if (at !== undefined && at >= 0) down.scrollToIndex(at, { align: 'auto' })
  }, [at, down])

  const seen = across.getVirtualItems()
  const width = pinnedWidth + across.getTotalSize()
  const cells = (of: (column: WideColumn<Row>, index: number) => ReactNode) =>
    seen.map((item) => {
      const column = columns[item.index]
      return column === undefined ? null : (
        <div
          key={column.key}
          className="wide-at"
          style={{ width: item.size, transform: `translateX(${pinnedWidth + item.start}px)` }}
        >
          {of(column, pinned.length + item.index)}
        </div>
      )
    })
  const pinnedCells = (of: (column: WideColumn<Row>, index: number) => ReactNode) => (
    <div className="wide-pinned" style={{ width: pinnedWidth }}>
      {pinned.map((column, i) => (
        <div key={column.key} style={{ width: column.width }}>
          {of(column, i)}
        </div>
      ))}
    </div>
  )
  return (
    <div
      ref={scroller}
      className="wide"
      role="table"
      aria-label={label}
      aria-rowcount={(props.total ?? rows.length) + 1}
      aria-colcount={pinned.length + columns.length}
      tabIndex={0}
      style={props.height === undefined ? {} : { maxHeight: props.height }}
    >
      <div className="wide-head" role="row" aria-rowindex={1} style={{ width }}>
        {pinnedCells((column, i) => (
          <HeadCell column={column} index={i} />
        ))}
        {cells((column, i) => (
          <HeadCell column={column} index={i} />
        ))}
      </div>
      <div className="wide-body" role="rowgroup" style={{ height: down.getTotalSize(), width }}>
        {shown.map((item) => {
          const row = rows[item.index]
          if (row === undefined) return null
          return (
            <div
              key={rowKey(row)}
              role="row"
              aria-rowindex={item.index + 2}
              data-index={item.index}
              className={`wide-row ${item.index === at ? 'is-at' : ''} ${props.rowClass?.(row) ?? ''}`}
              style={{ height: item.size, width, transform: `translateY(${item.start}px)` }}
              onDoubleClick={() => onOpen?.(row)}
            >
              {pinnedCells((column, i) => (
                <BodyCell column={column} index={i} row={row} />
              ))}
              {cells((column, i) => (
                <BodyCell column={column} index={i} row={row} />
              ))}
            </div>
          )
        })}
      </div>
    </div>
  )
}

interface CellProps<Row> {
  readonly column: WideColumn<Row>
  readonly index: number
}

function HeadCell<Row>({ column, index }: CellProps<Row>) {
  const { title, head, sorted, onSort, align } = column
  const words = head ?? title
  return (
    <div
      role="columnheader"
      aria-colindex={index + 1}
      aria-sort={sorted}
      title={title}
      className={`wide-cell ${align === 'right' ? 'cell-right' : ''}`}
    >
      {onSort === undefined ? (
        words
      ) : (
        <button type="button" className="wide-sort" onClick={onSort}>
          <span className="wide-sort-title">{words}</span>
          {sorted === undefined ? null : (
            <span aria-hidden>{sorted === 'ascending' ? '▲' : '▼'}</span>
          )}
        </button>
      )}
    </div>
  )
}

function BodyCell<Row>({ column, index, row }: CellProps<Row> & { readonly row: Row }) {
  return (
    <div
      role="cell"
      aria-colindex={index + 1}
      className={`wide-cell ${column.align === 'right' ? 'cell-right' : ''}`}
    >
      {column.cell(row)}
    </div>
  )
}
