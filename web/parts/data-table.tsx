/**
 * The one table. Columns are declared; numbers stand right; only the rows on screen are in the
 * document, so that 100,000 rows scroll; arrow keys move, Enter opens.
 */
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, type KeyboardEvent, type ReactNode } from 'react'

export interface Column<Row> {
  readonly key: string
  readonly title: ReactNode
  /** A CSS grid track: "90px", "minmax(120px, 1fr)". */
  readonly width: string
  readonly align?: 'right'
  /** Where the rows stand in the order of this column. */
  readonly sorted?: 'ascending' | 'descending'
  readonly cell: (row: Row) => ReactNode
  /** Left out below this width of the page. */
  readonly from?: 'narrow' | 'middle' | 'wide'
}

export interface DataTableProps<Row> {
  readonly label: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  readonly rowKey: (row: Row) => string
  readonly onOpen?: (row: Row) => void
  readonly selected?: string | undefined
  readonly onSelect?: (row: Row) => void
  /** Called as the end comes near, where there is more. */
  readonly onEnd?: (() => void) | undefined
  readonly total?: number
  readonly height?: string
  readonly rowHeight?: number
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, rows, columns, rowKey, onOpen, onSelect, selected, onEnd } = props
  const scroller = useRef<HTMLDivElement>(null)
  const rowHeight = props.rowHeight ?? 34
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  })
  const shown = virtual.getVirtualItems()
  const lastShown = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (onEnd !== undefined && rows.length > 0 && lastShown > rows.length - 40) onEnd()
  }, [lastShown, rows.length, onEnd])

  const selectedIndex =
    selected === undefined ? -1 : rows.findIndex((row) => rowKey(row) === selected)
  useEffect(() => {
    if (selectedIndex >= 0) virtual.scrollToIndex(selectedIndex, { align: 'auto' })
  }, [selectedIndex, virtual])

  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const target = event.target as HTMLElement
    const at = Number(target.closest<HTMLElement>('[data-index]')?.dataset.index ?? '-1')
    if (step !== 0) {
      event.preventDefault()
      const next = Math.min(rows.length - 1, Math.max(0, at + step))
      virtual.scrollToIndex(next, { align: 'auto' })
      requestAnimationFrame(() => {
        scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus()
      })
      const row = rows[next]
      if (row !== undefined) onSelect?.(row)
    }
    if (event.key === 'Enter' && target.dataset.index !== undefined) {
      const row = rows[at]
      if (row !== undefined) (onOpen ?? onSelect)?.(row)
    }
  }

  const grid = useGrid(columns)
  return (
    <div
      ref={scroller}
      className="table"
      role="table"
      aria-label={label}
      aria-rowcount={(props.total ?? rows.length) + 1}
      tabIndex={rows.length === 0 ? -1 : 0}
      style={props.height === undefined ? {} : { maxHeight: props.height }}
      onKeyDown={move}
    >
      <div className="table-head" role="row" style={grid} aria-rowindex={1}>
        {columns.map((column) => (
          <span
            key={column.key}
            role="columnheader"
            aria-sort={column.sorted}
            className={cellClass(column)}
          >
            {column.title}
          </span>
        ))}
      </div>
      <div role="rowgroup" className="table-body" style={{ height: virtual.getTotalSize() }}>
        {shown.map((item) => {
          const row = rows[item.index]
          if (row === undefined) return null
          const key = rowKey(row)
          return (
            <div
              key={key}
              role="row"
              data-index={item.index}
              aria-rowindex={item.index + 2}
              aria-selected={selected === undefined ? undefined : key === selected}
              tabIndex={onOpen === undefined && onSelect === undefined ? undefined : -1}
              className={`table-row ${key === selected ? 'is-selected' : ''} ${onOpen === undefined ? '' : 'can-open'}`}
              style={{ ...grid, height: item.size, transform: `translateY(${item.start}px)` }}
              onClick={(event) => {
                if ((event.target as HTMLElement).closest('a, button, input, label') !== null)
                  return
                ;(onSelect ?? onOpen)?.(row)
              }}
            >
              {columns.map((column) => (
                <span key={column.key} role="cell" className={cellClass(column)}>
                  {column.cell(row)}
                </span>
              ))}
            </div>
          )
        })}
      </div>
    </div>
  )
}

function cellClass<Row>(column: Column<Row>): string {
  const from = column.from === undefined ? '' : `from-${column.from}`
  return `cell ${column.align === 'right' ? 'cell-right' : ''} ${from}`
}

/** Grid templates for the four widths of the page, handed to CSS as variables. */
function useGrid<Row>(columns: readonly Column<Row>[]): Record<string, string> {
  const template = (levels: readonly (string | undefined)[]) =>
    columns
      .filter((column) => levels.includes(column.from))
      .map((column) => column.width)
      .join(' ')
  return {
    '--grid-tiny': template([undefined]),
    '--grid-narrow': template([undefined, 'narrow']),
    '--grid-middle': template([undefined, 'narrow', 'middle']),
    '--grid-wide': template([undefined, 'narrow', 'middle', 'wide']),
  }
}
