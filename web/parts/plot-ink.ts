import type uPlot from 'uplot'

/** A colour or font of the style sheet: a canvas cannot ask for it by name. */
export function inkOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name)
}

/** How the axes of every plot are drawn. */
export function axisInk(): uPlot.Axis {
  return {
    stroke: inkOf('--ink-3'),
    font: `11.5px ${inkOf('--font')}`,
    labelFont: `11.5px ${inkOf('--font')}`,
    labelSize: 18,
    labelGap: 2,
    grid: { stroke: inkOf('--line'), width: 1 },
    ticks: { show: false },
  }
}
