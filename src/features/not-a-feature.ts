/**
 * What stands where a feature or a number belongs, said with the remedy. The editor marks all of
 * these; a project that is run without one meets them here.
 */

/** Why the thing is no feature, as the end of a sentence; undefined where it is one. */
export function whyNoFeature(thing: unknown): string | undefined {
  const has = membersOf(thing)
  if (has('node') && has('name')) return undefined
  if (has('node')) return "has no name; end it with .as('NAME')"
  if (has('inWords')) return 'is a family of features; write ... before it'
  if (has('as')) return 'is a family; name it with .as((w) => `NAME_${w.text}`), with ... before it'
  if (has('over')) return "has no window and no name; end it with .over('7d').as('NAME')"
  if (has('isOneOf'))
    return "is a text; compare it with .is('VALUE') and name that with .as('NAME')"
  return `is no feature but ${thing === null ? 'null' : typeof thing}`
}

/** Why the thing is no number of an event, as a whole sentence; undefined where it may be one. */
export function whyNoNumber(thing: unknown): string | undefined {
  const has = membersOf(thing)
  if (has('node') && !has('name')) return undefined
  if (has('node')) return 'A feature is calculated with here; leave out its .as().'
  if (has('over')) return "A figure without a window is calculated with; add .over('7d') to it."
  if (has('as')) return 'Several windows are calculated with; write .map((value) => …) on them.'
  if (has('isOneOf')) return "A text is calculated with; write .is('VALUE') or .index() on it."
  const quoted = typeof thing === 'string' ? ', without quotes' : ''
  return `${JSON.stringify(thing) ?? typeof thing} stands where a number belongs; write a number${quoted}.`
}

function membersOf(thing: unknown): (name: string) => boolean {
  return (name) => typeof thing === 'object' && thing !== null && name in thing
}
