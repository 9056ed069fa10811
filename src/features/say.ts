/** Values as people read and hear them. */
import type { CompiledFeature } from './compiled.ts'

const placeholders = ['value', 'count', 'percent', 'money', 'times', 'duration'] as const
type Placeholder = (typeof placeholders)[number]

/** Finds a placeholder that does not exist; undefined where all of them do. */
export function placeholderMistake(text: string): string | undefined {
  for (const [whole, name] of text.matchAll(/\{(\w*)[^}]*\}/g)) {
    if (!(placeholders as readonly string[]).includes(name)) {
      const known = placeholders.map((placeholder) => `{${placeholder}}`).join(', ')
      return `inWords knows no placeholder ${whole}; use one of ${known}.`
    }
  }
  return undefined
}

/**
 * The feature's sentence for a value, such as "31 % of this terminal’s payments were fraud". Features
 * without words get their description and the value. A noun in a placeholder follows the number:
 * `{count payment}` gives "1 payment" and "2 payments".
 */
export function sayFeature(feature: CompiledFeature, value: number): string {
  const { words } = feature
  if (Number.isNaN(value)) {
    return words?.missing ?? `${plainName(feature.description)}: not known`
  }
  if (words === null) {
    return `${plainName(feature.description)}: ${formatFeatureValue(feature, value)}`
  }
  const text = value === 0 && words.zero !== null ? words.zero : words.text
  return text.replace(/\{(\w+)(?: ([^}]+))?\}/g, (_, name: Placeholder, noun?: string) => {
    const filled = fill(name, feature, value)
    return noun === undefined ? filled : `${filled} ${noun}${filled === '1' ? '' : 's'}`
  })
}

/** The value alone, in the feature's unit: `12.50 EUR`, `31 %`, `4`, `2 hours`, `yes`. */
export function formatFeatureValue(feature: CompiledFeature, value: number): string {
  if (Number.isNaN(value)) return '–'
  switch (feature.unit) {
    case 'money':
      return fill('money', feature, value)
    case 'share':
      return fill('percent', feature, value)
    case 'duration':
      return fill('duration', feature, value)
    case 'flag':
      return value === 0 ? 'no' : 'yes'
    case 'count':
    case 'number':
      return fill('value', feature, value)
  }
}

function fill(placeholder: Placeholder, feature: CompiledFeature, value: number): string {
  switch (placeholder) {
    case 'value':
      return feature.categories?.[value] ?? grouped(value, 2, 0)
    case 'count':
      return grouped(value, 0, 0)
    case 'percent':
      return `${grouped(value * 100, Math.abs(value) < 0.1 ? 1 : 0, 0)} %`
    case 'money':
      return `${grouped(value, 2, 2)} ${feature.currency ?? ''}`.trimEnd()
    case 'times':
      return Math.abs(value) < 10
        ? `${grouped(value, 1, 1)} times`
        : `${grouped(value, 0, 0)} times`
    case 'duration':
      return duration(value)
  }
}

function duration(seconds: number): string {
  const units = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ] as const
  for (const [unit, size] of units) {
    if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit}s`
  }
  const whole = Math.floor(seconds)
  return `${whole} second${whole === 1 ? '' : 's'}`
}

/** Thousands parted by commas, whatever the machine's own language. */
function grouped(value: number, decimalsMax: number, decimalsMin: number): string {
  const key = `${decimalsMax} ${decimalsMin}`
  const known = formats.get(key)
  if (known !== undefined) return known.format(value)
  const format = new Intl.NumberFormat('en-GB', {
    maximumFractionDigits: decimalsMax,
    minimumFractionDigits: decimalsMin,
  })
  formats.set(key, format)
  return format.format(value)
}

/** To make one costs more than to explain a score. */
const formats = new Map<string, Intl.NumberFormat>()

function plainName(description: string): string {
  return description.charAt(0).toUpperCase() + description.slice(1).replace(/\.$/, '')
}
