// Small charts as SVG text, for a report that is one file and needs no script.

/** Text as XML and HTML take it. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

export interface Axis {
  readonly title: string
  readonly from: number
  readonly to: number
}

export interface Line {
  readonly points: readonly (readonly [number, number])[]
  readonly kind: 'line' | 'guide' | 'dots'
}

const WIDTH = 320
const HEIGHT = 240
const LEFT = 46
const BOTTOM = 40
const TOP = 10
const RIGHT = 12

/** Lines in a frame with both axes named; `label` is what a screen reader says. */
export function lineChart(label: string, x: Axis, y: Axis, lines: readonly Line[]): string {
  const place = ([a, b]: readonly [number, number]) =>
    [
      round(LEFT + shareOf(a, x) * (WIDTH - LEFT - RIGHT)),
      round(HEIGHT - BOTTOM - shareOf(b, y) * (HEIGHT - TOP - BOTTOM)),
    ] as const
  const drawn = lines.map(({ points, kind }) => {
    const places = points.map(place)
    if (kind === 'dots') {
      return places.map(([a, b]) => `<circle class="dot" cx="${a}" cy="${b}" r="3"/>`).join('')
    }
    return `<polyline class="${kind}" points="${places.map((at) => at.join(',')).join(' ')}"/>`
  })
  const ticks = [0, 0.25, 0.5, 0.75, 1]
  const grid = ticks.map((share) => {
    const [across, level] = place([valueAt(x, share), valueAt(y, share)])
    return (
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${level}" y2="${level}"/>` +
      `<text x="${LEFT - 6}" y="${level + 4}" text-anchor="end">${tick(y, share)}</text>` +
      `<text x="${across}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${tick(x, share)}</text>`
    )
  })
  const middle = (TOP + HEIGHT - BOTTOM) / 2
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(label)}">` +
    grid.join('') +
    drawn.join('') +
    `<text class="title" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escaped(x.title)}</text>` +
    `<text class="title" transform="rotate(-90 11 ${middle})" x="11" y="${middle}" text-anchor="middle">${escaped(y.title)}</text>` +
    '</svg>'
  )
}

/** A point with its interval on a common scale, as one row of a table. */
export function whisker(
  {
    value,
    lower,
    upper,
  }: { readonly value: number; readonly lower: number; readonly upper: number },
  from: number,
  to: number,
): string {
  const at = (x: number) => round(4 + (to === from ? 0.5 : (x - from) / (to - from)) * 172)
  return (
    '<svg class="whisker" viewBox="0 0 180 16" aria-hidden="true">' +
    `<line class="line" x1="${at(lower)}" x2="${at(upper)}" y1="8" y2="8"/>` +
    `<circle class="dot" cx="${at(value)}" cy="8" r="3.5"/></svg>`
  )
}

/** A bar from zero, of a share of the longest. */
export function bar(share: number): string {
  const width = round(Math.max(0, Math.min(1, share)) * 180)
  return `<svg class="whisker" viewBox="0 0 180 16" aria-hidden="true"><rect class="bar" x="0" y="3" width="${width}" height="10" rx="2"/></svg>`
}

/** Where a value lies between the ends of its axis; halved, so that no difference overflows. */
function shareOf(value: number, { from, to }: Axis): number {
  return to === from ? value - from : (value / 2 - from / 2) / (to / 2 - from / 2)
}

function valueAt({ from, to }: Axis, share: number): number {
  return to === from ? from + share : from * (1 - share) + to * share
}

function tick(axis: Axis, share: number): string {
  return number(valueAt(axis, share))
}

/** At most four digits that say something. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(1)
  if (size >= 100) return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
  return String(Number(value.toPrecision(3)))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
