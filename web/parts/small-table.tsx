import type { ReactNode } from 'react'

/** A plain table for a few rows; scrolls sideways inside itself where it is too wide. */
export function SmallTable({
  label,
  head,
  rows,
  pinned = false,
}: {
  readonly label: string
  readonly head: readonly { readonly title: ReactNode; readonly right?: boolean }[]
  readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[]
  /** Whether the first column stays where a narrow page scrolls the others. */
  readonly pinned?: boolean
}) {
  return (
    <div
      className={pinned ? 'small-table is-pinned' : 'small-table'}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <table>
        <thead>
          <tr>
            {head.map((one, i) => (
              <th key={i} scope="col" className={one.right === true ? 'cell-right' : undefined}>
                {one.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              {row.cells.map((cell, i) => (
                <td key={i} className={head[i]?.right === true ? 'cell-right' : undefined}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
