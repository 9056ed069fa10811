/** How many steps are in which state, as one bar and in words. */
const order = ['done', 'cached', 'running', 'held', 'failed', 'cancelled', 'skipped', 'waiting']

export function CountBar({ counts }: { readonly counts: Readonly<Record<string, number>> }) {
  const known = order.filter((state) => (counts[state] ?? 0) > 0)
  const total = known.reduce((sum, state) => sum + (counts[state] ?? 0), 0)
  const words = known.map((state) => `${(counts[state] ?? 0).toLocaleString('en-US')} ${state}`)
  if (total === 0) return <span className="quiet">–</span>
  return (
    <span className="count-bar" title={words.join(', ')}>
      <span className="count-bar-plot" aria-hidden>
        {known.map((state) => (
          <i
            key={state}
            className={`is-${state}`}
            style={{ width: `${((counts[state] ?? 0) / total) * 100}%` }}
          />
        ))}
      </span>
      <span className="quiet">{words.join(', ')}</span>
    </span>
  )
}
